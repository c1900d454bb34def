"""Signs of spam and copying, each with its evidence. Flags are for people to look at: none of them is a verdict.

Every test compares with what others did on the same work, so that a scene where nothing moves or little is to be seen
makes nobody suspicious.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.core.likeness import intervals_soft_f
from annotation.core.matching import match, track_iou
from annotation.core.tracks import Dense, Interval

FAST = 0.2  # share of the pool's median time per object
POOL = 5  # times that it takes to know what is usual
STILL = 0.02  # of its side: a box that moves less rests
LASTING = 10  # frames on which a box is seen to rest
SAME = 0.9  # spatio-temporal IoU of tracks that are one and the same
DIFFERENT = 0.5
MANY = 3  # objects: who draws one of so many leaves most out
TASKS = 3  # that it takes to call something a habit
BACK = 3  # tasks back that the same boxes are looked for
LATEST_GOLDS = 20
DROP = 0.1  # of a score


@dataclass(frozen=True, slots=True)
class Flag:
    """What is suspicious, by a code, and the figures that say so."""

    code: str
    evidence: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "evidence": self.evidence}


def too_fast(*, work_s: float, objects: int, pool_s: Sequence[float]) -> Flag | None:
    """Less than a fifth of the pool's median time per object; `pool_s` are others' seconds per object, five or more."""
    if len(pool_s) < POOL:
        return None
    mine, usual = work_s / max(1, objects), float(np.median(pool_s))
    if mine >= FAST * usual:
        return None
    return Flag("too_fast", {"s_per_object": round(mine, 3), "usual_s_per_object": round(usual, 3)})


def never_moves(drawn: Dense, others: Dense) -> Flag | None:
    """Not one box moves, where most of what the others (their consensus) drew in the same frames does."""
    mine, theirs = _moving(drawn), _moving(others)
    if not len(mine) or not len(theirs) or mine.any() or theirs.mean() <= 0.5:
        return None
    return Flag("never_moves", {"tracks": len(mine), "moving_share_of_others": round(float(theirs.mean()), 3)})


def _moving(tracks: Dense) -> np.ndarray:
    """Of the tracks that are there for long enough to say, which move."""
    long = tracks.present.sum(axis=1) >= LASTING
    out = []
    for boxes, here in zip(tracks.boxes[long], tracks.present[long], strict=True):
        seen = boxes[here]
        side = float(np.maximum(seen[:, 2:] - seen[:, :2], 1.0).mean())
        out.append(float(np.ptp(seen, axis=0).max()) > STILL * side)
    return np.array(out, bool)


def same_everywhere(drawn: Sequence[Dense], others: Sequence[Dense]) -> Flag | None:
    """The same boxes in two or more segments, where the others' (their consensus per segment) differ.

    Both lists have one entry for each segment; segments of unequal length are compared on what they have in common,
    counted from their starts.
    """
    again = []
    for i in range(len(drawn)):
        for j in range(max(0, i - BACK), i):
            if len(drawn[i].ids) and repeats(drawn[i], drawn[j]) >= SAME > DIFFERENT > repeats(others[i], others[j]):
                again.append([drawn[j].start, drawn[i].start])
    if not again:
        return None
    return Flag("same_everywhere", {"segments": again[-BACK:], "times": len(again), "tasks": len(drawn)})


def repeats(a: Dense, b: Dense) -> float:
    """Soft F of two segments' tracks with both laid at one start, whatever the labels; 0 if both are empty."""
    n = min(a.present.shape[1], b.present.shape[1])
    table = track_iou(_first(a, n), _first(b, n), labels=False)
    row, column = match(table).pairs.T
    return float(2 * table[row, column].sum() / max(1, sum(table.shape)))


def _first(tracks: Dense, n: int) -> Dense:
    parts = (tracks.boxes[:, :n], tracks.present[:, :n], tracks.occluded[:, :n])
    return Dense(0, tracks.ids, tracks.labels, *parts)


def same_times(marked: Sequence[Sequence[Interval]], others: Sequence[Sequence[Sequence[Interval]]]) -> Flag | None:
    """The same events at the same times of most segments and of three at least, such as the whole clip each time, where
    the others of each segment mark others, and these are not the same from segment to segment.

    An entry for each segment, counted from its start; `others` has one for each other worker of it. Where any of the
    others marks about the same, that is what happens there.
    """
    alone = [
        not any(intervals_soft_f(mine, o) >= DIFFERENT for o in some) for mine, some in zip(marked, others, strict=True)
    ]
    theirs = [[event for other in some for event in other] for some in others]
    own = [i for i in range(len(marked)) if marked[i] and theirs[i] and alone[i]]
    again = [
        i
        for i in own
        if any(
            j != i
            and intervals_soft_f(marked[i], marked[j]) >= SAME > DIFFERENT > intervals_soft_f(theirs[i], theirs[j])
            for j in own
        )
    ]
    busy = sum(map(bool, marked))
    if len(again) < TASKS or 2 * len(again) <= busy:
        return None
    events = [{"label": e.label, "start": e.start, "stop": e.stop} for e in marked[again[-1]][:BACK]]
    return Flag("same_everywhere", {"events": events, "times": len(again), "tasks": busy})


def draws_little(drawn: Sequence[int], others: Sequence[float]) -> Flag | None:
    """One object or event at most in every task, where the others draw three and more, over three such tasks.

    `drawn` are numbers of these per task, `others` the medians of what the others drew of the same ones.
    """
    busy = [(mine, usual) for mine, usual in zip(drawn, others, strict=True) if usual >= MANY]
    if len(busy) < TASKS or max(mine for mine, _ in busy) > 1:
        return None
    mine, usual = np.array(busy, float).T
    return Flag(
        "draws_little",
        {"objects": round(float(mine.mean()), 3), "usual_objects": float(np.median(usual)), "tasks": len(busy)},
    )


def no_better_than_chance(scores: Sequence[float], chance: Sequence[float]) -> Flag | None:
    """Agreement with others that does not exceed that of unrelated answers by two standard errors, over 3 or more.

    Where everything looks alike everywhere, agreement above one half is none the worse for that.

    `scores` are a worker's similarities with the others of each task, `chance` those of answers to different tasks.
    """
    if len(scores) < 3 or len(chance) < 2:
        return None
    mean, usual = float(np.mean(scores)), float(np.mean(chance))
    if mean >= DIFFERENT or mean > usual + 2 * float(np.std(chance, ddof=1)) / np.sqrt(len(scores)):
        return None
    return Flag("no_better_than_chance", {"agreement": round(mean, 3), "chance": round(usual, 3), "tasks": len(scores)})


def drifting(scores: Sequence[float]) -> Flag | None:
    """Gold scores, in the order they came, that fall by a tenth or more from one half to the next beyond noise.

    Only the latest twenty are looked at: whoever was good for a year and no longer is should not be hidden by the year.
    """
    scores = scores[-LATEST_GOLDS:]
    if len(scores) < 6:
        return None
    early, late = np.array_split(np.asarray(scores, float), 2)
    drop = float(early.mean() - late.mean())
    error = float(np.sqrt(early.var(ddof=1) / len(early) + late.var(ddof=1) / len(late)))
    if drop < max(DROP, 2 * error):
        return None
    evidence = {"early": round(float(early.mean()), 3), "late": round(float(late.mean()), 3), "golds": len(scores)}
    return Flag("drifting", evidence)
