"""How alike two sources are that may hold intervals alone.

What decides is the soft track F. Of two that show no track, which would be alike whatever they say, it is the soft F of
their intervals, by temporal IoU within a label: the same pairing one to one, over frames instead of boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.core.matching import match, track_soft_f
from annotation.core.tracks import Floats, Interval, Tracks, fill

MOST = 1000  # intervals of one label and source that are compared; all of them count


def soft_f(a: Tracks, b: Tracks, start: int, stop: int) -> float:
    """Of two sources on `[start, stop)`, in [0, 1]: 1 for same; both empty 1."""
    left, right = fill(a.tracks, start, stop), fill(b.tracks, start, stop)
    if left.present.any() or right.present.any():
        return float(track_soft_f(left, right))
    return intervals_soft_f(inside(a.intervals, start, stop), inside(b.intervals, start, stop))


def intervals_soft_f(a: Sequence[Interval], b: Sequence[Interval]) -> float:
    """2 · Σ temporal IoU of the pairs / (n + m), in [0, 1]; both empty 1, one empty 0.

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
    """What of intervals lies in `[start, stop)`, of which track whatever."""
    cut = (Interval(i.label, max(start, i.start), min(stop, i.stop)) for i in intervals)
    return [i for i in cut if i.start < i.stop]


def _ends(intervals: Sequence[Interval]) -> Floats:
    """(n, 2): start and stop, in order of time."""
    return np.array(sorted((i.start, i.stop) for i in intervals)[:MOST], float)


def _temporal_iou(a: Floats, b: Floats) -> Floats:
    """(n, m): shared frames over frames of either; two of no length are the same only at the same place."""
    shared = np.minimum(a[:, None, 1], b[None, :, 1]) - np.maximum(a[:, None, 0], b[None, :, 0])
    either = np.maximum(a[:, None, 1], b[None, :, 1]) - np.minimum(a[:, None, 0], b[None, :, 0])
    return np.where(either > 0, np.maximum(shared, 0) / np.maximum(either, 1), 1.0)
