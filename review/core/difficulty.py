"""How hard a segment is: by how its workers differ, how full it is, and how much its objects hide each other.

Each part is a share, and what is left easy by all of them is easy: 1 − Π(1 − part). Crowding and hiding are known from
what was drawn; they count for less than disagreement, which is what they lead to.
"""

from __future__ import annotations

import numpy as np

from annotation.core.overlaps import overlaps
from annotation.core.piling import heaped
from annotation.core.tracks import Dense

CROWDED = 20.0  # objects on a usual frame at which crowding counts half
HIDDEN = 0.3  # IoU from which two boxes hide each other
HARD = 0.3  # from which one more worker should be a skilled one; under 0.2 all agree and little is in the way
LESS = 0.5  # what crowding and hiding count at most


def difficulty(drawn: Dense, agreement: float) -> float:
    """From 0 (easy) to 1, of a consensus on every frame and how far its submissions agree with it.

    >>> difficulty(Dense(0, (), (), np.zeros((0, 5, 4)), np.zeros((0, 5), bool), np.zeros((0, 5), bool)), 1.0)
    0.0
    """
    boxes = int(drawn.present.sum())
    if not boxes:
        return float(1 - agreement)
    density = boxes / max(1, int(drawn.present.any(axis=0).sum()))
    crowding = LESS * density / (density + CROWDED)
    hiding = LESS * float(_hidden(drawn)[drawn.present].mean())
    return float(1 - agreement * (1 - crowding) * (1 - hiding))


def _hidden(drawn: Dense) -> np.ndarray:
    """Which boxes are marked as occluded or lie on another one, (k, n); of a heap all do, but for its first ones."""
    heap = heaped(drawn.boxes, drawn.present)
    out = drawn.occluded & drawn.present | drawn.present & heap[:, None]
    at = np.flatnonzero(~heap)
    kept = drawn.boxes[at], drawn.present[at], drawn.occluded[at]
    rest = Dense(drawn.start, ("",) * len(at), ("",) * len(at), *kept)
    met = overlaps(rest, rest)
    close = (met.left != met.right) & (met.iou > HIDDEN)
    out[at[met.left[close]], met.frame[close]] = True
    return out
