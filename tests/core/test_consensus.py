"""The consensus of one segment: what must hold whatever the workers drew."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Interval, Track, Tracks, fill, make_track
from review.core.consensus import Submission, make_consensus

START, STOP = 10, 50


def box_track(name: str, x: float, y: float, frames: range = range(START, STOP), label: str = "car", **more) -> Track:
    boxes = [[x + f, y, x + f + 40, y + 60] for f in frames]
    ends = {} if frames.stop >= STOP else {"outside": [False] * len(frames) + [True]}
    at = [*frames] if frames.stop >= STOP else [*frames, frames.stop]
    boxes = boxes if frames.stop >= STOP else [*boxes, [np.nan] * 4]
    return make_track(name, label, at, boxes, **ends, **more)


def submit(*tracks: Track, id: str = "s1", intervals: tuple[Interval, ...] = (), **more) -> Submission:
    return Submission(id, more.pop("worker", id), Tracks(START, STOP, tracks, intervals), **more)


def agree(*submissions: Submission, **more):
    return make_consensus(submissions, START, STOP, **more)


@st.composite
def crowds(draw, most: int = 4):
    """A few workers who draw a few objects with noise, holes and invented ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spots = rng.uniform(0, 300, (draw(st.integers(0, 3)), 2))
    out = []
    for w in range(draw(st.integers(0, most))):
        tracks = []
        for k, (x, y) in enumerate([*spots, *rng.uniform(0, 300, (rng.integers(0, 2), 2))]):
            if rng.random() < 0.2:
                continue
            first = START + int(rng.integers(0, 10))
            dx, dy = rng.normal(0, 4, 2)
            tracks.append(box_track(f"t{k}", x + dx, y + dy, range(first, int(rng.integers(first + 1, STOP + 1)))))
        out.append(submit(*tracks, id=f"s{w}"))
    return out


def dense(consensus):
    filled = fill(consensus.tracks.tracks, START, STOP)
    return filled.boxes, filled.present


def test_nobody_and_nothing_give_nothing():
    assert agree().tracks.tracks == ()
    both_empty = agree(submit(id="a"), submit(id="b"))
    assert both_empty.tracks.tracks == ()
    assert both_empty.agreement == 1.0
    assert 0 < both_empty.confidence <= 1


def test_one_submission_comes_back_as_it_was_drawn():
    track = box_track("x", 5, 5, range(12, 30), attributes={"sex": "f"}, changes={12: {"pose": "sits"}})
    only = submit(track, intervals=(Interval("rain", 11, 20),))
    consensus = agree(only)
    (got,) = consensus.tracks.tracks
    assert (got.id, got.frames.tolist(), got.attributes, got.changes) == (
        "x",
        track.frames.tolist(),
        track.attributes,
        track.changes,
    )
    assert consensus.tracks.intervals == only.tracks.intervals
    assert consensus.agreement == 1.0
    assert got.support == ("s1",)


@pytest.mark.parametrize(
    ("workers", "drew", "quorum", "there"),
    [(2, 2, Fraction(1, 2), True), (2, 1, Fraction(1, 2), False), (3, 2, Fraction(2, 3), True)]
    + [(3, 1, Fraction(1, 3), False), (4, 2, Fraction(1, 2), True), (5, 2, Fraction(1, 2), False)]
    + [(5, 3, Fraction(1, 2), True), (6, 4, Fraction(2, 3), True), (6, 3, Fraction(2, 3), False)],
)
def test_an_object_needs_the_quorum(workers, drew, quorum, there):
    crowd = [submit(*([box_track("a", 0, 0)] if w < drew else []), id=f"s{w}") for w in range(workers)]
    assert bool(agree(*crowd, quorum=quorum).tracks.tracks) is there


@settings(max_examples=40, deadline=None)
@given(crowds(most=1), st.integers(2, 5))
def test_equal_submissions_come_back_within_the_thinning_bound(crowd, copies):
    if not crowd:
        return
    consensus = agree(*(replace(crowd[0], id=f"s{i}", worker=f"w{i}") for i in range(copies)))
    drawn = fill(crowd[0].tracks.tracks, START, STOP)
    boxes, present = dense(consensus)
    assert sorted(present.sum(axis=1)) == sorted(drawn.present.sum(axis=1))
    for own, there in zip(boxes, present, strict=True):
        likeness = [iou_aligned(own[there], other[there]).min() for other in drawn.boxes]
        assert max(likeness) >= 0.98
    assert consensus.agreement > 0.98


def test_an_identity_swap_of_one_worker_is_cut_and_undone():
    def crossing(name, x, step, y):
        return make_track(
            name, "car", range(START, STOP), [[x + step * i, y, x + step * i + 40, y + 60] for i in range(40)]
        )

    a, b = crossing("a", 0, 4, 0), crossing("b", 160, -4, 8)
    swapped = [
        replace(a, points=np.concatenate([a.points[:20], b.points[20:]])),
        replace(b, points=np.concatenate([b.points[:20], a.points[20:]])),
    ]
    consensus = agree(submit(a, b, id="1"), submit(a, b, id="2"), submit(*swapped, id="3"))
    boxes, _ = dense(consensus)
    assert len(boxes) == 2
    assert iou_aligned(boxes[0], a.points).min() > 0.95
    assert iou_aligned(boxes[1], b.points).min() > 0.95


def test_fragments_of_one_worker_join_one_object():
    whole = box_track("w", 0, 0)
    parts = box_track("p", 0, 0, range(START, 28)), box_track("q", 0, 0, range(30, STOP))
    (track,) = agree(submit(whole, id="1"), submit(*parts, id="2"), submit(whole, id="3")).tracks.tracks
    assert track.support == ("1", "2", "3")
    assert fill([track], START, STOP).present.all()


def test_labels_attributes_and_occlusion_go_by_vote():
    def drawn(label, sex, pose, occluded):
        frames = range(START, STOP)
        flags = [occluded and f >= 30 for f in frames]
        return box_track(
            "a",
            0,
            0,
            label=label,
            attributes={"sex": sex},
            changes={START: {"pose": "walks"}, 30: {"pose": pose}},
            occluded=flags,
        )

    crowd = [submit(drawn("car", "f", "sits", True), id="1"), submit(drawn("car", "f", "sits", True), id="2")]
    (track,) = agree(*crowd, submit(drawn("bus", "m", "runs", False), id="3")).tracks.tracks
    assert (track.label, track.attributes) == ("car", {"sex": "f"})
    assert track.changes == {START: {"pose": "walks"}, 30: {"pose": "sits"}}
    occluded = fill([track], START, STOP).occluded[0]
    assert occluded.tolist() == [f >= 30 for f in range(START, STOP)]


def test_intervals_are_merged_by_label():
    def marked(name, start, stop):
        return submit(box_track("mine", 0, 0), id=name, intervals=(Interval("crossing", start, stop, "mine"),))

    lone = submit(box_track("x", 0, 0), id="4", intervals=(Interval("crossing", 12, 20, "x"), Interval("rain", 12, 20)))
    consensus = agree(marked("1", 12, 20), marked("2", 13, 21), lone)
    (interval,) = consensus.tracks.intervals
    assert (interval.label, interval.start, interval.stop) == ("crossing", 12, 20)
    assert interval.track == consensus.tracks.tracks[0].id


def test_empty_tracks_and_empty_submissions_do_no_harm():
    empty = make_track("e", "car", [], [])
    consensus = agree(
        submit(empty, id="1"), submit(empty, box_track("a", 0, 0), id="2"), submit(box_track("b", 0, 0), id="3")
    )
    assert len(consensus.tracks.tracks) == 1


def test_one_objects_end_and_anothers_beginning_are_two_objects_where_nobody_leads_across():
    def pair(name, end, begin):
        return submit(box_track("a", 0, 0, range(START, end)), box_track("b", 2, 1, range(begin, STOP)), id=name)

    consensus = agree(pair("1", 31, 29), pair("2", 28, 27), pair("3", 30, 31))
    assert [t.support for t in consensus.tracks.tracks] == [("1", "2", "3")] * 2


@pytest.mark.parametrize("cuts", [(30, 30, None), (24, 30, 37), (30, 30, None, None, 30)])
def test_who_begins_a_new_track_where_the_last_one_was_going_follows_the_same_object(cuts):
    crowd = []
    for w, cut in enumerate(cuts):
        ranges = [range(START, STOP)] if cut is None else [range(START, cut), range(cut, STOP)]
        drawn = [box_track(f"t{i}", 0.5 * w, 0, frames=frames) for i, frames in enumerate(ranges)]
        crowd.append(submit(*drawn, box_track("other", 200 + w, 0), id=str(w)))
    assert len(agree(*crowd).tracks.tracks) == 2


def test_an_object_that_most_follow_to_the_end_is_one_although_somebody_drew_it_in_two():
    whole = box_track("w", 0, 0)
    parts = box_track("p", 0, 0, range(START, 28)), box_track("q", 0, 0, range(28, STOP))
    crowd = [submit(whole, id="1"), submit(*parts, id="2"), submit(whole, id="3")]
    assert len(agree(*crowd).tracks.tracks) == 1


@pytest.mark.parametrize(("first", "there"), [(START + 3, True), (START + 8, False)])
def test_who_is_there_soon_after_the_start_was_there_at_it_if_anybody_says_so(first, there):
    late = range(first, STOP)
    crowd = [submit(box_track("a", 0, 0, late), id=n) for n in "12"]
    _, present = dense(agree(*crowd, submit(box_track("a", 0, 0), id="3")))
    assert bool(present[0, 0]) is there


def walkers(*, exchanged: bool, noise: float, y: float = 0.0) -> list[Track]:
    """Two of different size who cross and go on, or exchange their places on paper where they meet."""
    at = np.arange(40.0)[:, None]
    one = np.concatenate([4 * at, 0 * at + y, 4 * at + 40, 0 * at + y + 60], axis=1) + noise
    two = np.concatenate([160 - 4 * at, 0 * at + y - 20, 160 - 4 * at + 60, 0 * at + y + 70], axis=1) - noise
    late = (np.arange(40) >= 20)[:, None] & exchanged
    paths = np.where(late, two, one), np.where(late, one, two)
    return [make_track(name, "car", range(START, STOP), p) for name, p in zip("ab", paths, strict=True)]


def assert_right_wins(right: list[Track], wrong: list[Track]) -> None:
    """Of two who drew them, whoever comes first."""
    for names in ("12", "21"):
        boxes, _ = dense(agree(submit(*right, id=names[0]), submit(*wrong, id=names[1])))
        assert len(boxes) == len(right)
        for track in right:
            assert max(iou_aligned(own, track.points).min() for own in boxes) > 0.9


def test_where_one_of_two_exchanged_who_met_the_courses_decide():
    right, wrong = walkers(exchanged=False, noise=0.5), walkers(exchanged=True, noise=-0.5)
    assert_right_wins(right, wrong)


def test_of_two_meetings_at_once_both_are_settled():
    right, wrong = (
        [*walkers(exchanged=e, noise=n), *walkers(exchanged=e, noise=n, y=500)] for e, n in ((False, 0.5), (True, -0.5))
    )
    assert_right_wins(right, wrong)


def test_what_both_of_two_exchanged_is_put_right_and_stays_whole():
    crowd = [submit(*walkers(exchanged=True, noise=noise), id=name) for name, noise in (("1", 0.5), ("2", -0.5))]
    boxes, present = dense(agree(*crowd))
    assert present.all()
    assert len(boxes) == 2
    away = np.abs(np.arange(40) - 20) > 3  # while they cover each other, either may be either
    for track in walkers(exchanged=False, noise=0.0):
        assert max(iou_aligned(own, track.points)[away].min() for own in boxes) > 0.9


def test_one_more_worker_is_worth_the_more_the_others_differ_and_the_fewer_they_are():
    def crowd(noise, n):
        return [
            submit(box_track("a", noise * (w % 2), 0), box_track("b", 200 + noise * w, 0), id=str(w)) for w in range(n)
        ]

    assert agree(*crowd(0, 3)).gain < agree(*crowd(3, 3)).gain < agree(*crowd(3, 2)).gain
    lone = [*crowd(0, 2)[:1], submit(box_track("a", 0, 0), id="9")]
    assert agree(*lone).gain > agree(*crowd(0, 2)).gain


def test_who_name_it_differently_have_drawn_one_object_though_their_boxes_are_only_fairly_alike():
    given = ((0, "car"), (1, "car"), (12, "bus"), (13, "bus"))
    crowd = [submit(box_track("a", x, 0, label=label), id=str(x)) for x, label in given]
    (track,) = agree(*crowd).tracks.tracks
    assert len(track.support) == 4


def test_one_more_is_worth_much_where_two_labels_have_the_same_votes():
    def crowd(*labels):
        return [submit(box_track("a", 0, 0, label=label), id=str(w)) for w, label in enumerate(labels)]

    agreed, tied, outvoted = (agree(*crowd(*labels)).gain for labels in (("car", "car"), ("car", "bus"), "aab"))
    assert tied > agreed + 0.4
    assert outvoted == agree(*crowd("car", "car", "car")).gain


@pytest.mark.parametrize(("last", "matters"), [(STOP - 30, True), (STOP - 6, False)])
def test_one_more_is_worth_something_where_half_say_for_long_that_it_is_not_there(last, matters):
    whole = submit(box_track("a", 0, 0), id="1")
    part = submit(box_track("a", 0, 0, frames=range(START, last)), id="2")
    more = agree(whole, part).gain - agree(whole, replace(whole, id="2")).gain
    assert (more > 0.05) is matters
    assert agree(whole, part, replace(whole, id="3")).gain < 0.05
