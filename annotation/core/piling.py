"""Tracks that one worker heaped up in one place: of hundreds there a few say all that the rest could.

No object has two tracks of one worker at a time, so a heap makes no object likelier, but every two tracks of it meet on
every frame, and what has to be compared grows with its square. Places are cells of a side of the box, of boxes whose
sides are alike to an octave, so nothing is compared to find them.
"""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Bools, Dense, Floats

MOST = 12  # tracks of one worker that may be in one cell: real crowds have three or four people there
FEW = 24  # so many tracks are no heap worth looking for
LOOKS = 30  # frames on which that is looked at


def without_heaps(dense: Dense) -> Dense:
    """One worker's tracks without those that are `heaped`."""
    out = heaped(dense.boxes, dense.present)
    if not out.any():
        return dense
    kept = np.flatnonzero(~out).tolist()
    ids, labels = tuple(dense.ids[i] for i in kept), tuple(dense.labels[i] for i in kept)
    return Dense(dense.start, ids, labels, dense.boxes[kept], dense.present[kept], dense.occluded[kept])


def heaped(boxes: Floats, present: Bools) -> Bools:
    """Which of a worker's tracks (t,) lie where `MOST` before them do whenever they are looked at, from (t, n, 4);
    none of a `FEW`."""
    if len(boxes) <= FEW:
        return np.zeros(len(boxes), bool)
    every = slice(None, None, max(1, boxes.shape[1] // LOOKS))
    track, frame = np.nonzero(present[:, every])
    seen = boxes[:, every][track, frame]
    octave = np.round(np.log2(np.maximum(seen[:, 2:] - seen[:, :2], 1e-9)))
    cell = np.floor((seen[:, :2] + seen[:, 2:]) / 2 / 2.0**octave)
    _, place, count = np.unique(np.column_stack([frame, octave, cell]), axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    before = np.empty(len(place), np.int64)
    before[order] = np.arange(len(place)) - (np.cumsum(count) - count)[place[order]]
    looks, late = (np.bincount(track, some, len(boxes)) for some in (np.ones(len(track)), before >= MOST))
    return (looks > 0) & (looks == late)
