"""Intervals of several workers to one list: the same label at the same time is the same event."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from annotation.core.tracks import Interval
from review.core.fusing import vote

FLOOR = 0.3  # temporal IoU at which two workers mean one event


def temporal_iou(a: Interval, b: Interval) -> float:
    """Shared frames over frames of either; two of no length are the same only at the same place.

    >>> temporal_iou(Interval("x", 0, 10), Interval("x", 5, 10))
    0.5
    """
    either = max(a.stop, b.stop) - min(a.start, b.start)
    if either <= 0:
        return 1.0
    return max(0, min(a.stop, b.stop) - max(a.start, b.start)) / either


def merge_intervals(
    drawn: Sequence[Sequence[Interval]], needed: int, weights: Sequence[float], workers: Sequence[str]
) -> tuple[Interval, ...]:
    """Events that at least `needed` workers mark, with the medians of their ends; `track` is the consensus's.

    Groups that are most alike, in the mean over their intervals, are made one first, down to `FLOOR`; no group has two
    of one submission.
    """
    marks = [_Mark(w, worker, i) for w, (own, worker) in enumerate(zip(drawn, workers, strict=True)) for i in own]
    marks.sort(key=lambda m: (m.interval.label, m.submission, *_key(m.interval)))
    merged = [
        _middle([(m.submission, m.interval) for m in group], weights)
        for some in _apart(marks)
        for group in _groups([marks[i] for i in some])
        if len({m.worker for m in group}) >= needed
    ]
    return tuple(sorted(merged, key=lambda i: (i.start, i.stop, i.label, i.track or "")))


class _Mark(NamedTuple):
    """An interval, in which submission it is, and whose that is."""

    submission: int
    worker: str
    interval: Interval


def _apart(marks: Sequence[_Mark]) -> list[list[int]]:
    """Marks (of one label one after the other) that can be of one event, if only by others between them: places."""
    ends: dict[tuple[str, str | None], tuple[int, int]] = {}  # how far a part goes on, and which it is
    parts: list[list[int]] = []
    for at in sorted(range(len(marks)), key=lambda i: marks[i].interval.start):
        interval = marks[at].interval
        stop, part = ends.get((interval.label, interval.track), (interval.start - 1, -1))
        if interval.start > stop:
            part = len(parts)
            parts.append([])
        parts[part].append(at)
        ends[interval.label, interval.track] = (max(stop, interval.stop), part)
    return [sorted(part) for part in parts]


def _groups(marks: Sequence[_Mark]) -> list[list[_Mark]]:
    """Marks of one label and track by event: average link, of groups that have no submission in common."""
    start, stop, own = (np.array(column) for column in zip(*((*_ends(m), m.submission) for m in marks), strict=True))
    either = np.maximum(stop[:, None], stop) - np.minimum(start[:, None], start)
    shared = np.maximum(0, np.minimum(stop[:, None], stop) - np.maximum(start[:, None], start))
    sums = np.where(either > 0, shared / np.maximum(either, 1), 1.0)  # of the likenesses between two groups
    who = own[:, None] == np.unique(own)
    size = np.ones(len(marks))
    groups = [[m] for m in marks]
    likeness = np.where(np.triu(own[:, None] != own, 1), sums, 0.0)
    while (best := likeness.max()) >= FLOOR:
        kept, lost = divmod(int((likeness == best).argmax()), len(marks))
        groups[kept] += groups[lost]
        groups[lost] = []
        sums[kept] += sums[lost]
        sums[:, kept] += sums[:, lost]
        size[kept] += size[lost]
        size[lost] = np.inf  # nothing is like what is gone
        who[kept] |= who[lost]
        new = np.where((who & who[kept]).any(axis=1), 0.0, sums[kept] / (size * size[kept]))
        likeness[lost] = likeness[:, lost] = 0.0
        likeness[kept, kept + 1 :], likeness[:kept, kept] = new[kept + 1 :], new[:kept]
    return [group for group in groups if group]


def _ends(mark: _Mark) -> tuple[int, int]:
    return mark.interval.start, mark.interval.stop


def _key(interval: Interval) -> tuple[int, int, str]:
    return interval.start, interval.stop, interval.track or ""


def _middle(group: list[tuple[int, Interval]], weights: Sequence[float]) -> Interval:
    some = [i for _, i in group]
    start, stop = (int(np.floor(np.median([getattr(i, end) for i in some]) + 0.5)) for end in ("start", "stop"))
    attributes = vote_attributes([i.attributes for i in some], [weights[w] for w, _ in group])
    return Interval(some[0].label, start, stop, some[0].track, attributes)


def vote_attributes(answers: Sequence[Mapping[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """Each attribute by vote of those who gave it a value."""
    names = sorted({name for answer in answers for name in answer})
    out = {}
    for name in names:
        given = [(_frozen(a[name]), a[name], w) for a, w in zip(answers, weights, strict=True) if name in a]
        won = vote([g[0] for g in given], [g[2] for g in given])
        out[name] = next(value for frozen, value, _ in given if frozen == won)
    return out


def _frozen(value: Any) -> Hashable:
    """Something to count values by: 1, 1.0 and True are three answers."""
    return type(value).__name__, repr(value)
