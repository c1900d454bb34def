"""The submissions of one segment as one block of arrays, in an order that does not depend on how they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotation.core.overlaps import overlaps
from annotation.core.tracks import Bools, Dense, Floats, Ints, Track, Tracks, fill


@dataclass(frozen=True, eq=False, slots=True)
class Stack:
    """All tracks of all submissions on every frame of a segment of n frames.

    `owners` (t,) is the row of each track's submission, of which there are `workers`; `boxes` (t, n, 4) are NaN where
    absent; `codes` (t,) numbers the labels.
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
    overlap: Overlap = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Overlap:
    """Boxes of two workers on one frame that overlap: rows of tracks, frame from the start, and IoU."""

    left: Ints
    right: Ints
    frame: Ints
    iou: Floats


def stack(drawn: Sequence[Tracks], start: int, stop: int) -> Stack:
    """The tracks of several workers, one `Tracks` each; tracks that are absent from the segment are left out."""
    dense = [_ordered(tracks, start, stop) for tracks in drawn]
    tracks = tuple(track for _, kept in dense for track in kept)
    names = sorted({track.label for track in tracks})
    codes = np.array([names.index(track.label) for track in tracks], np.int64)
    owners = np.repeat(np.arange(len(dense)), [len(kept) for _, kept in dense])
    filled = [d for d, _ in dense]
    boxes = np.concatenate([d.boxes for d in filled])
    present = np.concatenate([d.present for d in filled])
    occluded = np.concatenate([d.occluded for d in filled])
    return Stack(start, stop, len(dense), tracks, owners, codes, boxes, present, occluded, _overlap(filled))


def _ordered(tracks: Tracks, start: int, stop: int) -> tuple[Dense, tuple[Track, ...]]:
    """A worker's tracks sorted by where and when they begin, so that neither ids nor order have a say."""
    dense = fill(tracks.tracks, start, stop)
    there = np.flatnonzero(dense.present.any(axis=1))
    first = dense.present[there].argmax(axis=1)
    keys = [
        (dense.labels[i], int(f), *dense.boxes[i, f].tolist(), int(dense.present[i].sum()))
        for i, f in zip(there, first, strict=True)
    ]
    order = there[sorted(range(len(there)), key=keys.__getitem__)] if len(there) else there
    kept = tuple(tracks.tracks[i] for i in order)
    ids, labels = tuple(t.id for t in kept), tuple(t.label for t in kept)
    return Dense(start, ids, labels, dense.boxes[order], dense.present[order], dense.occluded[order]), kept


def _overlap(dense: Sequence[Dense]) -> Overlap:
    first = np.cumsum([0, *(len(d.ids) for d in dense)])
    parts = []
    for a in range(len(dense)):
        for b in range(a + 1, len(dense)):
            found = overlaps(dense[a], dense[b])
            parts.append((found.left + first[a], found.right + first[b], found.frame, found.iou))
    if not parts:
        none = np.zeros(0, np.int64)
        return Overlap(none, none, none, np.zeros(0))
    return Overlap(*(np.concatenate(column) for column in zip(*parts, strict=True)))
