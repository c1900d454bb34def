"""How well one stretch of an object's way goes on in another: place, pace and size, on both sides of an event.

Idea: objects keep course and size; two who exchange their places on paper do not. What a break means depends on the
video: a camera that shakes or few frames a second make every course break, so breaks are measured in units of those
that this segment shows where nobody doubts who is who. Two scales are averaged, as far as they are known: a short one
that reaches near a segment's ends, and a longer one that keyframes blend less.
"""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Bools, Floats, Ints
from review.core.membership import Members
from review.core.stacking import Stack

# Frames on either side of an event that say nothing (keyframes blend one object into the other), and frames beyond
# those from which course and size are read.
SCALES = ((3, 4), (6, 6))
USUAL = (0.17, 0.3, 0.14)  # errors of place and pace as shares of the side, of log size, before anything was seen
PRIOR = 10  # how many looks at undisturbed courses that is worth
EVERY = 10  # frames between such looks
STRAIGHTEST = 0.02  # and no course is straighter than that
MOST = 14.0  # what a break counts at most
AT_ONCE = 1 << 18  # boxes that are held in memory at once: where hundreds meet, all of theirs are looked at for each
TO_MEDIAN = 1.386  # median of the sum of two squared errors of variance one


def course_breaks(stack: Stack, tracks: Ints, member: Ints, clusters: Ints, events: Ints, usual: Floats) -> Floats:
    """How badly each cluster before the first frame of an event goes on in each one from its second on, (e, k, k).

    `member` (r, n) holds the clusters of `tracks` (r,), which are all in any of `clusters` (e, k), those of each event;
    `events` (e, 2) are their two frames, `usual` is of `usual_errors`. A break is at most `MOST`; NaN where one is
    unknown.
    """
    k = clusters.shape[1]
    first, last = (np.repeat(frames, k) for frames in events.T)
    out = []
    for scale, unit in zip(_scales(stack), usual, strict=True):
        before = _courses(stack, tracks, member, clusters.ravel(), first, scale, early=True).reshape(-1, k, 1, 7)
        after = _courses(stack, tracks, member, clusters.ravel(), last, scale, early=False).reshape(-1, 1, k, 7)
        out.append(np.minimum(MOST, np.log1p(_errors(before, after) / unit**2).sum(axis=-1)))
    found = np.array(out)
    known = ~np.isnan(found)
    total, count = np.where(known, found, 0.0).sum(axis=0), known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _scales(stack: Stack) -> list[tuple[int, int]]:
    return [(stack.frames(slack), stack.frames(window, 3)) for slack, window in SCALES]


def usual_errors(stack: Stack, member: Ints) -> Floats:
    """Errors of place, pace and size by scale, (s, 3), of the clusters of which no track leads to another."""
    simple = np.where(np.isin(member, np.unique(member[moves(member)])), -1, member)
    seen: list[list[Floats]] = [[np.tile(np.array(USUAL) ** 2 * TO_MEDIAN, (PRIOR, 1))] for _ in SCALES]
    found = Members(simple)
    for k in np.unique(simple[simple >= 0]).tolist():
        tracks = found.tracks([k])
        for some, scale in zip(seen, _scales(stack), strict=True):
            some.append(_looks(stack, tracks, simple[tracks], k, scale))
    middle = np.array([np.median(np.concatenate(rows), axis=0) for rows in seen])
    return np.maximum(np.sqrt(middle / TO_MEDIAN), STRAIGHTEST)


def moves(member: Ints) -> Bools:
    """Which tracks (t, n) are in more than one cluster, (t,)."""
    high = member.max(axis=1, initial=-1)[:, None]
    return np.any(np.where(member >= 0, member, high) != high, axis=1)


def _looks(stack: Stack, tracks: Ints, member: Ints, k: int, scale: tuple[int, int]) -> Floats:
    """Errors of one cluster's course every so many frames, (l, 3); `member` (r, n) is of the `tracks` in it."""
    at = np.flatnonzero((member == k).any(axis=0))
    frames = np.arange(int(at[0]) + sum(scale), int(at[-1]) + 2 - sum(scale), EVERY)
    clusters = np.full(len(frames), k)
    before, after = (_courses(stack, tracks, member, clusters, frames, scale, early=early) for early in (True, False))
    errors = _errors(before, after)
    return errors[~np.isnan(errors).any(axis=1)]


def _courses(
    stack: Stack, tracks: Ints, member: Ints, clusters: Ints, frames: Ints, scale: tuple[int, int], *, early: bool
) -> Floats:
    """Where some clusters are before or after a frame each: time, centre, velocity, size, (m, 7); NaN if hardly there.

    `clusters` and `frames` are (m,), `member` (r, n) is of all `tracks` (r,) in those.
    """
    some = max(1, AT_ONCE // max(1, len(tracks) * scale[1]))
    parts = (slice(at, at + some) for at in range(0, max(1, len(frames)), some))
    found = [_some_courses(stack, tracks, member, clusters[p], frames[p], scale, early=early) for p in parts]
    return np.concatenate(found)


def _some_courses(
    stack: Stack, tracks: Ints, member: Ints, clusters: Ints, frames: Ints, scale: tuple[int, int], *, early: bool
) -> Floats:
    slack, window = scale
    at = (frames - slack - window if early else frames + slack)[:, None] + np.arange(window)
    place = np.clip(at, 0, member.shape[1] - 1)
    inside = (member[:, place] == clusters[:, None]) & (at == place)
    count = inside.sum(axis=0)
    there = count > 0
    known = there.sum(axis=1)[:, None]
    drawn = stack.boxes[tracks[:, None, None], place]
    boxes = np.where(inside[..., None], drawn, 0.0).sum(axis=0) / np.maximum(count, 1)[..., None]
    centre, size = (boxes[..., :2] + boxes[..., 2:]) / 2, np.maximum(boxes[..., 2:] - boxes[..., :2], 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        when = np.where(there, at, 0).sum(axis=1, keepdims=True) / known
        time = np.where(there, at - when, 0.0)[..., None]
        slope = (time * centre).sum(axis=1) / (time**2).sum(axis=1)
        middles = [np.where(there[..., None], a, 0.0).sum(axis=1) / known for a in (centre, size)]
    return np.where(known >= 3, np.concatenate([when, middles[0], slope, middles[1]], axis=1), np.nan)


def _errors(before: Floats, after: Floats) -> Floats:
    """Squared errors of place and pace in sides, and of log size, if one course is the other's continuation.

    (…, 7) each, broadcast against each other, → (…, 3).
    """
    gap = after[..., :1] - before[..., :1]
    side = np.sqrt(before[..., 5:] * after[..., 5:])
    place = (before[..., 1:3] + gap / 2 * before[..., 3:5] - after[..., 1:3] + gap / 2 * after[..., 3:5]) / side
    pace = gap * (before[..., 3:5] - after[..., 3:5]) / side
    size = np.log(before[..., 5:] / after[..., 5:])
    return np.stack([(off**2).sum(axis=-1) for off in (place, pace, size)], axis=-1)
