"""Few keyframes instead of a box per frame, with a bound on what is lost.

Idea: Ramer 1972, Douglas & Peucker 1973, over all tracks at once: interpolate between the keyframes, and where the IoU
with the dense box falls under the bound make the worst frame of each stretch a keyframe, until none is left.
"""

from __future__ import annotations

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Floats

KEPT_IOU = 0.99  # methods ask for 0.98; the rest costs a third more keyframes and nothing else


def choose_keyframes(boxes: Floats, present: Bools, forced: Bools, kept_iou: float = KEPT_IOU) -> Bools:
    """On which frames a keyframe is needed, (k, n): interpolation then has at least `kept_iou` with every box.

    `boxes` (k, n, 4), `present` (k, n); `forced` (k, n) are frames that must be keyframes. The first and the last
    frame of every presence always are.
    """
    padded = np.pad(present, ((0, 0), (1, 1)))
    keys = present & (forced | ~padded[:, :-2] | ~padded[:, 2:])
    open_ = np.flatnonzero(present.any(axis=1))
    while len(open_):
        worst = _worst(boxes[open_], present[open_], keys[open_], kept_iou)
        open_ = open_[worst.any(axis=1)]
        keys[open_] |= worst[worst.any(axis=1)]
    return keys


def _worst(boxes: Floats, present: Bools, keys: Bools, kept_iou: float) -> Bools:
    """In every stretch between two keyframes the frame that interpolation misses most, if it misses the bound."""
    n = keys.shape[1]
    at = np.arange(n)
    left = np.maximum.accumulate(np.where(keys, at, 0), axis=1)
    right = np.minimum.accumulate(np.where(keys, at, n - 1)[:, ::-1], axis=1)[:, ::-1]
    row, frame = np.nonzero(present & ~keys)
    a, b = left[row, frame], right[row, frame]
    share = ((frame - a) / np.maximum(b - a, 1))[:, None]
    start = boxes[row, a]
    found = iou_aligned(start + (boxes[row, b] - start) * share, boxes[row, frame])
    late = found < kept_iou
    row, frame, a, b, found = row[late], frame[late], a[late], b[late], found[late]
    stretch = np.cumsum(np.diff(row * n + a, prepend=-1) != 0)
    begins = np.flatnonzero(np.diff(stretch, prepend=0))
    left = np.ones(len(row), bool)
    for value in (found, np.abs(2 * frame - a - b).astype(np.float64)):  # the worst; of these the one in the middle
        value[~left] = np.inf
        if len(begins):
            left = value == np.minimum.reduceat(value, begins)[stretch - 1]
    row, frame = row[left], frame[left]
    first = np.diff(stretch[left], prepend=0) != 0
    worst = np.zeros(keys.shape, bool)
    worst[row[first], frame[first]] = True
    return worst
