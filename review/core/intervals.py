"""Intervals of several workers to one list: the same label at the same time is the same event."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from annotation.core.tracks import Interval
from review.core.fusing import vote

FLOOR = 0.3  # temporal IoU at which two workers mean one event
MOST = 50  # intervals of one label and track that one worker may have at about one time


class Mark(NamedTuple):
    """An interval, in which submission it is, and whose that is."""

    submission: int
    worker: str
    interval: Interval


def merge_intervals(
    drawn: Sequence[Sequence[Interval]], needed: int, weights: Sequence[float], workers: Sequence[str]
) -> tuple[Interval, ...]:
    """Events that at least `needed` workers mark, with the medians of their ends; `track` is the consensus's."""
    merged = [middle(g, weights) for g in group_marks(drawn, workers) if len({m.worker for m in g}) >= needed]
    return tuple(sorted(merged, key=lambda i: (i.start, i.stop, i.label, i.track or "")))


def group_marks(drawn: Sequence[Sequence[Interval]], workers: Sequence[str]) -> list[list[Mark]]:
    """What each submission marks, by event, also of those that only one marks.

    Groups that are most alike, in the mean over their intervals, are made one first, down to `FLOOR`; no group has two
    of one submission. Of what one worker heaped up at one time, `MOST` are heard.
    """
    marks = [Mark(w, worker, i) for w, (own, worker) in enumerate(zip(drawn, workers, strict=True)) for i in own]
    marks.sort(key=lambda m: (m.interval.label, m.submission, *_key(m.interval)))
    marks = _without_heaps(marks)
    return [group for some in _apart(marks) for group in _groups([marks[i] for i in some])]


def _without_heaps(marks: Sequence[Mark]) -> list[Mark]:
    """Marks without those of which a submission has `MOST` before them that begin about then and last about as long:
    they make no event likelier, but every two marks of different submissions at one time are compared."""
    seen: Counter[tuple[object, ...]] = Counter()
    kept = []
    for mark in marks:
        start, stop = _ends(mark)
        octave = max(1, stop - start).bit_length()
        cell = (mark.submission, mark.interval.label, mark.interval.track, octave, start >> (octave - 1))
        seen[cell] += 1
        if seen[cell] <= MOST:
            kept.append(mark)
    return kept


def _apart(marks: Sequence[Mark]) -> list[list[int]]:
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


def _groups(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Marks of one label and track by event: average link, of groups that have no submission in common."""
    return _Grouping(marks).run()


class _Grouping:
    """Groups of marks, each under the place of its first one, and how alike every two are, summed over their marks."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self.graph = _graph(marks)
        self.groups, self.age = [[m] for m in marks], [0] * len(marks)
        self.heap: list[tuple[float, int, int, int, int]] = []

    def run(self) -> list[list[Mark]]:
        for a, near in enumerate(self.graph):
            for b in near:
                if a < b:
                    self._push(a, b)
        while self.heap:
            _, kept, lost, *ages = heapq.heappop(self.heap)
            if ages == [self.age[kept], self.age[lost]]:
                self._join(kept, lost)
        return [group for group in self.groups if group]

    def _push(self, one: int, other: int) -> None:
        a, b = sorted((one, other))
        alike = self.graph[a][b] / (len(self.groups[a]) * len(self.groups[b]))
        who = ({m.submission for m in self.groups[k]} for k in (a, b))
        if alike >= FLOOR and set.isdisjoint(*who):
            heapq.heappush(self.heap, (-alike, a, b, self.age[a], self.age[b]))

    def _join(self, kept: int, lost: int) -> None:
        graph, self.groups[kept], self.groups[lost] = self.graph, self.groups[kept] + self.groups[lost], []
        self.age[kept], self.age[lost] = self.age[kept] + 1, -1
        del graph[kept][lost], graph[lost][kept]
        for other, alike in graph[lost].items():
            del graph[other][lost]
            graph[kept][other] = graph[other][kept] = graph[kept].get(other, 0.0) + alike
        graph[lost] = {}
        for other in graph[kept]:
            self._push(kept, other)


def _graph(marks: Sequence[Mark]) -> list[dict[int, float]]:
    """How alike every two marks of two submissions are that share a frame: by mark, those of each such other one."""
    start, stop, own = (np.array(column) for column in zip(*((*_ends(m), m.submission) for m in marks), strict=True))
    order = np.argsort(start, kind="stable")
    first = np.arange(len(marks)) + 1
    later = np.searchsorted(start[order], np.maximum(stop, start + 1)[order])
    graph: list[dict[int, float]] = [{} for _ in marks]
    for row in range(len(marks)):
        a, others = int(order[row]), order[first[row] : later[row]]
        others = others[own[others] != own[a]]
        either = np.maximum(stop[a], stop[others]) - start[a]
        shared = np.minimum(stop[a], stop[others]) - start[others]
        alike = np.where(either > 0, shared / np.maximum(either, 1), 1.0)
        for b, value in zip(others.tolist(), alike.tolist(), strict=True):
            if value > 0:
                graph[a][b] = graph[b][a] = value
    return graph


def _ends(mark: Mark) -> tuple[int, int]:
    return mark.interval.start, mark.interval.stop


def _key(interval: Interval) -> tuple[int, int, str]:
    return interval.start, interval.stop, interval.track or ""


def middle(group: Sequence[Mark], weights: Sequence[float]) -> Interval:
    """The event that a group of marks is of; `weights` are by submission."""
    some = [m.interval for m in group]
    start, stop = (int(np.floor(np.median([getattr(i, end) for i in some]) + 0.5)) for end in ("start", "stop"))
    attributes = vote_attributes([i.attributes for i in some], [weights[m.submission] for m in group])
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
