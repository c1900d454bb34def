"""What one worker heaped up in one place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.piling import FEW, LOOKS, MOST, heaped
from annotation.core.tracks import Track, Tracks, make_track
from review.core.consensus import Submission, make_consensus


def tracks(lefts, first: int = 0) -> tuple[Track, ...]:
    return tuple(make_track(f"t{k}", "car", [first], [[x, 0, x + 40, 60]]) for k, x in enumerate(lefts))


def test_of_a_heap_a_few_are_kept_and_of_a_crowd_everybody():
    heap, row = np.full(50, 5.0), np.arange(50) * 20.0  # half a box apart
    for lefts, left_out in ((heap, 50 - MOST), (row, 0), (np.concatenate([row, heap + 3000]), 50 - MOST)):
        boxes = np.stack([[[x, 0, x + 40, 60]] * 30 for x in lefts]).astype(float)
        assert heaped(boxes, np.ones(boxes.shape[:2], bool)).sum() == left_out


def test_who_is_elsewhere_at_some_time_is_no_part_of_a_heap():
    boxes = np.tile(np.array([0.0, 0, 40, 60]), (40, 100, 1))
    boxes[-1, 50:] += 500
    assert heaped(boxes, np.ones((40, 100), bool)).tolist() == [False] * MOST + [True] * (39 - MOST) + [False]


def test_among_few_tracks_no_heap_is_looked_for():
    assert not heaped(np.tile(np.array([0.0, 0, 40, 60]), (FEW, 100, 1)), np.ones((FEW, 100), bool)).any()


@pytest.mark.parametrize("heapers", [1, 2])
def test_a_heap_of_hundreds_neither_stops_a_consensus_nor_changes_what_others_drew(heapers: int):
    honest = tracks(np.arange(5) * 100.0)
    heap = tracks(2000 + np.arange(400) * 0.01)
    crowd = [heap] * heapers + [honest, honest]
    given = [Submission(str(w), f"w{w}", Tracks(0, 300, own)) for w, own in enumerate(crowd)]
    made = make_consensus(given, 0, 300)
    found = sorted(t.points[0, 0] for t in made.tracks.tracks if t.points[0, 0] < 1000)
    assert found == pytest.approx([0.0, 100.0, 200.0, 300.0, 400.0])
    assert sum(t.points[0, 0] >= 1000 for t in made.tracks.tracks) <= 2 * MOST * (heapers - 1)


def naive(boxes: np.ndarray, present: np.ndarray) -> list[bool]:
    """Every look at every track: its octave and cell, and how many before it are in the same one."""
    tracks, frames = present.shape
    looks: list[list[bool]] = [[] for _ in range(tracks)]
    for frame in range(0, frames, max(1, frames // LOOKS)):
        seen: dict[tuple[int, ...], int] = {}
        for track in range(tracks):
            if present[track, frame]:
                x1, y1, x2, y2 = boxes[track, frame].tolist()
                sides = [round(math.log2(max(side, 1e-9))) for side in (x2 - x1, y2 - y1)]
                middle = [(x1 + x2) / 2, (y1 + y2) / 2]
                place = (*sides, *(math.floor(at / 2.0**side) for at, side in zip(middle, sides, strict=True)))
                looks[track].append(seen.get(place, 0) >= MOST)
                seen[place] = seen.get(place, 0) + 1
    return [tracks > FEW and bool(own) and all(own) for own in looks]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1.0, 40.0, 1e5]))
def test_who_is_in_a_heap_is_whoever_has_many_before_it_at_every_look(seed: int, side: float):
    rng = np.random.default_rng(seed)
    t, n = rng.integers(0, 60), rng.integers(0, 100)
    away = rng.choice([0, side], (t, n, 2), p=[0.99, 0.01])
    corner = side * rng.choice([0.0, 0.3, -8.0], (t, 1, 2), p=[0.5, 0.4, 0.1]) + away
    boxes = np.concatenate([corner, corner + side * rng.choice([0.9, 1.0, 2.9], (t, 1, 2), p=[0.3, 0.6, 0.1])], axis=2)
    present = rng.random((t, n)) < rng.choice([0.0, 0.1, 1.0], (t, 1), p=[0.1, 0.2, 0.7])
    assert heaped(np.where(present[..., None], boxes, np.nan), present).tolist() == naive(boxes, present)
