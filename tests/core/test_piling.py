"""What one worker heaped up in one place."""

from __future__ import annotations

import numpy as np
import pytest

from annotation.core.piling import FEW, MOST, heaped
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
