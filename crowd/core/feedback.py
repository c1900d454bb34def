"""Frames that show somebody who trains where they differ from gold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import soft_f
from annotation.core.tracks import Dense, Tracks, fill

SHOWN = 3
LOOKED_AT = 90  # frames of a segment that are compared
EVENTS = 20  # that are told of one frame


def telling_frames(drawn: Tracks, gold: Tracks, *, shown: int = SHOWN) -> list[dict[str, Any]]:
    """One frame of each part of gold's range, where the worker's boxes and what happens by them are farthest from
    gold's (the soft F of both by their number; of the boxes alone where gold has no intervals at all).

    `{"frame", "agreement", "yours": [{"label", "box"}], "gold": […]}`, and where there are intervals also "intervals":
    `{"yours": [{"label", "start", "stop"}], "gold": […]}`, those that go on on that frame.
    """
    start, stop = gold.start, gold.stop
    yours, right = fill(drawn.tracks, start, stop), fill(gold.tracks, start, stop)
    every = max(1, (stop - start) // LOOKED_AT)

    def agreement(f: int) -> float:
        boxes, shown = _agreement(yours, right, f)
        if shown and not gold.intervals:
            return boxes
        events, said = _same_events(drawn, gold, start + f)
        return (boxes * shown + events * said) / (shown + said) if shown + said else 1.0

    out = []
    for part in np.array_split(np.arange(0, stop - start, every), min(shown, stop - start)):
        scores = [agreement(int(f)) for f in part]
        if scores:
            worst = int(np.argmin(scores))
            frame = _frame(yours, right, int(part[worst]), scores[worst])
            out.append(frame | _happening(drawn, gold, frame["frame"]))
    return out


def _on(source: Tracks, frame: int) -> list[dict[str, Any]]:
    going = (i for i in source.intervals if i.start <= frame < i.stop)
    return [{"label": i.label, "start": i.start, "stop": i.stop} for i in going]


def _happening(drawn: Tracks, gold: Tracks, frame: int) -> dict[str, Any]:
    if not (drawn.intervals or gold.intervals):
        return {}
    return {"intervals": {"yours": _on(drawn, frame)[:EVENTS], "gold": _on(gold, frame)[:EVENTS]}}


def _same_events(drawn: Tracks, gold: Tracks, frame: int) -> tuple[float, int]:
    """The share of labels that both say of a frame, 1 where neither says any, and how many they say."""
    a, b = (Counter(one["label"] for one in _on(source, frame)) for source in (drawn, gold))
    said = a.total() + b.total()
    return (2 * (a & b).total() / said if said else 1.0), said


def _agreement(drawn: Dense, gold: Dense, f: int) -> tuple[float, int]:
    """Soft F of the boxes of one frame, and how many boxes these are."""
    a, b = drawn.present[:, f], gold.present[:, f]
    same = np.array([[x == y for y in gold.labels] for x in drawn.labels], bool).reshape(len(a), len(b))
    return float(soft_f(iou(drawn.boxes[a, f], gold.boxes[b, f]) * same[np.ix_(a, b)])), int(a.sum() + b.sum())


def _frame(drawn: Dense, gold: Dense, f: int, agreement: float) -> dict[str, Any]:
    shown = {"yours": drawn, "gold": gold}
    return {"frame": gold.start + f, "agreement": agreement} | {name: _boxes(d, f) for name, d in shown.items()}


def _boxes(dense: Dense, f: int) -> list[dict[str, Any]]:
    return [
        {"label": dense.labels[i], "box": [round(float(edge), 2) for edge in dense.boxes[i, f]]}
        for i in np.flatnonzero(dense.present[:, f])
    ]
