"""How well one stretch of an object's way goes on in another: place, pace and size, on both sides of an event.

Idea: objects keep course and size; two who exchange their places on paper do not. What a break means depends on the
video: a camera that shakes or few frames a second make every course break, so breaks are measured in units of those
that this segment shows where nobody doubts who is who. Two scales are averaged, as far as they are known: a short one
that reaches near a segment's ends, and a longer one that keyframes blend less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.core.tracks import Floats, Ints
from review.core.stacking import Stack

# Frames on either side of an event that say nothing (keyframes blend one object into the other), and frames beyond
# those from which course and size are read.
SCALES = ((3, 4), (6, 6))
USUAL = (0.17, 0.3, 0.14)  # errors of place and pace as shares of the side, of log size, before anything was seen
PRIOR = 10  # how many looks at undisturbed courses that is worth
EVERY = 10  # frames between such looks
STRAIGHTEST = 0.02  # and no course is straighter than that
MOST = 14.0  # what a break counts at most
TO_MEDIAN = 1.386  # median of the sum of two squared errors of variance one


def course_breaks(
    stack: Stack, member: Ints, clusters: Sequence[int], frames: tuple[int, int], usual: Floats
) -> Floats:
    """How badly each cluster before the first of two frames goes on in each one from the second on, (k, k).

    `member` (t, n) holds clusters, `usual` is of `usual_errors`. A break is at most `MOST`; NaN where one is unknown.
    """
    first, last = frames
    out = []
    for scale, unit in zip(SCALES, usual, strict=True):
        before = [_course(stack, member, k, first, scale, early=True) for k in clusters]
        after = [_course(stack, member, k, last, scale, early=False) for k in clusters]
        out.append([[_break(b, a, unit) for a in after] for b in before])
    found = np.array(out)
    known = ~np.isnan(found)
    total, count = np.where(known, found, 0.0).sum(axis=0), known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def usual_errors(stack: Stack, member: Ints) -> Floats:
    """Errors of place, pace and size by scale, (s, 3), of the clusters of which no track leads to another."""
    high = member.max(axis=1, initial=-1)
    moves = (np.where(member >= 0, member, high[:, None]) != high[:, None]).any(axis=1)
    simple = np.where(np.isin(member, np.unique(member[moves])), -1, member)
    seen: list[list[Floats]] = [[np.array(USUAL) ** 2 * TO_MEDIAN] * PRIOR for _ in SCALES]
    for k in np.unique(simple[simple >= 0]).tolist():
        for some, scale in zip(seen, SCALES, strict=True):
            some.extend(_looks(stack, simple, k, scale))
    middle = np.array([np.median(np.stack(rows), axis=0) for rows in seen])
    return np.maximum(np.sqrt(middle / TO_MEDIAN), STRAIGHTEST)


def _looks(stack: Stack, member: Ints, k: int, scale: tuple[int, int]) -> list[Floats]:
    """Errors of one cluster's course every so many frames."""
    at = np.flatnonzero((member == k).any(axis=0))
    out = []
    for frame in range(int(at[0]) + sum(scale), int(at[-1]) + 2 - sum(scale), EVERY):
        before, after = (_course(stack, member, k, frame, scale, early=early) for early in (True, False))
        if before is not None and after is not None:
            out.append(_errors(before, after))
    return out


def _course(stack: Stack, member: Ints, k: int, frame: int, scale: tuple[int, int], *, early: bool) -> Floats | None:
    """Where a cluster is before or after a frame (time, centre, velocity, size: 7 numbers), None if hardly there."""
    slack, window = scale
    late = slice(frame + slack, frame + slack + window)
    frames = slice(max(0, frame - slack - window), max(0, frame - slack)) if early else late
    inside = member[:, frames] == k
    at = np.flatnonzero(inside.any(axis=0))
    if len(at) < 3:
        return None
    boxes = np.where(inside[..., None], stack.boxes[:, frames], 0.0).sum(axis=0)[at] / inside.sum(axis=0)[at, None]
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    time = (at - at.mean())[:, None]
    slope = (time * centre).sum(axis=0) / (time**2).sum()
    return np.concatenate([[at.mean() + (frames.start or 0)], centre.mean(axis=0), slope, size.mean(axis=0)])


def _break(before: Floats | None, after: Floats | None, usual: Floats) -> float:
    if before is None or after is None:
        return float("nan")
    return min(MOST, float(np.log1p(_errors(before, after) / usual**2).sum()))


def _errors(before: Floats, after: Floats) -> Floats:
    """Squared errors of place and pace in sides, and of log size, if one course is the other's continuation, (3,)."""
    gap = after[0] - before[0]
    side = np.sqrt(before[5:] * after[5:])
    place = (before[1:3] + gap / 2 * before[3:5] - after[1:3] + gap / 2 * after[3:5]) / side
    pace = gap * (before[3:5] - after[3:5]) / side
    size = np.log(before[5:] / after[5:])
    return np.array([(off**2).sum() for off in (place, pace, size)])
