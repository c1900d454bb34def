"""How alike two sources are, by their tracks and by their intervals.

Both are things that can be right or wrong, so one soft F is taken over all of them: tracks are paired with tracks by
spatio-temporal IoU, intervals with intervals by temporal IoU within a label, and 2 · Σ IoU is divided by how many
things there are on either side. That is the mean of the two soft Fs by the number of things that each is about. A
reference that shows tracks and no interval is silent about what happens: then tracks alone decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from annotation.core.matching import match, track_soft_f
from annotation.core.tracks import Dense, Floats, Interval, Tracks, fill

MOST = 1000  # intervals of one label and source that are compared; all of them count


def soft_f(a: Tracks, b: Tracks, start: int, stop: int, *, events: bool = False) -> float:
    """Of a source with a reference `b` on `[start, stop)`, in [0, 1]: 1 for same; both empty 1.

    With `events` intervals count also where the reference has tracks alone.
    """
    left, right = fill(a.tracks, start, stop), fill(b.tracks, start, stop)
    said, asked = inside(a.intervals, start, stop), inside(b.intervals, start, stop)
    shown = things(left, right)
    if shown and not asked and not events:
        return float(track_soft_f(left, right))
    return together(float(track_soft_f(left, right)), shown, said, asked)


def things(a: Dense, b: Dense) -> int:
    """How many tracks of two sources a soft track F is about; 0 where neither shows one."""
    return len(a.ids) + len(b.ids) if a.present.any() or b.present.any() else 0


def together(alike: float, shown: int, a: Sequence[Interval], b: Sequence[Interval]) -> float:
    """The soft F of two sources whose `shown` tracks have the soft F `alike`, with their intervals.

    >>> together(1.0, 2, [Interval("cut", 0, 10)], [Interval("cut", 5, 10)])
    0.75
    """
    marked = len(a) + len(b)
    if not marked and shown:
        return alike
    happened = intervals_soft_f(a, b)
    return (alike * shown + happened * marked) / (shown + marked) if shown else happened


def intervals_soft_f(a: Sequence[Interval], b: Sequence[Interval]) -> float:
    """2 · Σ temporal IoU of the pairs / (n + m), in [0, 1]; both empty 1, one empty 0. Of which track says nothing.

    >>> intervals_soft_f([Interval("cut", 0, 10)], [Interval("cut", 5, 10), Interval("crossing", 5, 10)])
    0.3333333333333333
    """
    if not len(a) + len(b):
        return 1.0
    total = 0.0
    for label in {i.label for i in a} & {i.label for i in b}:
        table = _temporal_iou(*(_ends([i for i in some if i.label == label]) for some in (a, b)))
        row, column = match(table).pairs.T
        total += float(table[row, column].sum())
    return 2 * total / (len(a) + len(b))


def inside(intervals: Sequence[Interval], start: int, stop: int) -> list[Interval]:
    """What of intervals lies in `[start, stop)`."""
    cut = (replace(i, start=max(start, i.start), stop=min(stop, i.stop)) for i in intervals)
    return [i for i in cut if i.start < i.stop]


def _ends(intervals: Sequence[Interval]) -> Floats:
    """(n, 2): start and stop, in order of time."""
    return np.array(sorted((i.start, i.stop) for i in intervals)[:MOST], float)


def _temporal_iou(a: Floats, b: Floats) -> Floats:
    """(n, m): shared frames over frames of either; two of no length are the same only at the same place."""
    shared = np.minimum(a[:, None, 1], b[None, :, 1]) - np.maximum(a[:, None, 0], b[None, :, 0])
    either = np.maximum(a[:, None, 1], b[None, :, 1]) - np.minimum(a[:, None, 0], b[None, :, 0])
    return np.where(either > 0, np.maximum(shared, 0) / np.maximum(either, 1), 1.0)
