"""Many workers' drawings side by side: who is compared with whom."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotation.core.boxes import iou_aligned
from annotation.core.overlaps import overlaps_among
from annotation.core.tracks import Tracks, fill, make_track
from review.core.clustering import cluster
from review.core.consensus import Submission, make_consensus
from review.core.stacking import OTHERS, compared_with, stack


@pytest.mark.parametrize("workers", [0, 1, 2, 5, OTHERS + 1])
def test_few_workers_are_all_compared(workers: int):
    assert np.array_equal(compared_with(workers), ~np.eye(workers, dtype=bool))


@pytest.mark.parametrize("workers", [*range(OTHERS + 2, 60), 100, 501])
def test_of_many_each_is_compared_with_a_few_and_with_all_over_a_few_steps(workers: int):
    compared = compared_with(workers)
    assert np.array_equal(compared, compared.T) and not compared.diagonal().any()
    assert compared.sum(axis=1).max() <= OTHERS and compared.sum(axis=1).min() >= OTHERS - 1
    reached, steps = compared | np.eye(workers, dtype=bool), 1
    while not reached.all():
        reached, steps = (reached.astype(int) @ compared > 0) | reached, steps + 1
    assert steps <= 2 + workers // 10


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_share_of_two_groups_that_is_compared_is_that_of_their_pairs(workers: int, seed: int):
    rng = np.random.default_rng(seed)
    block = stack([Tracks(0, 1)] * workers, 0, 1)
    one, other = (np.flatnonzero(rng.random(workers) < 0.4).tolist() for _ in range(2))
    pairs = [(i, j) for i in one for j in other if i != j]
    naive = np.mean([block.compared[i, j] for i, j in pairs]) if pairs else 1.0
    assert block.share_compared(one, other) == pytest.approx(naive)


@settings(max_examples=15, deadline=None)
@given(st.integers(OTHERS + 2, 18), st.integers(0, 2**32 - 1))
def test_what_many_drew_alike_is_one_object_that_their_order_moves_less_than_they_err(workers: int, seed: int):
    rng = np.random.default_rng(seed)
    paths = np.array([[100.0, 100, 150, 200], [135, 110, 185, 210], [400, 90, 440, 190]])
    given, boxes = [], [[] for _ in paths]
    for w in range(workers):
        kept = [k for k in range(len(paths)) if rng.random() < 0.9]
        drawn = [make_track(str(k), "car", [0, 39], [paths[k] + rng.normal(0, 2, 4)] * 2) for k in kept]
        for k, track in zip(kept, drawn, strict=True):
            boxes[k].append(track.points[0])
        given.append(Submission(f"s{w:02}", f"w{w}", Tracks(0, 40, tuple(drawn))))
    assume(all(2 * len(own) >= workers for own in boxes))  # the quorum, which chance misses once in a thousand crowds
    made = make_consensus(given, 0, 40)
    found = fill(made.tracks.tracks, 0, 40)
    assert len(found.ids) == 3
    for own in boxes:  # their mean: how far that is from the path is chance
        assert max(iou_aligned(np.mean(own, axis=0)[None], one).min() for one in found.boxes) > 0.9
    places = rng.permutation(workers).tolist()
    turned = make_consensus([replace(s, id=f"s{at:02}") for s, at in zip(given, places, strict=True)], 0, 40)
    assert np.abs(fill(turned.tracks.tracks, 0, 40).boxes - found.boxes).max() < 2  # px, as one worker errs


def test_those_who_drew_one_thing_and_were_never_compared_have_one_voice():
    path = np.array([[100.0, 100, 150, 200]] * 2)
    track = make_track("1", "car", [0, 39], path)
    drew = (1, 3, 5, 6, 8, 10, 13, 15)  # of sixteen: in two groups between which nobody is compared
    given = [Submission(f"s{w:02}", f"w{w}", Tracks(0, 40, (track,) if w in drew else ())) for w in range(16)]
    (made,) = make_consensus(given, 0, 40).tracks.tracks
    assert made.support == tuple(f"s{w:02}" for w in drew)


def crowded(people: int, workers: int, frames: int) -> list[Tracks]:
    """What some draw of people who stand in one place."""
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 200, (people, 2))
    out = []
    for _ in range(workers):
        boxes = np.concatenate([corners, corners + (40, 90)], axis=1) + rng.normal(0, 3, (people, 4))
        tracks = (make_track(str(k), "person", [0, frames - 1], [box] * 2) for k, box in enumerate(boxes))
        out.append(Tracks(0, frames, tuple(tracks)))
    return out


def test_overlaps_are_those_of_all_pairs_and_so_are_the_clusters_of_their_boxes(monkeypatch):
    monkeypatch.setattr("review.core.stacking.AT_ONCE", 100)
    drawn = crowded(9, 3, 12)
    block = stack(drawn, 0, 12)
    every = overlaps_among([fill(block.tracks[at : at + 9], 0, 12) for at in (0, 9, 18)], np.triu(block.compared))
    for name in ("left", "right", "frame"):
        assert np.array_equal(getattr(block.overlap, name), getattr(every, name))
    assert np.array_equal(block.overlap.iou, np.round(every.iou, 9))
    member = np.random.default_rng(2).integers(-1, 50, block.present.shape)
    assert len(every.iou) > 300
    for side, tracks in zip(block.sides(member), (every.left, every.right), strict=True):
        assert np.array_equal(side, member[tracks, every.frame])


def test_a_dense_crowd_is_clustered_in_seventy_bytes_an_overlap():
    block = stack(crowded(60, 9, 24), 0, 24)
    cluster(stack(crowded(3, 3, 10), 0, 10), np.ones(3))  # what is imported late is no part of it
    tracemalloc.start()
    try:
        cluster(block, np.ones(9))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 70 * len(block.overlap.iou)
