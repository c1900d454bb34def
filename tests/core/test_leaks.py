"""The classifier that looks for leaks (`tests.crowd.leaks`) finds what is there and nothing else."""

from __future__ import annotations

import numpy as np

from tests.crowd.leaks import auc, balanced, cross_validated_auc, loudest

ROWS, COLUMNS = 1000, 30


def observed(seed: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 200, ROWS)
    return rng.normal(size=(ROWS, COLUMNS)), (groups % 2).astype(int), groups.tolist()


def test_where_nothing_leaks_it_does_no_better_than_chance() -> None:
    x, y, groups = observed(1)
    assert 0.45 <= cross_validated_auc(x, y, groups, seed=1) <= 0.55


def test_small_leaks_are_found() -> None:
    x, y, groups = observed(2)
    x[:, 3] += y  # a little later, as a submit that runs one statement more
    assert cross_validated_auc(x, y, groups, seed=1) > 0.6
    x, y, groups = observed(3)
    x[:, 0], x[:, 1] = np.sign(x[:, 0]), np.sign(x[:, 0]) * np.where(y == 1, 1, -1)  # two that tell only together
    assert cross_validated_auc(x, y, groups, seed=1) > 0.6


def test_one_column_that_tells_a_little_is_named_and_none_where_there_is_none() -> None:
    x, y, groups = observed(5)
    assert loudest(x, y, groups, seed=1).p > 0.01
    x[:, 3] += 0.3 * y
    found = loudest(x, y, groups, seed=1)
    assert (found.column, found.p) == (3, 0.001) and 0.52 < found.auc < 0.65


def test_a_column_that_is_the_same_within_a_segment_is_not_named_for_that() -> None:
    x, y, groups = observed(6)
    x[:, 7] = np.random.default_rng(7).normal(size=200)[groups]
    assert loudest(x, y, groups, seed=1).p > 0.01


def test_knowing_a_segment_from_others_helps_nobody() -> None:
    x, y, groups = observed(4)
    x[:, 5] = groups
    assert 0.4 <= cross_validated_auc(x, y, groups, seed=1) <= 0.6


def test_the_curve_of_ties_and_of_what_is_certain() -> None:
    assert auc(np.array([1, 1, 1, 1]), np.array([0, 1, 0, 1])) == 0.5
    assert auc(np.array([1, 2, 3, 4]), np.array([0, 0, 1, 1])) == 1.0


def test_stretches_hold_as_many_of_either() -> None:
    kept = balanced(np.array([1, 1, 1, 0, 0, 0, 0, 1]), 4, seed=1)
    assert len(kept) == 4
