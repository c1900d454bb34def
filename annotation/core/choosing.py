"""The best joins among candidates, and how sure each of them is.

What counts is not how similar two tracks are but what the best answer without their join would lose: its partners may
be exchanged, or taken by a track that has none. Over more shared frames a small loss says more, by the square root of
their number; what share of joins is wrong at which loss was fitted on simulated segments (see docs/stitching.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from annotation.core.joins import Join, Ref
from annotation.core.matching import best_pairs
from annotation.core.tracks import Bools, Floats, Ints

GATE = 0.3  # similarity under which two tracks are not joined
MARGIN = 0.12  # a smaller margin is doubtful: there about one join in four is wrong
WRONG, SLOPE = -0.39, 8.96  # the log-odds that a join is wrong are WRONG − SLOPE · margin
MOTION = 3  # frames that carried motion weighs as much as, where no frame shows both tracks
SURE = 0.999  # confidence of a border's join that has no rival, as measured where tracks are missed
NOISE = 0.04  # standard deviation of a drawn edge, in sides of the box, where no joined tracks tell
STILL = 0.045  # tracks are taken to lie apart by at least this, so that perfect ones allow for a bad one
ODD, ODD_SIMILARITY = 4.0, 0.5  # tracks this many times farther apart than usual, and this little similar, are doubtful
ALIEN, ALIEN_SIMILARITY = 6.0, 0.5  # and those that lie this much apart even where they are nearest are not joined


@dataclass(frozen=True, eq=False, slots=True)
class Candidates:
    """Pairs of a row and a column that may be one object, c of them, with what speaks for each."""

    rows: Sequence[Ref]
    columns: Sequence[Ref]
    i: Ints
    j: Ints
    similarity: Floats
    shared: Ints
    error: Floats
    nearest: Floats

    def only(self, keep: Sequence[bool] | np.ndarray) -> Candidates:
        keep = np.asarray(keep, bool)
        columns = (self.i, self.j, self.similarity, self.shared, self.error, self.nearest)
        return Candidates(self.rows, self.columns, *(column[keep] for column in columns))


def choose(candidates: Candidates, kind: Literal["border", "gap"]) -> list[Join]:
    """The one to one joins whose similarities above the gate have the greatest sum."""
    c = candidates.only(candidates.similarity > GATE)
    if not len(c.i):
        return []
    picked = best_pairs(c.i, c.j, c.similarity - GATE)
    rivalled = (np.bincount(c.i)[c.i] > 1) | (np.bincount(c.j)[c.j] > 1)
    table = _Table(c, picked, rivalled)
    rows, columns, similarity, shared, error, nearest, has = (
        a[picked].tolist() for a in (c.i, c.j, c.similarity, c.shared, c.error, c.nearest, rivalled)
    )
    losses = [table.loss(i, j) if r else None for i, j, r in zip(rows, columns, has, strict=True)]
    margins = [
        1.0 if loss is None else min(1.0, loss * (1.0 + (frames or MOTION)) ** 0.5)
        for loss, frames in zip(losses, shared, strict=True)
    ]
    rivals = [table.rivals(i, j) if r else () for i, j, r in zip(rows, columns, has, strict=True)]
    sure = _right(np.array(margins)).tolist()
    found = zip(rows, columns, sure, similarity, margins, shared, error, rivals, nearest, strict=True)
    return [
        Join(c.rows[i], c.columns[j], kind, p, margin < MARGIN, alike, margin, frames, apart, False, others, near)
        for i, j, p, alike, margin, frames, apart, others, near in found
    ]


def _right(margin: Floats) -> Floats:
    """The shares of joins that are right at some margins."""
    return np.minimum(SURE, 1.0 - 1.0 / (1.0 + np.exp(SLOPE * margin - WRONG)))


class _Table:
    """Candidates that have rivals by row and column, and who is joined with whom."""

    def __init__(self, c: Candidates, picked: Bools, rivalled: Bools) -> None:
        self.c = c
        self.of_row: dict[int, dict[int, float]] = {}
        self.of_column: dict[int, dict[int, float]] = {}
        gains = (c.similarity - GATE)[rivalled]
        for i, j, g in zip(c.i[rivalled].tolist(), c.j[rivalled].tolist(), gains.tolist(), strict=True):
            self.of_row.setdefault(i, {})[j] = g
            self.of_column.setdefault(j, {})[i] = g
        both = picked & rivalled
        self.partner = dict(zip(c.i[both].tolist(), c.j[both].tolist(), strict=True))
        self.holder = {j: i for i, j in self.partner.items()}

    def loss(self, i: int, j: int) -> float | None:
        """What the best exchange of partners loses that parts i from j; None where there is none to exchange with."""
        swaps = []
        for column, gain in self.of_row[i].items():
            holder = self.holder.get(column)
            if column != j:
                back = 0.0 if holder is None else self.of_row[holder].get(j, 0.0) - self.of_row[holder][column]
                swaps.append(gain + back)
        for row, gain in self.of_column[j].items():
            held = self.partner.get(row)
            if row != i:
                back = 0.0 if held is None else self.of_row[i].get(held, 0.0) - self.of_row[row][held]
                swaps.append(gain + back)
        return self.of_row[i][j] - max(swaps) if swaps else None

    def rivals(self, i: int, j: int) -> tuple[tuple[Ref, float], ...]:
        found = [(self.c.columns[k], gain + GATE) for k, gain in self.of_row[i].items() if k != j]
        found += [(self.c.rows[k], gain + GATE) for k, gain in self.of_column[j].items() if k != i]
        return tuple(sorted(found, key=lambda rival: (-rival[1], rival[0])))


def typical_error(joins: Sequence[Join]) -> float:
    """How far joined tracks usually lie apart: the median of the video's borders, in sides of the box."""
    errors = [j.error for j in joins if j.shared]
    return float(np.median(errors)) if errors else NOISE * 2**0.5


def judge(joins: Sequence[Join], usual: float) -> list[Join]:
    """Joins, those that lie strangely far apart doubtful, `usual` being how far others of the video do; no aliens."""
    if not joins:
        return []
    error, nearest = np.array([(j.error, j.nearest) if j.shared else (0.0, 0.0) for j in joins]).T
    similarity, margin = np.array([j.similarity for j in joins]), np.array([j.margin for j in joins])
    alien = (nearest > ALIEN * max(usual, STILL)) & (similarity < ALIEN_SIMILARITY)
    strange = (error > ODD * max(usual, STILL)) & (similarity < ODD_SIMILARITY)
    right = _right(margin)
    confidence = np.where(strange, right / 2, right).tolist()
    doubtful = (strange | (margin < MARGIN)).tolist()
    judged = zip(joins, confidence, doubtful, alien.tolist(), strict=True)
    return [_with(join, sure, doubt) for join, sure, doubt, other in judged if not other]


def _with(join: Join, confidence: float, doubtful: bool) -> Join:
    if (join.confidence, join.doubtful) == (confidence, doubtful):
        return join
    return join._replace(confidence=confidence, doubtful=doubtful)
