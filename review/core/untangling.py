"""Which of two objects is which after they met, where workers differ.

Idea: clusters say which boxes belong together on each frame, but not who is who across a frame on which some tracks
change their cluster: either these workers confused two objects, or the others did. Both stories are weighed: each
worker who would have been wrong counts against a story, and so does motion that would have to break (objects keep
their course and size; two who exchange their places on paper do not).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.tracks import Floats, Ints
from review.core.stacking import Stack

RUN = 5  # frames on either side that a track must spend in its clusters for a change to count
NEAR = 15  # frames within which changes between the same two clusters are one event
RIGHT = 2.2  # log odds that a worker does not confuse two who meet: nine in ten
SLACK = 6  # frames on either side of an event that say nothing: keyframes blend one object into the other
WINDOW = 12  # frames on either side of those from which course and size are read
OFF_COURSE = 0.25  # usual error of a course, as a share of the side
OFF_SIZE = 0.15  # and of the logarithm of a size
MOST = 6.0  # the most that motion can say


@dataclass(frozen=True, slots=True)
class _Change:
    """A track that goes from one cluster to another at a frame."""

    track: int
    frame: int
    before: int
    after: int


def untangle(stack: Stack, member: Ints, weights: Floats) -> Ints:
    """Clusters (t, n) in which of every two that were confused the likelier story holds."""
    strength = weights / weights.mean()
    for event in _events(member):
        member = _settle(stack, member, event, strength)
    return member


def _events(member: Ints) -> list[list[_Change]]:
    """Changes between the same two clusters near each other in time, by frame."""
    found = sorted(_changes(member), key=lambda c: (min(c.before, c.after), max(c.before, c.after), c.frame, c.track))
    events: list[list[_Change]] = []
    for change in found:
        last = events[-1][-1] if events else None
        same = last is not None and {last.before, last.after} == {change.before, change.after}
        if last is not None and same and change.frame - last.frame <= NEAR:
            events[-1].append(change)
        else:
            events.append([change])
    return sorted(events, key=lambda e: (e[0].frame, e[0].track))


def _changes(member: Ints) -> list[_Change]:
    out = []
    for track in np.flatnonzero(_moves(member)).tolist():
        there = np.flatnonzero(member[track] >= 0)
        path = member[track, there]
        starts = np.concatenate([[0], np.flatnonzero(np.diff(path)) + 1])
        lengths = np.diff(np.append(starts, len(path)))
        for i in range(1, len(starts)):
            if min(lengths[i - 1], lengths[i]) >= RUN:
                at = starts[i]
                out.append(_Change(track, int(there[at]), int(path[at - 1]), int(path[at])))
    return out


def _moves(member: Ints) -> np.ndarray:
    """Which tracks are in more than one cluster, (t,)."""
    high = member.max(axis=1)
    return (np.where(member >= 0, member, high[:, None]) != high[:, None]).any(axis=1)


def _settle(stack: Stack, member: Ints, event: Sequence[_Change], strength: Floats) -> Ints:
    """The clusters with the two of an event exchanged from there on, if that is the likelier story."""
    one, two = event[0].before, event[0].after
    frame = int(np.median([c.frame for c in event]))
    changed = {int(stack.owners[c.track]) for c in event}
    kept = {int(stack.owners[t]) for t in _keepers(member, one, two, frame)} - changed
    votes = RIGHT * (sum(strength[o] for o in changed) - sum(strength[o] for o in kept))
    score = votes + _motion(stack, member, one, two, frame)
    if score <= 1e-9:
        return member
    out = member.copy()
    own = {c.track: c.frame for c in event}
    for track in range(len(member)):
        late = slice(own.get(track, frame), None)
        path = member[track, late]
        out[track, late] = np.where(path == one, two, np.where(path == two, one, path))
    return out


def _keepers(member: Ints, one: int, two: int, frame: int) -> Ints:
    """Tracks that are in one of two clusters before and after a frame without changing."""
    before, after = member[:, max(0, frame - NEAR) : frame], member[:, frame : frame + NEAR]
    same = [((before == k).any(axis=1) & (after == k).any(axis=1)) for k in (one, two)]
    other = [((before == k).any(axis=1) | (after == k).any(axis=1)) for k in (two, one)]
    return np.flatnonzero((same[0] & ~other[0]) | (same[1] & ~other[1]))


def _motion(stack: Stack, member: Ints, one: int, two: int, frame: int) -> float:
    """How much likelier the courses are with the two exchanged than as they are, as log odds."""
    early = slice(max(0, frame - SLACK - WINDOW), max(0, frame - SLACK))
    late = slice(frame + SLACK, frame + SLACK + WINDOW)
    before = [_course(stack, member, k, early) for k in (one, two)]
    after = [_course(stack, member, k, late) for k in (one, two)]
    straight = [_break(b, a) for b, a in zip(before, after, strict=True)]
    crossed = [_break(b, a) for b, a in zip(before, reversed(after), strict=True)]
    if any(np.isnan([*straight, *crossed])):
        return 0.0
    return float(np.clip((sum(straight) - sum(crossed)) / 2, -MOST, MOST))


def _course(stack: Stack, member: Ints, k: int, frames: slice) -> Floats | None:
    """Where a cluster is (frame, centre, velocity, size: 7 numbers), None where it is hardly there."""
    inside = member[:, frames] == k
    at = np.flatnonzero(inside.any(axis=0))
    if len(at) < 3:
        return None
    boxes = np.where(inside[..., None], stack.boxes[:, frames], 0.0).sum(axis=0)[at] / inside.sum(axis=0)[at, None]
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    slope = np.polyfit(at, centre, 1)[0]
    return np.concatenate([[at.mean() + (frames.start or 0)], centre.mean(axis=0), slope, size.mean(axis=0)])


def _break(before: Floats | None, after: Floats | None) -> float:
    """How badly a course goes on in another: squared errors in units of the usual ones; NaN where one is unknown."""
    if before is None or after is None:
        return float("nan")
    gap = after[0] - before[0]
    side = np.sqrt(before[5:] * after[5:])
    ahead = (before[1:3] + gap * before[3:5] - after[1:3]) / side
    back = (after[1:3] - gap * after[3:5] - before[1:3]) / side
    off = (ahead**2 + back**2).sum() / 2 / OFF_COURSE**2
    return float(off + (np.log(before[5:] / after[5:]) ** 2).sum() / OFF_SIZE**2)
