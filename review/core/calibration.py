"""How sure a consensus is of a track: the chance that it is right, fitted so that nine in ten of those given 0.9 are.

A track is right if it has a true track with which its spatio-temporal IoU is at least 0.5.
"""

from __future__ import annotations

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Floats

SINGLE = 0.8  # what one person drew: the mean of the prior on skill


def features(boxes: Floats, drawn: Bools, odds: Floats, fused: Floats, present: Bools) -> Floats:
    """What the confidence depends on, (k, 4): odds of existing, votes for presence, likeness, share of frames."""
    either = drawn.any(axis=1)
    votes = drawn.sum(axis=(1, 2)) / np.maximum(drawn.any(axis=2).sum(axis=1) * either.sum(axis=1), 1)
    likeness = _likeness(boxes, drawn, fused)
    length = present.mean(axis=1) if present.size else np.zeros(len(present))
    return np.stack([np.clip(odds, -8, 8), votes, likeness, length], axis=1)


def _likeness(boxes: Floats, drawn: Bools, fused: Floats) -> Floats:
    """Mean IoU of the workers' boxes with the fused ones, (k,)."""
    found = iou_aligned(boxes, fused[:, None]) * drawn
    return found.sum(axis=(1, 2)) / np.maximum(drawn.sum(axis=(1, 2)), 1)


# benchmarks.consensus_calibration --seeds 21 --fit, on every other sequence
WEIGHTS = np.array([0.64, 3.62, 2.89, 3.09])
BIAS = -7.76


def confidences(table: Floats) -> Floats:
    """The chance that a track with these features is right, (k, 4) → (k,)."""
    return 1 / (1 + np.exp(-(table @ WEIGHTS + BIAS)))
