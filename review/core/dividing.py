"""Clusters that hold one object's end and another's beginning, cut where nobody leads across.

Idea: a few frames on which the late end of one drawing lies on the early start of another are enough to put two objects
into one cluster. At every frame the workers are asked: who follows one thing across it, and whose drawing ends there
while the cluster goes on, or begins there while it was there before? Where more say that it ends than that it goes on,
it ends. A worker who ends one drawing and begins another where that was going follows one thing, too; who does so after
a while, since it was hidden, does not speak against those who lead across by one drawing. Whose drawing goes on in
another cluster was asked by `untangling` or `mending` and has no say here: where they handed an object over from some
drawings to others, that nobody leads across means nothing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Floats, Ints
from review.core.stacking import Stack

LEAST = 5  # frames on either side of a cut, for who leads across and for what is left
GAP = 2  # frames from the end of a worker's drawing to the beginning of the next one that goes on with it
SAME = 0.6  # IoU, in the middle of that, of where the one was going and where the other came from
RESUMED = 0.4  # the same, of one that goes on after a while, where another one leads across
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
    groups, single = _continued(stack, here, rows), here
    boxes = [np.where(here[g][..., None], stack.boxes[rows[g]], 0.0).sum(axis=0) for g in groups]
    here = np.stack([here[g].any(axis=0) for g in groups])
    there = np.stack([stack.present[rows[g]].any(axis=0) for g in groups])
    owners = stack.owners[rows[[g[0] for g in groups]]]
    n = here.shape[1]
    known = np.flatnonzero(here.any(axis=0))
    first, last = here.argmax(axis=1), n - 1 - here[:, ::-1].argmax(axis=1)
    frames = np.arange(known[0] + least, known[-1] + 2 - least)
    if not len(frames) or not len(np.unique(first)) > 1:
        return None
    leads = _leads(here, frames, least)
    stops = _stops(stack, there & ~here, first, last, frames)
    # An object that is there for a few frames has no drawing that could lead across by more.
    leads |= stops.brief
    across, against = np.zeros((2, len(frames)))
    in_one = _leads(single, frames, least).any(axis=0)
    for owner in np.unique(owners):
        mine = np.flatnonzero(owners == owner)
        follows = leads[mine].any(axis=0)
        resumes = in_one & _resumes(stack, boxes, here, mine, stops)
        parts = ~(follows | resumes) & stops.ends[mine].any(axis=0) & stops.begins[mine].any(axis=0)
        across += weights[owner] * follows
        against += weights[owner] * parts
    margin = np.where((across > 0) | stops.handed, against - across, np.inf)
    best = int(margin.argmax())
    if margin[best] <= 1e-9:
        return None
    top = np.flatnonzero(margin >= margin[best])
    crossing = [int((here[:, f - 1] & here[:, f]).sum()) for f in frames[top]]
    fewest = top[np.flatnonzero(np.array(crossing) == min(crossing))]
    return int(frames[fewest[len(fewest) // 2]])


def _leads(here: Bools, frames: Ints, least: int) -> Bools:
    """Which drawings (r, n) are there for a while before and after some frames, (r, f)."""
    first, last = here.argmax(axis=1)[:, None], here.shape[1] - 1 - here[:, ::-1].argmax(axis=1)[:, None]
    return (first <= frames - least) & (last >= frames + least - 1)


def _resumes(stack: Stack, boxes: list[Floats], here: Bools, mine: Ints, stops: _Stops) -> Bools:
    """Where one of a worker's drawings ends, and another goes on about where that was going, (f,)."""
    out = np.zeros(stops.handed.shape, bool)
    for one, other in itertools.permutations(mine.tolist(), 2):
        at = stops.ends[one] & stops.begins[other]
        if (at & ~out).any() and _alike(stack, (boxes[one], here[one]), (boxes[other], here[other])) >= RESUMED:
            out |= at
    return out


def _alike(stack: Stack, one: tuple[Floats, Bools], other: tuple[Floats, Bools]) -> float:
    """IoU, in the middle between them, of where one drawing was going and where a later one came from."""
    last, first = len(one[1]) - 1 - int(one[1][::-1].argmax()), int(other[1].argmax())
    if first <= last:
        return 0.0
    window = stack.frames(LEAST, 2)
    ends = [_course(*drawn, at, window, (last + first) / 2) for drawn, at in ((one, last), (other, first))]
    return float(iou_aligned(ends[0], ends[1]))


@dataclass(frozen=True, eq=False, slots=True)
class _Stops:
    """What drawings do at some frames: which end before each, begin after it, or are brief and lie across it, (r, f);
    and where some go on in another cluster and others came from one, (f,): there the object was handed over."""

    ends: Bools
    begins: Bools
    brief: Bools
    handed: Bools


def _continued(stack: Stack, here: Bools, rows: Ints) -> list[list[int]]:
    """Which of some drawings (r, n) are pieces of one: of one worker, each beginning where the one before was going."""
    last = here.shape[1] - 1 - here[:, ::-1].argmax(axis=1)
    order = np.lexsort((here.argmax(axis=1), stack.owners[rows])).tolist()
    groups: list[list[int]] = []
    for row in order:
        one = groups[-1][-1] if groups else -1
        if (
            groups
            and stack.owners[rows[one]] == stack.owners[rows[row]]
            and _goes_on(stack, here, rows, one, row, int(last[one]))
        ):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _goes_on(stack: Stack, here: Bools, rows: Ints, one: int, other: int, last: int) -> bool:
    first = int(here[other].argmax())
    if not 0 < first - last <= stack.frames(GAP, 2):
        return False
    pieces = [(stack.boxes[rows[r]], here[r]) for r in (one, other)]
    return _alike(stack, *pieces) >= SAME


def _course(boxes: Floats, here: Bools, at: int, window: int, when: float) -> Floats:
    """Where a drawing would be at some time by the frames around its first or last one."""
    near = np.arange(max(0, at - window), min(len(here), at + window + 1))
    near = near[here[near]]
    middle = near.mean()
    time = near - middle
    slope = (time[:, None] * boxes[near]).sum(axis=0) / (1.0 + (time**2).sum())
    return boxes[near].mean(axis=0) + slope * (when - middle)


def _stops(stack: Stack, away: Bools, first: Ints, last: Ints, frames: Ints) -> _Stops:
    """An end or a beginning is near its frame, and not another cluster's beginning or end."""
    at = np.arange(away.shape[1])
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
