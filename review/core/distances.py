"""Distances of two whole answers, for alpha: 0 for same, 1 for nothing in common. Each is 1 − a soft F of its parts.

A soft F pairs the parts one to one for the greatest sum of similarities, and is 2 · Σ similarity / (n + m); two answers
that are both empty are the same. Skeletons are compared by COCO's object keypoint similarity (Ronchi & Perona 2017),
intervals by temporal IoU within a label, tracks by spatio-temporal IoU.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.core.boxes import iou
from annotation.core.likeness import intervals_soft_f
from annotation.core.matching import soft_f, track_soft_f
from annotation.core.tracks import Dense, Floats, Interval

# COCO's constants of the 17 points of a person, nose to ankles: standard deviations as shares of √area, doubled.
COCO_K = 2 * np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000


def boxes_distance(a: Floats, b: Floats) -> float:
    """Of the boxes of one frame, (n, 4) and (m, 4)."""
    return 1 - soft_f(iou(a, b))


def tracks_distance(a: Dense, b: Dense) -> float:
    """Of two sets of tracks on the same frames. RangesDiffer unless they are."""
    return 1 - track_soft_f(a, b)


def intervals_distance(a: Sequence[Interval], b: Sequence[Interval]) -> float:
    """Of two lists of intervals; other labels have nothing in common."""
    return 1 - intervals_soft_f(a, b)


def skeletons_distance(a: Floats, b: Floats, k: Floats = COCO_K) -> float:
    """Of the skeletons of one frame, (n, p, 3) and (m, p, 3) of x, y and visibility (0: not labelled)."""
    table = [[(oks(i, j, k) + oks(j, i, k)) / 2 for j in b] for i in a]
    return 1 - soft_f(np.array(table).reshape(len(a), len(b)))


def oks(drawn: Floats, truth: Floats, k: Floats = COCO_K, area: float | None = None) -> float:
    """Mean of exp(−d² / (2 · area · k²)) over the points of `truth` that are labelled, (p, 3) each; 0 where none is.

    `area` in square pixels is that of the object, by default of the box around its labelled points.
    """
    seen = truth[:, 2] > 0
    if not seen.any():
        return 0.0
    if area is None:
        area = float(np.prod(np.ptp(truth[seen, :2], axis=0)))
    squared = ((drawn[seen, :2] - truth[seen, :2]) ** 2).sum(axis=1)
    return float(np.exp(-squared / (2 * max(area, 1.0) * k[seen] ** 2)).mean())
