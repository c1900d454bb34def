"""Which joins are doubtful, and what is not joined at all."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.choosing import GATE, MARGIN, Candidates, choose
from annotation.core.stitching import SegmentTracks, stitch
from annotation.core.tracks import Tracks, fill, make_track
from tests.core.test_stitching import groups, slice_all, walk

RANGES = [(0, 33), (28, 60), (55, 90)]


def similarities():
    shape = st.tuples(st.integers(1, 4), st.integers(1, 4))
    return shape.flatmap(
        lambda nm: st.lists(
            st.lists(st.integers(0, 100), min_size=nm[1], max_size=nm[1]), min_size=nm[0], max_size=nm[0]
        )
    ).map(lambda rows: np.array(rows) / 100)


def best_value(gain):
    """The greatest sum of gains of a one to one matching, by trying all."""
    if gain.shape[0] > gain.shape[1]:
        gain = gain.T
    rows = range(gain.shape[0])
    return max(
        sum(gain[i, j] for i, j in zip(rows, way, strict=True)) for way in permutations(range(gain.shape[1]), len(rows))
    )


@settings(deadline=None)
@given(similarities())
def test_the_joins_chosen_have_the_greatest_sum_and_margins_never_say_too_little(table):
    i, j = np.nonzero(table > 0)
    none = np.zeros(len(i), np.int64)
    rows, columns = ([(side, str(k)) for k in range(n)] for side, n in zip("ab", table.shape, strict=True))
    joins = choose(Candidates(rows, columns, i, j, table[i, j], none, *[none.astype(float)] * 2), "border")
    gain = np.maximum(table - GATE, 0.0)
    best = best_value(gain)
    assert sum(join.similarity - GATE for join in joins) == pytest.approx(best)
    for join in joins:
        without = gain.copy()
        without[int(join.left[1]), int(join.right[1])] = 0.0
        assert join.margin >= min(1.0, best - best_value(without)) - 1e-9
        if not join.rivals:
            assert join.margin == 1.0


def test_two_who_walk_as_one_are_doubtful_and_the_rivals_are_named():
    objects = {"a": walk(0, 0, 1, (0, 60)), "b": walk(0.1, 0.1, 1, (0, 60))}
    segments, _ = slice_all(objects, RANGES[:2])
    joins = stitch(segments).joins
    assert [join.doubtful for join in joins] == [True, True]
    assert all(join.margin < MARGIN and join.confidence < 0.8 for join in joins)
    assert {ref for ref, _ in joins[0].rivals} == {joins[1].left, joins[1].right}


def test_two_who_walk_apart_are_not_doubtful():
    objects = {"a": walk(0, 0, 1, (0, 60)), "b": walk(200, 0, 1, (0, 60))}
    segments, _ = slice_all(objects, RANGES[:2])
    joins = stitch(segments).joins
    assert [(join.doubtful, join.rivals) for join in joins] == [(False, ()), (False, ())]
    assert all(join.confidence > 0.99 for join in joins)


def test_a_verdict_ends_the_doubt():
    objects = {"a": walk(0, 0, 1, (0, 60)), "b": walk(0.1, 0.1, 1, (0, 60))}
    segments, _ = slice_all(objects, RANGES[:2])
    first = stitch(segments).joins[0]
    joins = stitch(segments, decided={(first.left, first.right): True}).joins
    assert [(join.left == first.left, join.doubtful) for join in joins] == [(True, False), (False, False)]


def test_a_neighbour_is_not_taken_for_one_whom_a_segment_missed():
    objects = {f"o{k}": walk(100.0 * k, 0, 1, (0, 60)) for k in range(8)}
    objects["near"] = walk(8.0, 0, 1, (0, 60))
    segments, names = slice_all(objects, RANGES[:2])
    lone = [t for t in segments[0].tracks.tracks if names["s0", t.id] != "o0"]
    other = [t for t in segments[1].tracks.tracks if names["s1", t.id] != "near"]
    segments = [
        dataclasses.replace(segment, tracks=dataclasses.replace(segment.tracks, tracks=tuple(tracks)))
        for segment, tracks in zip(segments, (lone, other), strict=True)
    ]
    joins = stitch(segments).joins
    assert all(names[join.left] == names[join.right] or join.doubtful for join in joins)
    assert len(joins) >= 7


def test_whom_one_side_left_for_another_on_the_shared_frames_is_still_joined_and_looked_at():
    """Where two objects were exchanged just where segments meet, some of the shared frames are right."""
    others = {f"{k}": walk(400 * k + 400, 0, 1, (0, 60)) for k in range(4)}
    objects = {"a": walk(0, 0, 1, (0, 60)), **others}
    segments, _ = slice_all(objects, [(0, 33), (26, 60)])
    left = segments[0].tracks
    for stray, joined in (([0, 0, 0, 30, 60, 90, 120], True), ([25, 25, 25, 30, 60, 90, 120], False)):
        boxes = fill(left.tracks, 0, 33).boxes.copy()
        boxes[0, 26:] += np.array([[x, 0, x, 0] for x in stray])
        strayed = make_track(left.tracks[0].id, left.tracks[0].label, range(33), boxes[0])
        changed = dataclasses.replace(left, tracks=(strayed, *left.tracks[1:]))
        made = stitch([dataclasses.replace(segments[0], tracks=changed), segments[1]])
        found = {join.left[1]: join for join in made.joins}
        assert len(found) == len(objects) - (not joined)
        assert (strayed.id in found) == joined
        assert [name for name, join in found.items() if join.doubtful] == [strayed.id] * joined


def test_another_label_is_tolerated_only_where_boxes_agree_on_enough_frames():
    frames, boxes = walk(0, 0, 1, (0, 90))
    left = make_track("a", "car", frames[:33], boxes[:33])
    for first, joined in ((28, True), (31, False)):
        right = make_track("b", "van", frames[first:60], boxes[first:60])
        segments = [
            SegmentTracks("l", 0, 33, Tracks(0, 33, (left,))),
            SegmentTracks("r", 28, 60, Tracks(28, 60, (right,))),
        ]
        assert (len(groups(stitch(segments))) == 1) is joined


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_a_segment_decided_anew_gives_what_stitching_all_anew_gives(seed):
    rng = np.random.default_rng(seed)
    objects = {f"o{k}": walk(rng.uniform(0, 300), rng.uniform(0, 200), rng.uniform(-3, 3), (0, 90)) for k in range(6)}
    segments, _ = slice_all(objects, RANGES, rng)
    before = stitch(segments)
    moved = dict(objects)
    moved["o0"] = walk(rng.uniform(0, 300), rng.uniform(0, 200), 0, (0, 90))
    segments[1] = slice_all(moved, RANGES, rng)[0][1]
    part, whole = stitch(segments, previous=before, changed=["s1"]), stitch(segments)
    assert part.joins == whole.joins
    assert {frozenset(g) for g in groups(part).values()} == {frozenset(g) for g in groups(whole).values()}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_segments_and_tracks_changes_no_join(seed):
    rng = np.random.default_rng(seed)
    objects = {f"o{k}": walk(rng.uniform(0, 200), rng.uniform(0, 90), rng.uniform(-3, 3), (0, 90)) for k in range(8)}
    segments, _ = slice_all(objects, RANGES)
    mixed = [
        dataclasses.replace(s, tracks=dataclasses.replace(s.tracks, tracks=tuple(rng.permutation(s.tracks.tracks))))
        for s in rng.permutation(np.array(segments, dtype=object))
    ]
    pairs = [{(j.left, j.right, j.doubtful) for j in stitch(given).joins} for given in (segments, mixed)]
    assert pairs[0] == pairs[1]


def test_a_border_shows_each_track_as_it_is_filled():
    frames, boxes = walk(0, 0, 2, (0, 60))
    thin = make_track("t", "person", frames[::10], boxes[::10])
    segments = [
        SegmentTracks("l", 0, 33, Tracks(0, 33, (thin,))),
        SegmentTracks("r", 28, 60, Tracks(28, 60, (make_track("u", "person", frames[28:], boxes[28:]),))),
    ]
    join = stitch(segments).joins[0]
    shared = fill([thin], 28, 33).present.sum()
    assert (join.shared, join.similarity) == (shared, pytest.approx(1.0, abs=0.1))
