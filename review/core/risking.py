"""What one more worker would be worth to a segment: how much of it the consensus should get right that it does not now.

Idea: expected loss now minus expected loss after one more usual worker, object by object, as a share of the segment's
boxes (Branson 2017's risk, for tracks). An object may exist or not: one more drawing or silence moves its odds. Its
boxes are off by what the workers differ, less the more drew it. Its label may be the wrong one of two that were given,
and it may be there where half of its workers say so. And there may be objects that nobody drew yet, as many
as the workers' misses make likely: misses go together, since what is hard for one is hard for others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from annotation.core.tracks import Bools, Floats
from review.core.existing import COINCIDENCE, HARD, HIT, MOST_MISSED

SINGLE_OFF = 0.15  # 1 − IoU of one worker's box with the fused one, where nobody else is there to compare
TAIL = 1.7  # the chance that a fused box is off by x times the mean falls as e^(−1.7 x); read from crowd workers' boxes
HARDEST, HIT_HARD = 4.0, 0.3  # how many times as often the hard fifth is missed, by two or more, and found by the next
FINDS = 0.9  # of what is there, somebody of whom nothing is known: the mean of those who have a say in eight crowds
NAMED = 0.95  # chance that a worker gives the right one of two labels; one more decides only between equals
TOLD = 0.9  # chance that a worker says rightly whether it is there on a frame, likewise
SETTLED = 0.5  # share of the objects first found by the next worker that the consensus then has


@dataclass(frozen=True, slots=True)
class Worth:
    """What counts. `usual` is how many frames of objects such a segment usually has: the gain is a share of those, and
    one that is empty so far may have some (None or 0: of what this one has, so that an empty one gains nothing).
    From `right_from` on, an IoU, a box is right, and no more so where it is nearer; a wrong one is one missed and one
    invented. None as for HOTA, to which a box is the better the nearer it is. What is drawn no wider than `narrow`, in
    pixels, counts for nothing."""

    usual: float | None = None
    right_from: float | None = None
    narrow: float = 0.0


OF_ITS_OWN = Worth()


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of k clusters, kept or not, of w submissions.

    `odds` (k,) that it is an object (logarithm), whether it `exists` in the consensus (k,), who drew it, `votes`
    (k, w), whether two labels were given by equally many, `tied` (k,), `off` (k,) the mean
    1 − IoU of the workers' boxes with the fused ones, on how many frames it is there and counts, `frames` (k,), and on
    how many half of them say that it is not there, `halved` (k,).
    """

    odds: Floats
    exists: Bools
    votes: Bools
    tied: Bools
    off: Floats
    frames: Floats
    halved: Floats


def expected_gain(known: Known, hits: Floats, worth: Worth = OF_ITS_OWN) -> float:
    """Share of a segment's boxes that one more worker is expected to put right, at least 0.

    `hits` (w,) is the chance that each worker draws what is there.
    """
    exists, frames = known.exists, known.frames
    real = expit(known.odds)
    drew, silent = _after(real)
    now = np.where(exists, 1 - real, real)
    found = np.maximum(now - drew - silent, 0.0)
    better = real * exists * _closer(known.votes.sum(axis=1), known.off, worth.right_from)
    named = real * exists * known.tied * (NAMED - 0.5)
    told = real * exists * known.halved * (TOLD - 0.5)
    weight = float((frames * real).sum())
    gained = float((frames * (found + better + named) + told).sum())
    if worth.usual:
        return gained / worth.usual + _unseen(hits)
    if weight <= 0:
        return 0.0
    missed = float(np.prod(1 - np.clip(hits, 0.02, 0.98)))
    unseen = weight * missed / (1 - missed) * HIT * SETTLED
    return (gained + unseen) / weight


def _unseen(hits: Floats) -> float:
    """Share of a usual segment's objects that all missed so far and the next worker finds.

    Who asks once more because of that asks again when something is found, so that is counted as if it were settled.
    """
    misses = 1 - np.clip(hits, 0.02, 0.98)
    hard = np.maximum(np.minimum(HARDEST * misses, MOST_MISSED), misses)
    return float((1 - HARD) * np.prod(misses) * HIT + HARD * np.prod(hard) * HIT_HARD)


def _after(real: Floats) -> tuple[Floats, Floats]:
    """Chances of being wrong after one more usual worker drew a cluster, and after one was silent about it."""
    drew = np.minimum(real * HIT, (1 - real) * COINCIDENCE)
    return drew, np.minimum(real * (1 - HIT), (1 - real) * (1 - COINCIDENCE))


def _closer(count: Floats, off: Floats, right_from: float | None) -> Floats:
    """How much righter the fused box comes to be by one more: errors shrink with the root of n."""
    n = np.maximum(count, 1).astype(float)
    single = np.where(n > 1, off * np.sqrt(n / np.maximum(n - 1, 1)), SINGLE_OFF)
    now, then = single / np.sqrt(n), single / np.sqrt(n + 1)
    return now - then if right_from is None else 2 * (_wrong(now, right_from) - _wrong(then, right_from))


def _wrong(off: Floats, right_from: float) -> Floats:
    """The chance that a box is not right whose 1 − IoU with the truth is so much in the mean: tails are exponential."""
    return np.exp(-TAIL * (1 - right_from) / np.maximum(off, 1e-9))
