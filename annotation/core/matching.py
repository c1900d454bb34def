"""Pairing two lists one to one, and the similarities of tracks that are paired. The only door to the assignment solver.

A matching has the greatest sum of similarities (Kuhn 1955; scipy's solver is Crouse 2016's). Most of a real problem is
obvious, so the solver sees only what is left: pairs that outweigh everything they exclude are taken at once, and the
rest falls into connected components that are solved one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.core.overlaps import Overlaps, overlaps_in_parts
from annotation.core.tracks import Bools, Dense, Floats, Ints

_SMALL, _DENSE = 1024, 0.2  # cells, and share of them above 0, where the solver alone is quicker
_AT_ONCE = 1 << 16  # pairs of tracks whose frames are held in memory at once


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """`pairs` (k, 2) of rows and columns of a table of that `shape`, sorted by row."""

    pairs: Ints
    shape: tuple[int, int]

    @property
    def left(self) -> Ints:
        """Rows without a partner."""
        return _without(self.pairs[:, 0], self.shape[0])

    @property
    def right(self) -> Ints:
        """Columns without a partner."""
        return _without(self.pairs[:, 1], self.shape[1])


def match(similarity: ArrayLike, floor: float = 0.0) -> Matches:
    """The one to one pairs with the greatest sum of similarity among those above 0 and at or above `floor`.

    `similarity` is (n, m), 1 for same; NaN is no evidence, thus no pair. The same input gives the same pairs.

    >>> match([[0.9, 0.8], [0.7, 0.1]]).pairs.tolist()
    [[0, 1], [1, 0]]
    """
    table = np.asarray(similarity, dtype=float)
    if table.ndim != 2:
        raise ValueError(f"similarity must be a table (n, m), not of shape {table.shape}")
    table = np.where((table > 0) & (table >= floor), table, 0.0)
    if table.size <= _SMALL or np.count_nonzero(table) > table.size * _DENSE:
        row, column = _assign(table)
        chosen = table[row, column] > 0
    else:
        row, column = np.nonzero(table)
        chosen = best_pairs(row, column, table[row, column])
    return Matches(np.array([row[chosen], column[chosen]]).T, table.shape)


def _assign(gains: Floats) -> tuple[Ints, Ints]:
    # Imported late: the package around the solver is a seventh of the start of every process, and most never solve.
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(gains, maximize=True)


def _without(taken: Ints, n: int) -> Ints:
    """Which of 0 to n − 1 were not taken."""
    free = np.ones(n, bool)
    free[taken] = False
    return np.flatnonzero(free)


def best_pairs(left: Ints, right: Ints, weight: Floats) -> Bools:
    """Which edges of a sparse bipartite graph make up its matching of greatest weight.

    Three arrays of one length; nodes are any integers ≥ 0, no edge comes twice, weights are above 0. Returns a mask.
    """
    chosen = np.zeros(len(weight), bool)
    open_ = np.arange(len(weight))
    while len(open_):
        sure = _dominant(left[open_], right[open_], weight[open_])
        if not sure.any():
            break
        taken = open_[sure]
        chosen[taken] = True
        open_ = open_[~(_touched(left, open_, taken) | _touched(right, open_, taken))]
    if len(open_):
        chosen[open_] = _solve_components(left[open_], right[open_], weight[open_])
    return chosen


def _touched(node: Ints, edges: Ints, taken: Ints) -> Bools:
    """Which edges share a node with one that was taken."""
    hit = np.zeros(node[edges].max() + 1, bool)
    hit[node[taken]] = True
    return hit[node[edges]]


def _dominant(left: Ints, right: Ints, weight: Floats) -> Bools:
    """Edges that outweigh the best other edge at one end plus the best other edge at the other: always optimal."""
    return weight > _best_other(left, weight) + _best_other(right, weight)


def _best_other(node: Ints, weight: Floats) -> Floats:
    """For each edge, the greatest weight among the other edges at its node, 0 if there is none."""
    first = np.zeros(node.max() + 1)
    np.maximum.at(first, node, weight)
    is_first = weight == first[node]
    second = np.zeros(len(first))
    np.maximum.at(second, node[~is_first], weight[~is_first])
    alone = np.bincount(node[is_first], minlength=len(first)) == 1
    return np.where(is_first & alone[node], second[node], first[node])


def _solve_components(left: Ints, right: Ints, weight: Floats) -> Bools:
    from scipy.sparse import coo_array  # late, as above
    from scipy.sparse.csgraph import connected_components

    rows, row = np.unique(left, return_inverse=True)
    columns, column = np.unique(right, return_inverse=True)
    n = len(rows) + len(columns)
    graph = coo_array((np.ones(len(row)), (row, column + len(rows))), shape=(n, n))
    groups, group = connected_components(graph, directed=False)
    component = group[row]
    row, column = _place(group[: len(rows)])[row], _place(group[len(rows) :])[column]
    large = np.zeros(groups, bool)
    large[component[(row > 1) | (column > 1)]] = True
    chosen = _solve_two_by_two(component, row & 1, column & 1, weight)
    order = np.argsort(component, kind="stable")
    order = order[large[component[order]]]
    for edges in np.split(order, np.flatnonzero(np.diff(component[order])) + 1) if len(order) else ():
        chosen[edges] = _solve(row[edges], column[edges], weight[edges])
    return chosen


def _place(group: Ints) -> Ints:
    """The place of each node among the nodes of its group, from 0."""
    order = np.argsort(group, kind="stable")
    count = np.bincount(group)
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - (np.cumsum(count) - count)[group[order]]
    return place


def _solve_two_by_two(component: Ints, row: Ints, column: Ints, weight: Floats) -> Bools:
    """All components of at most two rows and columns at once, by the larger diagonal; others come out as anything."""
    table = np.zeros((component.max() + 1, 2, 2))
    table[component, row, column] = weight
    straight = table[:, 0, 0] + table[:, 1, 1] >= table[:, 0, 1] + table[:, 1, 0]
    return straight[component] == (row == column)


def _solve(row: Ints, column: Ints, weight: Floats) -> Bools:
    """`best_pairs` by the solver alone: for a few edges, where looking for obvious ones costs more than it saves."""
    # Dictionaries, since np.unique costs more than all the rest on the few edges that come here.
    rows, columns = ({node: i for i, node in enumerate(dict.fromkeys(nodes.tolist()))} for nodes in (row, column))
    r = np.array([rows[node] for node in row.tolist()])
    c = np.array([columns[node] for node in column.tolist()])
    table = np.zeros((len(rows), len(columns)))
    table[r, c] = weight
    partner = np.full(len(rows), -1)
    at, to = _assign(table)
    partner[at] = to
    return partner[r] == c


def soft_f(similarity: ArrayLike) -> float:
    """2 · Σ similarity of the matched pairs / (n + m) of a table (n, m), in [0, 1]; both empty 1, one empty 0."""
    table = np.asarray(similarity, dtype=float)
    if 0 in table.shape:
        return float(table.shape[0] == table.shape[1])
    row, column = match(table).pairs.T
    return float(2 * table[row, column].sum() / sum(table.shape))


def hard_f1(similarity: ArrayLike, floor: float = 0.5) -> float:
    """F1 of a table (n, m) where a pair at or above `floor` is a hit; both empty 1, one empty 0."""
    table = np.asarray(similarity, dtype=float)
    if 0 in table.shape:
        return float(table.shape[0] == table.shape[1])
    return 2 * len(match(table, floor).pairs) / sum(table.shape)


def track_iou(a: Dense, b: Dense, *, labels: bool = True, shared: Overlaps | None = None) -> Floats:
    """Spatio-temporal IoU of tracks, Σ IoU / frames on which either is there: (n, m) in [0, 1], to score with.

    Tracks of different labels have 0, unless `labels` is False. RangesDiffer unless filled over the same frames.
    `shared` are the overlaps of the two, if known.
    """
    return _track_iou(a, b, _sums(a, b) if shared is None else _summed((shared,), len(a.ids), len(b.ids), 0), labels)


def _track_iou(a: Dense, b: Dense, total: Floats, labels: bool) -> Floats:
    common = _common_frames(a, b)
    either = a.present.sum(axis=1)[:, None] + b.present.sum(axis=1)[None, :] - common
    found = np.divide(total, either, out=np.zeros_like(total), where=either > 0)
    return np.where(same_label(a, b), found, 0.0) if labels else found


def link_iou(a: Dense, b: Dense, n_min: int = 1, *, labels: bool = True) -> Floats:
    """Mean IoU over the frames where both tracks are: (n, m) in [0, 1], to link with.

    NaN with fewer than `n_min` common frames (no evidence, which is not a match) and between labels.
    """
    total = _sums(a, b)
    common = _common_frames(a, b)
    known = (common >= max(1, n_min)) & (same_label(a, b) | (not labels))
    return np.divide(total, common, out=np.full(total.shape, np.nan), where=known)


def track_soft_f(a: Dense, b: Dense, *, labels: bool = True) -> float:
    """Soft F of two sets of tracks over the same frames, by spatio-temporal IoU: 1 for same; both empty 1."""
    return _soft_f(a, b, _sums(a, b), labels)


def track_soft_fs(some: Sequence[Dense], one: Dense) -> list[float]:
    """`track_soft_f` of each of several sets with `one`, all of them looked at once. RangesDiffer."""
    compared = np.zeros((len(some) + 1, len(some) + 1), bool)
    compared[:-1, -1] = True
    rows = np.cumsum([0, *(len(a.ids) for a in some)]).tolist()
    total = _summed(overlaps_in_parts((*some, one), compared), rows[-1], len(one.ids), rows[-1])
    return [_soft_f(a, one, total[i:j]) for a, (i, j) in zip(some, pairwise(rows), strict=True)]


def _soft_f(a: Dense, b: Dense, total: Floats, labels: bool = True) -> float:
    n, m = total.shape
    if n * m <= _SMALL:
        return soft_f(_track_iou(a, b, total, labels))
    # Of many tracks hardly any two lie on each other: only those that do are looked at.
    left, right = np.nonzero(np.where(same_label(a, b), total, 0.0) if labels else total)
    some = (slice(at, at + _AT_ONCE) for at in range(0, len(left), _AT_ONCE))
    either = [np.sum(a.present[left[part]] | b.present[right[part]], axis=1) for part in some]
    alike = total[left, right] / np.concatenate([np.zeros(0), *either])
    return float(2 * alike[best_pairs(left, right, alike)].sum() / (n + m))


def same_label(a: Dense, b: Dense) -> NDArray[np.bool_]:
    """(n, m): whether two tracks have the same label."""
    code = {label: i for i, label in enumerate(dict.fromkeys(a.labels + b.labels))}
    left = np.array([code[label] for label in a.labels], np.int64)
    return left[:, None] == np.array([code[label] for label in b.labels], np.int64)[None, :]


def _sums(a: Dense, b: Dense) -> Floats:
    """(n, m): Σ IoU over frames."""
    parts = overlaps_in_parts((a, b), np.array([[False, True], [False, False]]))
    return _summed(parts, len(a.ids), len(b.ids), len(a.ids))


def _summed(parts: Iterable[Overlaps], n: int, m: int, first: int) -> Floats:
    """(n, m): Σ IoU over frames, of n rows with m on the right that are numbered from `first` on."""
    total = np.zeros(n * m)
    for found in parts:
        np.add.at(total, found.left * m + found.right - first, found.iou)
    return total.reshape(n, m)


def _common_frames(a: Dense, b: Dense) -> Floats:
    """(n, m): on how many frames both tracks are there."""
    return (a.present.astype(np.float32) @ b.present.T.astype(np.float32)).astype(float)
