"""Frames that show somebody who trains where they differ from gold."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import soft_f
from annotation.core.tracks import Dense

SHOWN = 3
LOOKED_AT = 90  # frames of a segment that are compared


def telling_frames(drawn: Dense, gold: Dense, *, shown: int = SHOWN) -> list[dict[str, Any]]:
    """One frame of each part of the range, where the worker's boxes are farthest from gold's (soft F).

    Both are dense on the same frames. `{"frame", "agreement", "yours": [{"label", "box"}], "gold": […]}`.
    """
    n = gold.present.shape[1]
    every = max(1, n // LOOKED_AT)
    out = []
    for part in np.array_split(np.arange(0, n, every), min(shown, n)):
        scores = [_agreement(drawn, gold, int(f)) for f in part]
        if scores:
            worst = int(np.argmin(scores))
            out.append(_frame(drawn, gold, int(part[worst]), scores[worst]))
    return out


def _agreement(drawn: Dense, gold: Dense, f: int) -> float:
    a, b = drawn.present[:, f], gold.present[:, f]
    if not a.any() and not b.any():
        return 1.0
    same = np.array([[x == y for y in gold.labels] for x in drawn.labels], bool).reshape(len(a), len(b))
    return float(soft_f(iou(drawn.boxes[a, f], gold.boxes[b, f]) * same[np.ix_(a, b)]))


def _frame(drawn: Dense, gold: Dense, f: int, agreement: float) -> dict[str, Any]:
    shown = {"yours": drawn, "gold": gold}
    return {"frame": gold.start + f, "agreement": agreement} | {name: _boxes(d, f) for name, d in shown.items()}


def _boxes(dense: Dense, f: int) -> list[dict[str, Any]]:
    return [
        {"label": dense.labels[i], "box": [round(float(edge), 2) for edge in dense.boxes[i, f]]}
        for i in np.flatnonzero(dense.present[:, f])
    ]
