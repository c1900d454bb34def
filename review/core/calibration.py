"""How sure a consensus is of a track: the chance that it is right, fitted so that nine in ten of those given 0.9 are.

A track is right if it has a true track with which its spatio-temporal IoU is at least 0.5.
"""

from __future__ import annotations

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Floats

SINGLE = 0.8  # what one person drew: the mean of the prior on skill


def features(boxes: Floats, drawn: Bools, odds: Floats, fused: Floats, present: Bools) -> Floats:
    """What the confidence depends on, (k, 4): odds of existing, share of votes for presence, likeness, length."""
    either = drawn.any(axis=1)
    votes = drawn.sum(axis=(1, 2)) / np.maximum(drawn.any(axis=2).sum(axis=1) * either.sum(axis=1), 1)
    likeness = _likeness(boxes, drawn, fused)
    length = np.log1p(present.sum(axis=1))
    return np.stack([np.clip(odds, -8, 8), votes, likeness, length], axis=1)


def _likeness(boxes: Floats, drawn: Bools, fused: Floats) -> Floats:
    """Mean IoU of the workers' boxes with the fused ones, (k,)."""
    found = iou_aligned(boxes, fused[:, None]) * drawn
    return found.sum(axis=(1, 2)) / np.maximum(drawn.sum(axis=(1, 2)), 1)


WEIGHTS = np.array([0.6, 3.0, 3.0, 0.2])
BIAS = -4.0


def confidences(table: Floats) -> Floats:
    """The chance that a track with these features is right, (k, 4) → (k,)."""
    return 1 / (1 + np.exp(-(table @ WEIGHTS + BIAS)))
