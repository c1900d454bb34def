"""Intervals of several workers to one list: the same label at the same time is the same event."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

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


def merge_intervals(drawn: Sequence[Sequence[Interval]], needed: int, weights: Sequence[float]) -> tuple[Interval, ...]:
    """Events that at least `needed` workers mark, with the medians of their ends; `track` is the consensus's."""
    labels = sorted({interval.label for some in drawn for interval in some})
    merged = [m for label in labels for m in _merge_label(label, drawn, needed, weights)]
    return tuple(sorted(merged, key=lambda i: (i.start, i.stop, i.label, i.track or "")))


def _merge_label(
    label: str, drawn: Sequence[Sequence[Interval]], needed: int, weights: Sequence[float]
) -> list[Interval]:
    groups = [[(w, i)] for w, some in enumerate(drawn) for i in sorted(some, key=_key) if i.label == label]
    while (pair := _closest(groups)) is not None:
        groups[pair[0]] += groups.pop(pair[1])
    return [_middle(group, weights) for group in groups if len({w for w, _ in group}) >= needed]


def _closest(groups: list[list[tuple[int, Interval]]]) -> tuple[int, int] | None:
    """The two groups that are most alike, if any two reach the floor."""
    pairs = [(_likeness(groups[a], groups[b]), -a, -b) for b in range(len(groups)) for a in range(b)]
    likeness, a, b = max(pairs, default=(0.0, 0, 0))
    return (-a, -b) if likeness >= FLOOR else None


def _key(interval: Interval) -> tuple[int, int, str]:
    return interval.start, interval.stop, interval.track or ""


def _likeness(a: list[tuple[int, Interval]], b: list[tuple[int, Interval]]) -> float:
    if {w for w, _ in a} & {w for w, _ in b}:
        return 0.0
    return float(np.mean([temporal_iou(i, j) if i.track == j.track else 0.0 for _, i in a for _, j in b]))


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
