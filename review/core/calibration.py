"""How sure a consensus is of a track: the chance that it is right, fitted so that nine in ten of those given 0.9 are.

A track is right if it has a true track with which its spatio-temporal IoU is at least 0.5.
"""

from __future__ import annotations

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Floats, Ints

FITTED_TO = 5  # workers: more have not been looked at
SHORTEST = 70  # frames of the shortest segment that was looked at: of a shorter one, frames count as shares of it
SINGLE = 0.8  # what one person drew: the mean of the prior on skill


def features(boxes: Floats, drawn: Bools, odds: Floats, fused: Floats, present: Bools, pure: Floats) -> Floats:
    """What the confidence depends on, (k, 5): odds of existing, likeness, purity, frames (log), who drew it (up to 5).

    `pure` (k,) is of `purity`: where tracks go from one object to another, somebody confused them.
    """
    longer = max(1.0, SHORTEST / max(1, present.shape[1]))
    frames = np.log(np.maximum(present.sum(axis=1) * longer, 1))
    voices = np.minimum(drawn.any(axis=2).sum(axis=1), FITTED_TO)
    return np.stack([np.clip(odds, -8, 8), likeness(boxes, drawn, fused), pure, frames, voices], axis=1)


def purity(member: Ints, count: int) -> Floats:
    """Of `count` clusters (t, n; -1 where absent) the share of their tracks' frames that lies in them, (k,)."""
    track, frame = np.nonzero(member >= 0)
    inside = np.zeros((count, len(member)))
    np.add.at(inside, (member[track, frame], track), 1.0)
    whole = (inside > 0) @ (member >= 0).sum(axis=1)
    return np.divide(inside.sum(axis=1), whole, out=np.zeros(count), where=whole > 0)


def likeness(boxes: Floats, drawn: Bools, fused: Floats) -> Floats:
    """Mean IoU of the workers' boxes with the fused ones, (k,)."""
    found = iou_aligned(boxes, fused[:, None]) * drawn
    return found.sum(axis=(1, 2)) / np.maximum(drawn.sum(axis=(1, 2)), 1)


# benchmarks.consensus_calibration --seeds 21 22: fitted on all that it prints.
WEIGHTS = np.array([0.44, 0.31, 4.45, 1.10, 0.90])
BIAS = -8.89


def confidences(table: Floats) -> Floats:
    """The chance that a track with these features is right, (k, 5) → (k,)."""
    return 1 / (1 + np.exp(-(table @ WEIGHTS + BIAS)))
