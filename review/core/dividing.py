"""Clusters that hold one object's end and another's beginning, cut where nobody leads across.

Idea: a few frames on which the late end of one drawing lies on the early start of another are enough to put two
objects into one cluster. At every frame the workers are asked: who follows one thing across it, and whose drawing ends
there while the cluster goes on, or begins there while it was there before? Where more say that it ends than that it
goes on, it ends. Whose drawing goes on in another cluster was asked by `untangling` or `mending` and has no say here:
where they handed an object over from some drawings to others, that nobody leads across means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.core.tracks import Bools, Floats, Ints
from review.core.stacking import Stack

LEAST = 5  # frames on either side of a cut, for who leads across and for what is left
NEAR = 15  # frames from a cut within which a drawing that ends or begins speaks about it


def divide(stack: Stack, member: Ints, weights: Floats) -> Ints:
    """Clusters (t, n), those that most say are two objects, one after the other, cut in two."""
    member = member.copy()
    left = list(range(int(member.max(initial=-1)) + 1))
    while left:
        k = left.pop()
        rows = np.flatnonzero((member == k).any(axis=1))
        frame = _cut(stack, member, k, rows, weights) if len(rows) > 1 else None
        if frame is not None:
            late = _late(member == k, rows, frame, stack.frames(LEAST, 2))
            if late.any() and (late != (member == k)).any():  # else every drawing is hardly on one of the sides
                fresh = int(member.max()) + 1
                member[late] = fresh
                left += [k, fresh]
    return member


def _cut(stack: Stack, member: Ints, k: int, rows: Ints, weights: Floats) -> int | None:
    """The frame before which a cluster should be cut, None if it holds together."""
    here, least = member[rows] == k, stack.frames(LEAST, 2)
    n = here.shape[1]
    known = np.flatnonzero(here.any(axis=0))
    first, last = here.argmax(axis=1), n - 1 - here[:, ::-1].argmax(axis=1)
    frames = np.arange(known[0] + least, known[-1] + 2 - least)
    if not len(frames) or not len(np.unique(first)) > 1:
        return None
    leads = (first[:, None] <= frames - least) & (last[:, None] >= frames + least - 1)
    stops = _stops(stack, rows, here, first, last, frames)
    # An object that is there for a few frames has no drawing that could lead across by more.
    leads |= stops.brief
    owners = stack.owners[rows]
    across, against = np.zeros(len(frames)), np.zeros(len(frames))
    for owner in np.unique(owners):
        mine = owners == owner
        follows = leads[mine].any(axis=0)
        across += weights[owner] * follows
        against += weights[owner] * (~follows & stops.ends[mine].any(axis=0) & stops.begins[mine].any(axis=0))
    margin = np.where((across > 0) | stops.handed, against - across, np.inf)
    best = int(margin.argmax())
    if margin[best] <= 1e-9:
        return None
    top = np.flatnonzero(margin >= margin[best])
    crossing = [int((here[:, f - 1] & here[:, f]).sum()) for f in frames[top]]
    fewest = top[np.flatnonzero(np.array(crossing) == min(crossing))]
    return int(frames[fewest[len(fewest) // 2]])


@dataclass(frozen=True, eq=False, slots=True)
class _Stops:
    """What drawings do at some frames: which end before each, begin after it, or are brief and lie across it, (r, f);
    and where some go on in another cluster and others came from one, (f,): there the object was handed over."""

    ends: Bools
    begins: Bools
    brief: Bools
    handed: Bools


def _stops(stack: Stack, rows: Ints, here: Bools, first: Ints, last: Ints, frames: Ints) -> _Stops:
    """An end or a beginning is near its frame, and not another cluster's beginning or end."""
    away = stack.present[rows] & ~here
    at = np.arange(here.shape[1])
    goes_on = np.any(away & (at > last[:, None]), axis=1)
    came = np.any(away & (at < first[:, None]), axis=1)
    least, near = stack.frames(LEAST, 2), stack.frames(NEAR, 3)
    ends = (last[:, None] < frames + least - 1) & (frames - last[:, None] <= near)
    begins = (first[:, None] > frames - least) & (first[:, None] - frames < near)
    handed = (ends & goes_on[:, None]).any(axis=0) & (begins & came[:, None]).any(axis=0)
    before, after = first[:, None] < frames, last[:, None] >= frames
    both = ends & begins  # so short that it is on one side, or lies across
    ends, begins = ends & ~(both & after), begins & ~(both & before)
    return _Stops(ends & ~goes_on[:, None], begins & ~came[:, None], both & before & after, handed)


def _late(here: Bools, rows: Ints, frame: int, least: int) -> Bools:
    """What of a cluster (t, n) comes after a frame; a drawing that is hardly on one side goes to the other whole."""
    late = np.zeros(here.shape, bool)
    for row in rows.tolist():
        at = np.flatnonzero(here[row])
        before, after = int((at < frame).sum()), int((at >= frame).sum())
        if min(before, after) < least:
            at = at if after > before else at[:0]
        else:
            at = at[at >= frame]
        late[row, at] = True
    return late
