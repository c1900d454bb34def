"""Boxes as arrays `(n, 4)` of `x1 y1 x2 y2` floats, without the +1 of pixel-index conventions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def area(boxes: Floats) -> Floats:
    """Areas in square pixels, (…, 4) → (…); inverted boxes have none."""
    wide, high = (np.asarray(boxes[..., axis + 2] - boxes[..., axis]) for axis in (0, 1))
    return np.multiply(np.maximum(wide, 0.0, out=wide), np.maximum(high, 0.0, out=high), out=wide)


def _wide(a: Floats, b: Floats, axis: int) -> Floats:
    """How far boxes share an axis, at least 0; 0 where one is NaN. In place: fresh memory takes longer than sums do."""
    wide = np.asarray(np.minimum(a[..., axis + 2], b[..., axis + 2]))
    wide -= np.maximum(a[..., axis], b[..., axis])
    return np.fmax(wide, 0.0, out=wide)


def iou_aligned(a: Floats, b: Floats) -> Floats:
    """IoU of boxes at the same place of two broadcastable arrays, (…, 4) × (…, 4) → (…).

    Zero where either has no area or is NaN (absent).
    """
    shared, high = _wide(a, b, 0), _wide(a, b, 1)
    shared *= high
    both = np.asarray(area(a) + area(b))
    both -= shared
    return np.divide(shared, both, out=shared, where=both > 0)


def iou(a: Floats, b: Floats) -> Floats:
    """IoU of every box with every box, (n, 4) × (m, 4) → (n, m).

    >>> iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])).round(3).tolist()
    [[0.333]]
    """
    return iou_aligned(np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4))
