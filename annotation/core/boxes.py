"""Boxes as arrays `(n, 4)` of `x1 y1 x2 y2` floats, without the +1 of pixel-index conventions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def area(boxes: Floats) -> Floats:
    """Areas in square pixels, (…, 4) → (…); inverted boxes have none."""
    wide = np.maximum(boxes[..., 2] - boxes[..., 0], 0.0)
    return wide * np.maximum(boxes[..., 3] - boxes[..., 1], 0.0)


def iou_aligned(a: Floats, b: Floats) -> Floats:
    """IoU of boxes at the same place of two broadcastable arrays, (…, 4) × (…, 4) → (…).

    Zero where either has no area or is NaN (absent).
    """
    wide = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    high = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
    both = area(a) + area(b) - shared
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((shared > 0) & (both > 0), shared / both, 0.0)


def iou(a: Floats, b: Floats) -> Floats:
    """IoU of every box with every box, (n, 4) × (m, 4) → (n, m).

    >>> iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])).round(3).tolist()
    [[0.333]]
    """
    return iou_aligned(np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4))
