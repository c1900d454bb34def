"""How well one course goes on in another, against loops over every frame of every track."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Tracks, make_track
from review.core import coursing
from review.core.coursing import MOST, SCALES, course_breaks
from review.core.stacking import Stack, stack

FRAMES = 40


def walked(rng: np.random.Generator, people: int, workers: int) -> Stack:
    """What some draw of people who walk, each there for a while."""
    drawn = []
    for _ in range(workers):
        tracks = []
        for k in range(people):
            first, last = sorted(rng.choice(FRAMES, 2, replace=False).tolist())
            corners = rng.uniform(0, 300, 2) + np.outer([0, last - first], rng.normal(0, 3, 2))
            boxes = np.concatenate([corners, corners + rng.uniform(0.5, 60, (2, 2))], axis=1)
            gone = [np.full(4, np.nan)] if last + 1 < FRAMES else []
            frames = [first, last, *([last + 1] if gone else [])]
            tracks.append(
                make_track(f"t{k}", "car", frames, [*boxes, *gone], outside=[False, False, True][: len(frames)])
            )
        drawn.append(Tracks(0, FRAMES, tuple(tracks)))
    return stack(drawn, 0, FRAMES)


def naive_course(block: Stack, member: np.ndarray, k: int, frame: int, scale: tuple[int, int], early: bool):
    """Time, centre, velocity and size of a cluster before or after a frame; None if it is hardly there."""
    slack, window = block.frames(scale[0]), block.frames(scale[1], 3)
    first = frame - slack - window if early else frame + slack
    seen = []
    for at in range(max(0, first), min(FRAMES, first + window)):
        boxes = [block.boxes[t, at] for t in range(len(member)) if member[t, at] == k]
        if boxes:
            x1, y1, x2, y2 = np.mean(boxes, axis=0)
            seen.append((at, (x1 + x2) / 2, (y1 + y2) / 2, max(x2 - x1, 1.0), max(y2 - y1, 1.0)))
    if len(seen) < 3:
        return None
    when, *rest = np.mean(seen, axis=0)
    pace = [np.polyfit([s[0] - when for s in seen], [s[axis] for s in seen], 1)[0] for axis in (1, 2)]
    return when, np.array(rest[:2]), np.array(pace), np.array(rest[2:])


def naive_break(block: Stack, member: np.ndarray, ways: tuple[int, int], event: np.ndarray, usual: np.ndarray) -> float:
    """Of one cluster that goes on in another: the mean over the scales at which both are known."""
    told = []
    for scale, unit in zip(SCALES, usual, strict=True):
        one, other = (
            naive_course(block, member, k, int(frame), scale, early)
            for k, frame, early in zip(ways, event, (True, False), strict=True)
        )
        if one is None or other is None:
            continue
        gap, side = other[0] - one[0], np.sqrt(one[3] * other[3])
        place = (one[1] + gap / 2 * one[2] - other[1] + gap / 2 * other[2]) / side
        off = [place, gap * (one[2] - other[2]) / side, np.log(one[3] / other[3])]
        errors = np.array([float((each**2).sum()) for each in off])
        told.append(min(MOST, float(np.log1p(errors / unit**2).sum())))
    return float(np.mean(told)) if told else np.nan


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.sampled_from([1, 40, coursing.AT_ONCE]))
def test_breaks_are_those_of_every_cluster_by_itself_however_many_are_looked_at_at_once(seed, people, workers, at_once):
    rng = np.random.default_rng(seed)
    block = walked(rng, people, workers)
    named = rng.integers(0, 4, (len(block.tracks), 3)).repeat([15, 10, 15], axis=1)
    member = np.where(block.present, named, -1)
    clusters = np.array([[0, 1, 2, 3], [3, 1, 0, 2]])
    events = np.sort(rng.integers(0, FRAMES, (2, 2)), axis=1)
    usual = rng.uniform(0.05, 0.5, (len(SCALES), 3))
    usually, coursing.AT_ONCE = coursing.AT_ONCE, at_once
    try:
        found = course_breaks(block, np.arange(len(member)), member, clusters, events, usual)
    finally:
        coursing.AT_ONCE = usually
    want = [
        [[naive_break(block, member, (i, j), event, usual) for j in row] for i in row]
        for row, event in zip(clusters.tolist(), events, strict=True)
    ]
    assert np.allclose(found, want, rtol=1e-7, atol=1e-9, equal_nan=True)


def test_where_hundreds_meet_at_once_their_courses_take_little_memory():
    rng = np.random.default_rng(1)
    block = walked(rng, 400, 2)
    member = np.where(block.present, np.arange(len(block.tracks))[:, None] % 400, -1)
    usual = np.full((len(SCALES), 3), 0.2)
    tracemalloc.start()
    try:
        course_breaks(block, np.arange(len(member)), member, np.arange(400)[None], np.array([[18, 22]]), usual)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6
