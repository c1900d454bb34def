"""How far a worker is to be trusted: a posterior over what gold and the other workers say, not a number.

Skill is the mean of a Beta distribution: a prior that a new worker does eight things of ten right, then each score in
[0, 1] as a fraction of a success. Agreement with the others' consensus, the worker's own voice left out, is weaker
evidence: its log likelihood counts by half. Votes weigh log(θ / (1 − θ)), at most 3 and never below 0 (the weights of
an optimal vote of independent answers; Nitzan & Paroush 1982), gates look at the lower 20 % quantile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.stats import beta

GOOD, BAD = 8.0, 2.0  # successes and failures that a new worker is taken to have had
PEER = 0.5
QUANTILE = 0.2
MOST_WEIGHT = 3.0
INVENTED, PRIOR_DRAWN = 0.1, 4.0  # share of a new worker's objects that are invented, and how many that is worth
SPREAD, PRIOR_PLACED = (
    0.05,
    3.0,
)  # error of a new worker's edges as a share of the side, and how many objects it is worth


@dataclass(frozen=True, slots=True)
class Rates:
    """How often a worker finds an object of some label, invents one, and how far the edges are off (share of side)."""

    hit: float
    false_alarm: float
    spread: float


@dataclass(frozen=True, slots=True)
class Skill:
    """`mean` with its 20 % and 80 % quantiles, the weight of a vote in [0, 3], rates over all labels and by label.

    `tasks` is on how many tasks together with others it is based; 0 where nobody counted. `lengths` are log odds, by
    how long a thing is there (`review.core.existing.LENGTHS`), that it is an object rather than an invention, beyond
    what `hit` and `false_alarm` say; empty where nothing is known. `event_hit` and `event_false_alarm` are of what is
    marked and not drawn (intervals); None where there was nothing of it.
    """

    mean: float
    low: float
    high: float
    weight: float
    hit: float
    false_alarm: float
    spread: float
    by_label: Mapping[str, Rates] = field(default_factory=dict)
    tasks: int = 0
    lengths: tuple[float, ...] = ()
    event_hit: float | None = None
    event_false_alarm: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Skill:
        by_label = {label: Rates(**rates) for label, rates in data.get("by_label", {}).items()}
        return cls(**{**data, "by_label": by_label, "lengths": tuple(data.get("lengths") or ())})


@dataclass(frozen=True, slots=True)
class Counts:
    """Objects of gold, those found, objects drawn that gold does not have, and the usual error of the edges.

    `spread` is a share of the side, None where nothing was found.
    """

    objects: float = 0.0
    found: float = 0.0
    invented: float = 0.0
    spread: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One submission judged: its score in [0, 1], against gold or (`peer`) against the others' consensus."""

    score: float
    peer: bool = False
    counts: Mapping[str, Counts] = field(default_factory=dict)


def estimate(evidence: Sequence[Evidence]) -> Skill:
    """The skill that follows from all evidence of one worker; the prior where there is none.

    >>> estimate([]).mean
    0.8
    """
    worth = np.array([PEER if e.peer else 1.0 for e in evidence])
    score = np.clip(np.array([e.score for e in evidence], float), 0.0, 1.0)
    if np.isnan(score).any():
        raise ValueError("a score is not a number")
    good, bad = GOOD + float(worth @ score), BAD + float(worth @ (1 - score))
    low, high = beta.ppf([QUANTILE, 1 - QUANTILE], good, bad)
    counted = [(label, e.counts[label]) for e in evidence if not e.peer for label in e.counts]
    usual = Rates(GOOD / (GOOD + BAD), INVENTED, SPREAD)
    over_all = _rates([c for _, c in counted], usual)
    by_label = {
        label: _rates([c for has, c in counted if has == label], over_all) for label in sorted({c[0] for c in counted})
    }
    return Skill(
        good / (good + bad),
        float(low),
        float(high),
        vote_weight(good / (good + bad)),
        over_all.hit,
        over_all.false_alarm,
        over_all.spread,
        by_label,
    )


def vote_weight(skill: float) -> float:
    """log(θ / (1 − θ)) clipped to [0, 3]: who is right no more often than not has no voice."""
    if skill >= 1:
        return MOST_WEIGHT
    return float(np.clip(np.log(skill / (1 - skill)), 0.0, MOST_WEIGHT)) if skill > 0.5 else 0.0


def _rates(counts: Sequence[Counts], usual: Rates) -> Rates:
    """Rates seen, drawn towards the usual ones where little was seen."""
    objects, found = sum(c.objects for c in counts), sum(c.found for c in counts)
    invented = sum(c.invented for c in counts)
    placed = [(c.found, c.spread) for c in counts if c.spread is not None]
    squares = sum(n * s * s for n, s in placed) + PRIOR_PLACED * usual.spread**2
    prior = GOOD + BAD
    return Rates(
        (found + usual.hit * prior) / (objects + prior),
        (invented + usual.false_alarm * PRIOR_DRAWN) / (found + invented + PRIOR_DRAWN),
        float(np.sqrt(squares / (sum(n for n, _ in placed) + PRIOR_PLACED))),
    )


def estimate_from_figures(*, gold: Sequence[Mapping[str, Any]], peers: Sequence[float]) -> Skill:
    """`estimate` from stored `BenchmarkScore.to_json()` and soft track F with the consensus of the others."""
    seen = [
        Evidence(g["soft_track_f"], counts={label: Counts(**c) for label, c in g.get("counts", {}).items()})
        for g in gold
    ]
    return estimate([*seen, *(Evidence(p, peer=True) for p in peers)])
