"""How far workers agree with each other beyond chance. Says nothing about who is right: that is the benchmark score.

Krippendorff's alpha is 1 − D_o / D_e: the distance of answers to one unit over the distance of any two answers
(Krippendorff 2018, ch. 12). For labels and numbers both have closed forms over sorted values; for boxes and tracks the
distances are computed, and D_e is estimated from a seeded sample of pairs. Sigma is the share of distances within
units that chance would hardly produce (Braylan & Lease 2022); AC1 is Gwet's (2008), which does not collapse when
nearly all answers are the same, as with rare attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from annotation.core.tracks import Bools, Floats, Ints

Answer = TypeVar("Answer")
Kind = Literal["nominal", "ordinal", "interval"]
Labels = Sequence[Hashable] | NDArray[Any]
MOST_PAIRS = 20_000
RESAMPLES = 1000
RARE = 0.05  # quantile of chance distances under which a distance is no accident


@dataclass(frozen=True, slots=True)
class Alpha:
    """`value` 1 for full agreement, 0 for chance, None where nothing can be said: no unit with two answers, or no
    difference anywhere. `low` and `high` bound 95 % of resampled units. `sigma` is for measured distances only.
    """

    value: float | None
    low: float | None
    high: float | None
    observed: float | None
    expected: float | None
    units: int
    answers: int
    sigma: float | None = None


@dataclass(frozen=True, slots=True)
class Rated:
    """Raw agreement of answers to one unit, and what of it is beyond chance by Gwet's AC1 and by Fleiss' kappa."""

    raw: float
    ac1: float
    kappa: float


def alpha(values: Labels, units: Sequence[Hashable], kind: Kind = "nominal", *, seed: int = 0) -> Alpha:
    """Alpha of labels or numbers, O(n log n): `values` (n,) are answers to `units` (n,), in any order.

    "nominal" compares labels of any type, "ordinal" ranks, "interval" numbers by their squared difference. ValueError
    for NaN (an answer that is missing is not in the list) and for lists of unequal length.
    """
    value = _numbered(values) if kind == "nominal" else np.asarray(values)
    if not np.isfinite(value.astype(float)).all():
        raise ValueError("answers must be finite numbers; leave missing ones out")
    value, unit = _pairable(value, units)
    if kind == "nominal":
        per_unit, expected = _nominal(value, unit)
    else:
        number = _mid_ranks(value) if kind == "ordinal" else value.astype(float)
        per_unit, expected = _interval(number, unit)
    return _result(per_unit, np.bincount(unit), expected, seed)


def alpha_by(
    answers: Sequence[Answer],
    units: Sequence[Hashable],
    distance: Callable[[Answer, Answer], float],
    *,
    most_pairs: int = MOST_PAIRS,
    seed: int = 0,
) -> Alpha:
    """Alpha by any distance (0 for same), such as 1 − soft F of boxes or 1 − soft track F of tracks, with sigma.

    Every pair within a unit is measured; of all pairs at most `most_pairs`, drawn with `seed`.
    """
    at, unit = _pairable(np.arange(len(answers)), units)
    left, right = _within(unit)
    within = np.array([distance(answers[at[i]], answers[at[j]]) for i, j in zip(left, right, strict=True)], float)
    i, j = _chance_pairs(len(at), most_pairs, np.random.default_rng(seed))
    chance = np.array([distance(answers[at[a]], answers[at[b]]) for a, b in zip(i, j, strict=True)], float)
    sizes = np.bincount(unit)
    per_unit = np.bincount(unit[left], 2 * within, minlength=len(sizes)) / np.maximum(1, sizes - 1)
    return _result(per_unit, sizes, float(chance.mean()) if len(chance) else 0.0, seed, _sigma(within, chance))


def without_empty(units: Sequence[Hashable], empty: Sequence[bool]) -> Bools:
    """Mask of the answers to units where at least one answer is not empty: empty ones agree fully and flatter alpha."""
    full = {unit for unit, nothing in zip(units, empty, strict=True) if not nothing}
    return np.array([unit in full for unit in units], bool)


def alpha_of_scores(
    units: Sequence[Sequence[float]], *, chance: float = 0.0, seed: int = 0
) -> tuple[float | None, float | None, float | None]:
    """Alpha with its 95 % interval where only similarities are kept, one list for each unit: value, low, high.

    A similarity of a submission with the others of its unit is 1 − distance; `chance` is the similarity of answers to
    different units, which for tracks is next to nothing. Units with one submission say nothing.
    """
    kept = [np.asarray(u, float) for u in units if len(u) >= 2]
    sizes = np.array([len(u) for u in kept], np.int64)
    found = _result(np.array([(1 - u).sum() for u in kept]), sizes, 1 - chance, seed)
    return found.value, found.low, found.high


def rated(values: Labels, units: Sequence[Hashable]) -> Rated | None:
    """Raw agreement, AC1 and kappa of labels, as in `alpha`; None where no unit has two answers."""
    unit, label = _numbered(units), _numbered(values)
    if not len(unit) or np.bincount(unit).max() < 2:
        return None
    counts = np.zeros((unit.max() + 1, label.max() + 1))
    np.add.at(counts, (unit, label), 1)
    sizes = counts.sum(axis=1)
    several = sizes >= 2
    same = (counts * (counts - 1)).sum(axis=1)[several] / (sizes * (sizes - 1))[several]
    raw, share = float(same.mean()), (counts / sizes[:, None]).mean(axis=0)
    by_ac1 = float((share * (1 - share)).sum() / max(1, len(share) - 1))
    by_kappa = float((share**2).sum())
    return Rated(raw, (raw - by_ac1) / (1 - by_ac1), (raw - by_kappa) / (1 - by_kappa) if by_kappa < 1 else 1.0)


def _numbered(values: Iterable[Hashable]) -> Ints:
    """Labels of any type as numbers, (n,): 1, "1" and True are three of them. ValueError for NaN."""
    number: dict[tuple[type, Hashable], int] = {}
    found = np.array([number.setdefault((type(v), v), len(number)) for v in values], np.int64)
    if any(v != v for _, v in number):
        raise ValueError("NaN is no answer; leave missing ones out")
    return found


def _pairable(values: np.ndarray, units: Sequence[Hashable]) -> tuple[np.ndarray, Ints]:
    """Answers to units with two or more of them, and their units numbered from 0."""
    if len(values) != len(units):
        raise ValueError(f"{len(values)} answers, {len(units)} units")
    number: dict[Hashable, int] = {}
    unit = np.array([number.setdefault(u, len(number)) for u in units], np.int64)
    kept = np.bincount(unit)[unit] >= 2 if len(unit) else np.zeros(0, bool)
    return values[kept], np.unique(unit[kept], return_inverse=True)[1]


def _nominal(value: np.ndarray, unit: Ints) -> tuple[Floats, float]:
    """Distances of ordered pairs within each unit over m − 1, and the mean distance of all pairs."""
    if not len(value):
        return np.zeros(0), 0.0
    label = np.unique(value, return_inverse=True)[1]
    sizes, n = np.bincount(unit), len(value)
    cell, count = np.unique(unit * (label.max() + 1) + label, return_counts=True)
    same = np.bincount(cell // (label.max() + 1), count.astype(float) ** 2)
    totals = np.bincount(label).astype(float)
    return (sizes**2 - same) / (sizes - 1), float((n * n - (totals**2).sum()) / (n * (n - 1)))


def _interval(value: Floats, unit: Ints) -> tuple[Floats, float]:
    """The sum of squared differences of all ordered pairs of m numbers is 2 m times that to their mean."""
    if not len(value):
        return np.zeros(0), 0.0
    value = value - value[0]  # equal numbers are exactly 0 apart then, and numbers far from 0 lose nothing
    sizes = np.bincount(unit)
    means = np.bincount(unit, value) / sizes
    inside = np.bincount(unit, (value - means[unit]) ** 2)
    return 2 * sizes * inside / (sizes - 1), float(2 * ((value - value.mean()) ** 2).sum() / (len(value) - 1))


def _mid_ranks(value: np.ndarray) -> Floats:
    """Krippendorff's ordinal distance is the squared difference of these."""
    _, at, count = np.unique(value, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - count / 2)[at]


def _within(unit: Ints) -> tuple[Ints, Ints]:
    """All unordered pairs of answers to one unit."""
    order = np.argsort(unit, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(unit[order])) + 1) if len(order) else []
    pairs = [np.triu_indices(len(g), 1) for g in groups]
    none = np.zeros(0, np.int64)
    left = np.concatenate([none, *(g[i] for g, (i, _) in zip(groups, pairs, strict=True))])
    return left, np.concatenate([none, *(g[j] for g, (_, j) in zip(groups, pairs, strict=True))])


def _chance_pairs(n: int, most: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """All pairs of n answers, or `most` of them."""
    if n * (n - 1) // 2 <= most:
        return np.triu_indices(n, 1)
    i = rng.integers(0, n, most)
    j = rng.integers(0, n - 1, most)
    return i, j + (j >= i)


def _sigma(within: Floats, chance: Floats) -> float | None:
    if not len(within) or not len(chance):
        return None
    return float((within < np.quantile(chance, RARE)).mean())


def _result(per_unit: Floats, sizes: Ints, expected: float, seed: int, sigma: float | None = None) -> Alpha:
    """Alpha where Σ `per_unit` over all answers is D_o; the interval resamples units, against the same D_e."""
    answers = int(sizes.sum())
    if not answers:
        return Alpha(None, None, None, None, None, 0, 0, sigma)
    observed = float(per_unit.sum() / answers)
    if expected <= 0:
        return Alpha(None, None, None, observed, expected, len(sizes), answers, sigma)
    drawn = np.random.default_rng(seed).multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), RESAMPLES)
    resampled = 1 - (drawn @ per_unit) / (drawn @ sizes) / expected
    low, high = np.quantile(resampled, [0.025, 0.975]).tolist()
    return Alpha(1 - observed / expected, low, high, observed, expected, len(sizes), answers, sigma)
