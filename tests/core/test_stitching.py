"""Stitching: perfect segments come back whole, verdicts bind, numbers stay."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from annotation.core.resolving import resolve, to_tracks
from annotation.core.segments import cut
from annotation.core.stitching import SegmentTracks, stitch
from annotation.core.tracks import Tracks, fill, make_track

SHARED = Path(os.environ.get("TRACKWEAVE_SHARED", Path(__file__).parents[3] / "shared"))
MOT15 = ["ETH-Sunnyday", "KITTI-17", "PETS09-S2L1", "TUD-Campus", "TUD-Stadtmitte", "Venice-2"]


def read_truth(path):
    """Every object of a MOT file as (frames, boxes), and the number of frames."""
    rows = np.loadtxt(path, delimiter=",")
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    objects = {}
    for number in np.unique(rows[:, 1]):
        own = rows[rows[:, 1] == number]
        boxes = np.concatenate([own[:, 2:4], own[:, 2:4] + own[:, 4:6]], axis=1)
        objects[str(int(number))] = (own[:, 0].astype(int) - 1, boxes)
    return objects, int(rows[:, 0].max())


def slice_track(id, frames, boxes, start, stop, label="person"):
    """An object's keyframes inside `[start, stop)`, with `outside` ones where it leaves; None where it never is."""
    inside = (frames >= start) & (frames < stop)
    here = frames[inside]
    if not len(here):
        return None
    leaves = np.setdiff1d(here + 1, here)
    leaves = leaves[leaves < stop]
    at = np.concatenate([here, leaves])
    points = np.concatenate([boxes[inside], np.full((len(leaves), 4), np.nan)])
    return make_track(id, label, at, points, outside=np.arange(len(at)) >= len(here))


def slice_all(objects, ranges, rng=None):
    """Perfect segments with meaningless track ids, and which object each track is."""
    segments, names = [], {}
    for number, (start, stop) in enumerate(ranges):
        key = f"s{number}"
        found = [(name, slice_track(name, *object_, start, stop)) for name, object_ in objects.items()]
        found = [(name, track) for name, track in found if track is not None]
        order = rng.permutation(len(found)) if rng else range(len(found))
        tracks = []
        for place, at in enumerate(order):
            name, track = found[at]
            tracks.append(dataclasses.replace(track, id=f"t{place}"))
            names[key, f"t{place}"] = name
        segments.append(SegmentTracks(key, start, stop, Tracks(start, stop, tuple(tracks))))
    return segments, names


def walk(x, y, dx, frames, size=(20.0, 40.0)):
    """An object that moves to the right by dx a frame."""
    frames = np.arange(*frames)
    left = x + dx * (frames - frames[0])
    top = np.full(len(frames), float(y))
    return frames, np.stack([left, top, left + size[0], top + size[1]], axis=1)


def groups(stitched):
    """The tracks of each identity."""
    out = {}
    for ref, number in stitched.identities.items():
        out.setdefault(number, set()).add(ref)
    return out


def assert_whole(stitched, names):
    """Tracks have one identity exactly if they are one object."""
    pairs = {(number, names[ref]) for ref, number in stitched.identities.items()}
    assert len(pairs) == len({n for n, _ in pairs}) == len({name for _, name in pairs})
    assert set(stitched.identities) == set(names)


@pytest.mark.parametrize("policy", [(300, 30), (100, 10), (60, 10), (60, 5), (15, 5), (9, 3), (10, 1)])
@pytest.mark.parametrize("sequence", MOT15)
def test_perfect_segments_of_real_sequences_come_back_whole(sequence, policy):
    path = SHARED / "data/mot15" / sequence / "gt.txt"
    if not path.exists():
        pytest.skip(f"no ground truth of {sequence} beside the project")
    objects, frames = read_truth(path)
    segments, names = slice_all(objects, cut(frames, *policy), np.random.default_rng(5))
    stitched = stitch(segments)
    assert_whole(stitched, names)
    whole = {track.id: track for track in to_tracks(segments, stitched).tracks}
    truth = {str(number): objects[names[ref]] for ref, number in stitched.identities.items()}
    assert set(whole) == set(truth)
    for id, (at, boxes) in truth.items():
        dense = fill([whole[id]], 0, frames)
        assert np.flatnonzero(dense.present[0]).tolist() == at.tolist()
        assert np.array_equal(dense.boxes[0, at], boxes)


@pytest.mark.parametrize(("every", "policy"), [(2, (50, 5)), (3, (30, 3)), (3, (20, 2)), (6, (10, 2)), (6, (10, 1))])
@pytest.mark.parametrize("sequence", MOT15)
def test_perfect_segments_of_real_sequences_with_few_frames_a_second_come_back_whole(sequence, every, policy):
    path = SHARED / "data/mot15" / sequence / "gt.txt"
    if not path.exists():
        pytest.skip(f"no ground truth of {sequence} beside the project")
    objects, frames = read_truth(path)
    rare = {name: (at[at % every == 0] // every, boxes[at % every == 0]) for name, (at, boxes) in objects.items()}
    segments, names = slice_all(rare, cut(frames // every, *policy), np.random.default_rng(5))
    assert_whole(stitch(segments), names)


def crowd(count=6, frames=200):
    return {f"o{i}": walk(30.0 * i, 60.0 * i, 1.0, (0, frames)) for i in range(count)}


def test_numbers_count_from_1_in_order_of_appearance():
    objects = {"late": walk(0, 300, 1, (50, 200)), "early": walk(0, 0, 1, (0, 200))}
    segments, names = slice_all(objects, cut(200, 60, 10))
    stitched = stitch(segments)
    assert {names[ref]: number for ref, number in stitched.identities.items()} == {"early": 1, "late": 2}
    assert stitched.next_identity == 3


def test_no_segments_and_empty_segments_stitch_to_nothing():
    assert stitch([]).identities == {}
    empty = [SegmentTracks("a", 0, 20, Tracks(0, 20)), SegmentTracks("b", 15, 40, Tracks(15, 40))]
    assert stitch(empty).joins == ()
    assert to_tracks(empty, stitch(empty)).tracks == ()


@pytest.mark.parametrize("late", [1, 2, 3, 4])
def test_a_late_start_and_an_early_end_at_a_border_are_joined(late):
    frames, boxes = walk(0, 0, 4, (0, 55))
    left = slice_track("a", frames[: 30 - late], boxes[: 30 - late], 0, 30)
    right = slice_track("b", frames[25 + late :], boxes[25 + late :], 25, 55)
    segments = [SegmentTracks("l", 0, 30, Tracks(0, 30, (left,))), SegmentTracks("r", 25, 55, Tracks(25, 55, (right,)))]
    stitched = stitch(segments)
    assert len(groups(stitched)) == 1
    resolved = resolve(segments, stitched, 0, 55)
    assert resolved.dense.present.all()
    assert np.allclose(resolved.dense.boxes[0], boxes)
    assert np.flatnonzero(resolved.disputed[0]).tolist() == list(range(30 - late, 25 + late))


def test_an_object_that_both_segments_miss_on_the_whole_overlap_was_away():
    frames, boxes = walk(0, 0, 1, (0, 55))
    seen = (frames < 25) | (frames >= 30)
    segments, names = slice_all({"a": (frames[seen], boxes[seen])}, [(0, 30), (25, 55)])
    stitched = stitch(segments)
    assert_whole(stitched, names)
    assert np.flatnonzero(~resolve(segments, stitched, 0, 55).dense.present[0]).tolist() == list(range(25, 30))


def test_two_who_cross_on_a_short_overlap_keep_to_their_ways():
    objects = {"right": walk(0, 0, 5, (0, 60)), "left": walk(300, 2, -5, (0, 60))}
    segments, names = slice_all(objects, [(0, 33), (28, 60)])
    assert_whole(stitch(segments), names)


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_who_turns_where_segments_share_few_frames_is_followed(overlap):
    frames, boxes = walk(0, 0, 30, (0, 40))
    turned = boxes.copy()
    turned[20:] = boxes[20] + np.arange(20)[:, None] * np.array([0.0, 30.0, 0.0, 30.0])
    objects = {"turns": (frames, turned), "goes on": walk(700, 300, -30, (0, 40))}
    segments, names = slice_all(objects, [(0, 20 + overlap), (20, 40)])
    assert_whole(stitch(segments), names)


def test_a_verdict_of_different_parts_what_would_be_joined():
    segments, _names = slice_all(crowd(2), cut(200, 120, 20))
    pair = (("s0", "t0"), ("s1", "t0"))
    assert len(groups(stitch(segments, decided={pair: False}))) == 3


def test_a_verdict_of_same_joins_what_is_far_apart():
    objects = {"a": walk(0, 0, 1, (0, 50)), "b": walk(900, 300, 1, (150, 200))}
    segments, _ = slice_all(objects, cut(200, 60, 10))
    first = next((s.key, "t0") for s in segments if s.tracks.tracks)
    last = (segments[-1].key, "t0")
    assert len(groups(stitch(segments))) == 2
    stitched = stitch(segments, decided={(last, first): True})
    assert len(groups(stitched)) == 1
    assert [j.decided for j in stitched.joins if {j.left, j.right} == {first, last}] == [True]


def test_a_verdict_of_same_for_two_tracks_of_one_segment_is_refused():
    segments, _ = slice_all(crowd(2), cut(200, 120, 20))
    pair = (("s0", "t0"), ("s0", "t1"))
    stitched = stitch(segments, decided={pair: True})
    assert stitched.refused == (pair,)
    assert len(groups(stitched)) == 2


def test_deciding_one_segment_anew_computes_its_borders_only_and_keeps_the_numbers():
    objects = crowd(6, 2000)
    segments, names = slice_all(objects, cut(2000, 60, 10), np.random.default_rng(3))
    before = stitch(segments)
    assert len(segments) == before.borders + 1 == 40
    anew, anew_names = slice_all(objects, cut(2000, 60, 10), np.random.default_rng(4))
    segments[20] = anew[20]
    after = stitch(segments, previous=before, changed=["s20"])
    assert after.borders == 2
    assert_whole(after, {r: (anew_names if r[0] == "s20" else names)[r] for r in names})
    assert all(after.identities[ref] == n for ref, n in before.identities.items() if ref[0] != "s20")


def test_a_verdict_of_same_settles_its_own_border_alone():
    objects = crowd(3)
    segments, names = slice_all(objects, cut(200, 60, 10))
    pair = (("s1", "t1"), ("s2", "t1"))
    assert_whole(stitch(segments, decided={pair: True}), names)
    crossed = stitch(segments, decided={(("s1", "t0"), ("s2", "t1")): True})
    assert crossed.identities["s0", "t0"] == crossed.identities["s1", "t0"] == crossed.identities["s2", "t1"]
    assert crossed.identities["s0", "t2"] == crossed.identities["s3", "t2"]
    assert len(groups(crossed)) == 4


def test_verdicts_on_a_stitched_video_compute_their_own_border_only():
    segments, _ = slice_all(crowd(4), cut(200, 60, 10))
    before = stitch(segments)
    pair = (("s1", "t2"), ("s2", "t2"))
    parted = stitch(segments, previous=before, decided={pair: False})
    assert (parted.borders, len(groups(parted))) == (1, 5)
    assert parted.identities == stitch(segments, decided={pair: False}).identities
    again = stitch(segments, previous=parted, decided={pair: False})
    assert (again.borders, again.identities, again.joins) == (0, parted.identities, parted.joins)
    joined = stitch(segments, previous=again, decided={pair: True})
    assert (joined.borders, joined.identities) == (1, before.identities)


def test_an_object_taken_away_gives_its_number_to_nobody():
    objects = crowd(3)
    segments, _ = slice_all(objects, cut(200, 120, 20))
    before = stitch(segments)
    objects["new"] = walk(500, 500, 0, (150, 200))
    del objects["o0"]
    changed, _names = slice_all(objects, cut(200, 120, 20))
    after = stitch(changed, previous=before, changed=[s.key for s in changed])
    assert after.next_identity == before.next_identity + 1 or max(after.identities.values()) <= before.next_identity
    assert len(groups(after)) == 3


def test_ranges_of_frames_give_what_the_whole_gives():
    segments, _ = slice_all(crowd(4), cut(200, 60, 10), np.random.default_rng(1))
    stitched = stitch(segments)
    whole = resolve(segments, stitched, 0, 200)
    for start, stop in [(0, 37), (37, 120), (120, 200), (50, 50)]:
        part = resolve(segments, stitched, start, stop).dense
        rows = [whole.dense.ids.index(id) for id in part.ids]
        assert np.array_equal(part.boxes, whole.dense.boxes[rows, start:stop], equal_nan=True)
        assert np.array_equal(part.present, whole.dense.present[rows, start:stop])


def _pair(left_boxes, right_boxes, confidence=(None, None)):
    left = make_track("a", "person", range(30), left_boxes, confidence=confidence[0])
    right = make_track("b", "person", range(20, 50), right_boxes, confidence=confidence[1])
    segments = [SegmentTracks("l", 0, 30, Tracks(0, 30, (left,))), SegmentTracks("r", 20, 50, Tracks(20, 50, (right,)))]
    return segments, stitch(segments)


def test_overlaps_are_cross_faded_without_a_jump():
    _frames, boxes = walk(0, 0, 0, (0, 50))
    segments, stitched = _pair(boxes[:30], boxes[20:] + 4.0)
    resolved = resolve(segments, stitched, 0, 50)
    steps = np.diff(resolved.dense.boxes[0, :, 0])
    assert (steps >= 0).all() and steps.max() < 0.5 and steps.sum() == pytest.approx(4.0)
    assert not resolved.disputed.any()
    assert resolved.left[0, 25] == 0 and resolved.right[0, 25] == 1 and 0 < resolved.share[0, 25] < 1


def test_the_more_trusted_side_wins_a_dispute_and_the_frames_are_marked():
    _, boxes = walk(0, 0, 0, (0, 50))
    away = boxes[20:].copy()
    away[:3] += 30.0
    segments, stitched = _pair(boxes[:30], away, (0.5, 0.9))
    resolved = resolve(segments, stitched, 0, 50)
    assert np.flatnonzero(resolved.disputed[0]).tolist() == [20, 21, 22]
    assert resolved.dense.boxes[0, 20].tolist() == away[0].tolist()
    assert to_tracks(segments, stitched).tracks[0].disputes == ((20, 23),)
