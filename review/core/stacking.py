"""The submissions of one segment as one block of arrays, in an order that does not depend on how they came."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from annotation.core.overlaps import Overlaps, overlaps_in_parts
from annotation.core.piling import heaped
from annotation.core.ranges import ranges
from annotation.core.tracks import Bools, Dense, Floats, Ints, Track, Tracks, fill_all
from review.core.timing import time_scale

OTHERS = 8  # whom one of many is compared with, at most
SHORT: DTypeLike = np.int32  # of what is kept for every overlap: a dense crowd has tens of millions
AT_ONCE = 1 << 20  # overlaps that are looked up at once: what is looked up by is made as wide as an address for that


@dataclass(frozen=True, eq=False)
class Stack:
    """All tracks of all submissions on every frame of a segment of n frames.

    `owners` (t,) is the row of each track's submission, of which there are `workers`; `boxes` (t, n, 4) are NaN where
    absent; `codes` (t,) numbers the labels. `compared` (workers, workers) says whose boxes `overlap` holds the overlaps
    of: see `compared_with`.
    """

    start: int
    stop: int
    workers: int
    tracks: tuple[Track, ...]
    owners: Ints
    codes: Ints
    boxes: Floats
    present: Bools
    occluded: Bools
    compared: Bools
    overlap: Overlaps = field(repr=False)

    @cached_property
    def time_scale(self) -> float:
        """The share of usual times that things take here; see `timing`."""
        return time_scale(self.owners, self.boxes, self.tracks, self.start)

    def frames(self, usual: int, least: int = 1) -> int:
        """How many frames last as long here as that many of a usual video do."""
        return max(least, int(usual * self.time_scale + 0.5))

    @cached_property
    def _listed(self) -> tuple[tuple[Ints, Ints], ...]:
        """Where the overlaps of every track as the left one are listed, track after track, and where each one's begin;
        and as the right one."""
        sides = (self.overlap.left, self.overlap.right)
        starts = (np.concatenate([[0], np.cumsum(np.bincount(side, minlength=len(self.tracks)))]) for side in sides)
        listed = (np.argsort(side, kind="stable").astype(_as_wide_as(len(side)), copy=False) for side in sides)
        return tuple(zip(listed, starts, strict=True))

    @property
    def parts(self) -> Iterator[slice]:
        """Slices of `overlap`, of `AT_ONCE` each."""
        return (slice(at, at + AT_ONCE) for at in range(0, len(self.overlap.iou), AT_ONCE))

    def sides(self, member: Ints) -> tuple[Ints, Ints]:
        """The clusters of both boxes of every overlap, by those of all tracks (t, n)."""
        out = np.empty((2, len(self.overlap.iou)), SHORT)
        for found, tracks in zip(out, (self.overlap.left, self.overlap.right), strict=True):
            for part in self.parts:
                found[part] = member[tracks[part], self.overlap.frame[part]]
        return out[0], out[1]

    @cached_property
    def meetings(self) -> Ints:
        """How many overlaps each track has, (t,)."""
        (_, left), (_, right) = self._listed
        return np.diff(left) + np.diff(right)

    def overlaps_of(self, tracks: Ints) -> tuple[Ints, Ints]:
        """Places in `overlap` where some tracks are on the left, in order, and where on the right."""
        found = []
        for listed, start in self._listed:
            _, place = ranges(start[tracks], start[tracks + 1] - start[tracks])
            found.append(np.sort(listed[place]))
        return found[0], found[1]

    @cached_property
    def compares_all(self) -> bool:
        return self.workers <= OTHERS + 1

    @cached_property
    def partners(self) -> list[int]:
        """Whom each worker is compared with, as bits of an integer."""
        return [sum(1 << i for i in np.flatnonzero(row).tolist()) for row in self.compared]

    def share_compared(self, one: Collection[int], other: Collection[int]) -> float:
        """Of the pairs of workers from one group and another, nobody with themselves, the share that is compared."""
        if self.compares_all:
            return 1.0
        among, partners, same = 0, self.partners, 0
        for i in other:
            among |= 1 << i
        compared = 0
        for i in one:
            compared += (partners[i] & among).bit_count()
            same += among >> i & 1
        pairs = len(one) * len(other) - same
        return compared / pairs if pairs else 1.0


def compared_with(workers: int) -> Bools:
    """Who is compared with whom, (w, w): all up to nine, of more each with about eight, so that work grows with their
    number and not with its square. Near and far ones alike, by place, so that any two of some fifty are linked
    by few steps.
    """
    steps = np.unique(np.linspace(1, workers // 2, OTHERS // 2).round()) if workers > OTHERS + 1 else np.arange(workers)
    apart = np.abs(np.arange(workers)[:, None] - np.arange(workers))
    return (np.isin(apart, steps) | np.isin(workers - apart, steps)) & (apart > 0)


def stack(drawn: Sequence[Tracks], start: int, stop: int) -> Stack:
    """The tracks of several workers, one `Tracks` each; tracks that are absent from the segment are left out."""
    filled = fill_all((tracks.tracks for tracks in drawn), start, stop)
    dense = [_ordered(own, tracks) for own, tracks in zip(filled, drawn, strict=True)]
    tracks = tuple(track for _, kept in dense for track in kept)
    names = sorted({track.label for track in tracks})
    codes = np.array([names.index(track.label) for track in tracks], np.int64)
    owners = np.repeat(np.arange(len(dense)), [len(kept) for _, kept in dense])
    filled = [d for d, _ in dense]
    boxes = np.concatenate([d.boxes for d in filled])
    present = np.concatenate([d.present for d in filled])
    occluded = np.concatenate([d.occluded for d in filled])
    compared = compared_with(len(dense))
    found = _overlaps(filled, np.triu(compared))
    return Stack(start, stop, len(dense), tracks, owners, codes, boxes, present, occluded, compared, found)


def _overlaps(filled: Sequence[Dense], compared: Bools) -> Overlaps:
    """`overlaps_among`, with numbers no wider than needed."""
    columns: list[list[NDArray[Any]]] = [[np.zeros(0, kind)] for kind in (SHORT, SHORT, SHORT, np.float64)]
    for part in overlaps_in_parts(filled, compared):
        for column, numbers in zip(columns, (part.left, part.right, part.frame), strict=False):
            column.append(numbers.astype(SHORT))
        # To a billionth: what ties must tie wherever in the picture it is, or a rounding error decides who is who.
        columns[-1].append(np.round(part.iou, 9))
    return Overlaps(*(np.concatenate(columns.pop(0)) for _ in range(len(columns))))


def _as_wide_as(count: int) -> DTypeLike:
    """A type for places in a list of so many."""
    return SHORT if count <= np.iinfo(SHORT).max else np.int64


def _ordered(dense: Dense, tracks: Tracks) -> tuple[Dense, tuple[Track, ...]]:
    """A worker's tracks sorted by where and when they begin, so that neither ids nor order have a say; of what is
    heaped up in one place, some."""
    there = np.flatnonzero(dense.present.any(axis=1))
    first = dense.present[there].argmax(axis=1)
    keys = [
        (dense.labels[i], int(f), *dense.boxes[i, f].tolist(), int(dense.present[i].sum()))
        for i, f in zip(there, first, strict=True)
    ]
    order = there[sorted(range(len(there)), key=keys.__getitem__)] if len(there) else there
    order = order[~heaped(dense.boxes[order], dense.present[order])]
    kept = tuple(tracks.tracks[i] for i in order)
    ids, labels = tuple(t.id for t in kept), tuple(t.label for t in kept)
    return Dense(dense.start, ids, labels, dense.boxes[order], dense.present[order], dense.occluded[order]), kept
