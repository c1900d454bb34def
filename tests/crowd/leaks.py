"""What must not be told apart, looked at in two ways, in numpy alone: by a classifier of all columns together (boosted
trees, cross-validated), and by the one column that tells most, held against labels dealt anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

BINS, TREES, DEPTH, RATE, LEAST = 16, 60, 3, 0.15, 15


def cross_validated_auc(x: np.ndarray, y: np.ndarray, groups: Sequence[object], seed: int, folds: int = 5) -> float:
    """Area under the curve of out-of-fold scores; all rows (n, f) of a group are in one fold, so that knowing the group
    helps nobody."""
    names = sorted(set(map(str, groups)))
    dealt = dict(zip(names, np.random.default_rng(seed).permutation(len(names)) % folds, strict=True))
    fold = np.array([dealt[str(g)] for g in groups])
    bins = binned(x)
    ranks = np.zeros(len(y))
    for k in range(folds):
        train, test = fold != k, fold == k
        # Scores of different models are not comparable, their ranks within a fold are.
        ranks[test] = rankdata(boosted(bins[train], y[train], bins[test])) / max(1, test.sum())
    return auc(ranks, y)


def auc(score: np.ndarray, y: np.ndarray) -> float:
    """Chance that a row of class 1 scores above one of class 0, ties by half."""
    ranks, ones = rankdata(score), int(y.sum())
    return float((ranks[y == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones)))


@dataclass(frozen=True)
class Loudest:
    """The column that tells most: `p` is how often one tells as much by chance, `auc` what it is worth by itself."""

    column: int
    auc: float
    p: float


def loudest(x: np.ndarray, y: np.ndarray, groups: Sequence[object], seed: int, shuffles: int = 999) -> Loudest:
    """The rank sum of every column of x (n, f) against those where the groups' labels are shuffled, the largest of all
    columns each time (Westfall & Young 1993), so that however many columns there are, none is named by chance.

    Shuffled are groups, each of one label: rows of one segment are not independent. It sees a column that shifts by
    0.3 standard deviations among 1200 rows, which the trees do not.
    """
    _, group = np.unique(np.array([str(g) for g in groups]), return_inverse=True)
    label = np.zeros(group.max() + 1)
    label[group] = y
    rng = np.random.default_rng(seed)
    dealt = np.stack([y, *(rng.permutation(label)[group] for _ in range(shuffles))], axis=1).astype(float)
    dealt -= dealt.mean(axis=0)
    dealt /= np.sqrt((dealt**2).sum(axis=0))
    ranks = np.stack([rankdata(column) for column in x.T], axis=1)
    ranks = (ranks - ranks.mean(axis=0)) / np.maximum(ranks.std(axis=0), 1e-9)
    says = np.abs(ranks.T @ dealt)
    says /= np.maximum(says.std(axis=1, keepdims=True), 1e-9)
    most, column = says.max(axis=0), int(says[:, 0].argmax())
    return Loudest(column, auc(x[:, column], y), float((most >= most[0]).mean()))


def binned(x: np.ndarray) -> np.ndarray:
    """Each column in up to BINS bins of equal share."""
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in x.T]
    return np.stack([np.searchsorted(e, column, side="left") for e, column in zip(edges, x.T, strict=True)], axis=1)


def boosted(x: np.ndarray, y: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """Log odds of unseen rows, by trees that are each fitted to what the ones before left over (Friedman 2001)."""
    known, wanted = np.zeros(len(x)), np.zeros(len(unseen))
    for _ in range(TREES):
        p = expit(known)
        _grow(x, y - p, p * (1 - p), np.arange(len(x)), unseen, np.arange(len(unseen)), known, wanted, DEPTH)
    return wanted


def _grow(x, rest, weight, rows, unseen, at, known, wanted, depth) -> None:
    split = _best_split(x[rows], rest[rows], weight[rows]) if depth and len(rows) >= 2 * LEAST else None
    if split is None:
        value = RATE * rest[rows].sum() / (weight[rows].sum() + 1.0)
        known[rows] += value
        wanted[at] += value
        return
    column, cut = split
    for side in (True, False):
        here = rows[(x[rows, column] <= cut) == side]
        there = at[(unseen[at, column] <= cut) == side]
        _grow(x, rest, weight, here, unseen, there, known, wanted, depth - 1)


def _best_split(x: np.ndarray, rest: np.ndarray, weight: np.ndarray) -> tuple[int, int] | None:
    columns = x.shape[1]
    place = (x + BINS * np.arange(columns)).ravel()

    def below(values: np.ndarray) -> np.ndarray:
        """Sums (f, BINS − 1) of what lies at or under each cut."""
        sums = np.bincount(place, weights=np.repeat(values, columns), minlength=BINS * columns)
        return np.cumsum(sums.reshape(columns, BINS), axis=1)[:, :-1]

    sums, masses, counts = below(rest), below(weight), below(np.ones(len(x)))
    total, mass = rest.sum(), weight.sum()
    gain = sums**2 / (masses + 1) + (total - sums) ** 2 / (mass - masses + 1) - total**2 / (mass + 1)
    gain[(counts < LEAST) | (len(x) - counts < LEAST)] = 0
    column, cut = divmod(int(gain.argmax()), BINS - 1)
    return (column, cut) if gain.max() > 1e-6 else None


def balanced(y: np.ndarray, stretch: int, seed: int) -> np.ndarray:
    """Rows, as many of either class within each stretch of so many successive ones."""
    rng, kept = np.random.default_rng(seed), []
    for begin in range(0, len(y), stretch):
        here = np.arange(begin, min(len(y), begin + stretch))
        few = min((y[here] == 1).sum(), (y[here] == 0).sum())
        kept += [rng.permutation(here[y[here] == c])[:few] for c in (0, 1)]
    return np.sort(np.concatenate(kept))
