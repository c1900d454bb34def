"""Skills from everybody's submissions: what has no say in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Tracks, make_track
from review.core.learning import Answers, learn, learn_spreads

FRAMES = np.arange(60)


def submitted(rng: np.random.Generator, noise: float) -> Tracks:
    """Two who walk beside each other, each drawn with an error of its own."""
    tracks = []
    for k, left in enumerate((100.0, 300.0)):
        boxes = np.array([left, 100, left + 40, 220]) + FRAMES[::10, None] * 2.0 + rng.normal(0, noise, (6, 4))
        tracks.append(make_track(str(k), "person", FRAMES[::10], boxes))
    return Tracks(0, 60, tuple(tracks))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 6))
def test_the_order_of_a_tasks_seats_changes_no_skill(seed: int, workers: int):
    rng = np.random.default_rng(seed)
    tasks = [[submitted(rng, 1.0 + 3 * w) for w in range(workers)] for _ in range(2)]
    orders = [list(range(workers)), rng.permutation(workers).tolist()]
    first, second = (
        learn([Answers(0, 60, tuple(f"w{w}" for w in order), tuple(task[w] for w in order), None) for task in tasks])
        for order in orders
    )
    assert first.skills == second.skills


def test_a_difference_of_two_workers_is_one_of_their_pair_whoever_is_named_first():
    said = np.array([[0, 1, 0.1], [1, 0, 0.3], [0, 1, 0.2], [2, 1, 0.4]])
    turned = said[:, [1, 0, 2]]
    assert learn_spreads(said, 3) == pytest.approx(learn_spreads(turned, 3))
    mixed = np.array([[0, 1, 0.1], [0, 1, 0.3], [0, 1, 0.2], [1, 2, 0.4]])
    assert learn_spreads(said, 3) == pytest.approx(learn_spreads(mixed, 3))


def test_of_workers_whom_nobody_met_the_usual_spread_is_taken():
    assert learn_spreads(np.zeros((0, 3)), 3) == pytest.approx([0.05] * 3)


def test_what_nobody_answered_teaches_nothing():
    given = [Answers(0, 60, ("ann", "bob"), tuple(submitted(np.random.default_rng(1), noise) for noise in (1, 2)))]
    assert (
        learn([*given, Answers(5, 9, (), ()), Answers(5, 9, (), (), given[0].drawn[0])]).skills == learn(given).skills
    )
    assert learn([Answers(5, 9, (), ())]).skills == {}
