from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.core.aggregation import Answers, dawid_skene, enough, majority, posterior, skill_on_gold
from tests.core.cast import DATA, needs_data


def table(rows: list[tuple[int, int, int]], labels: int) -> Answers:
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Answers(columns[0], columns[1], columns[2], labels)


def real(name: str) -> tuple[Answers, np.ndarray, np.ndarray]:
    rows = np.loadtxt(DATA / "crowd_labels" / name / "answers.csv", delimiter=",", skiprows=1, dtype=int)
    truth = np.loadtxt(DATA / "crowd_labels" / name / "truth.csv", delimiter=",", skiprows=1, dtype=int)
    items, item = np.unique(rows[:, 0], return_inverse=True)
    worker = np.unique(rows[:, 1], return_inverse=True)[1]
    answers = Answers(item, worker, rows[:, 2], int(rows[:, 2].max()) + 1)
    return answers, np.searchsorted(items, truth[:, 0]), truth[:, 1]


@needs_data
@pytest.mark.parametrize(
    ("name", "votes", "learnt"), [("bluebirds", 0.759, 0.889), ("dogs", 0.818, 0.842), ("faces", 0.630, 0.640)]
)
def test_real_answers_are_read_at_least_as_well_as_published(name, votes, learnt):
    answers, at, truth = real(name)
    assert (majority(answers).argmax(axis=1)[at] == truth).mean() == pytest.approx(votes, abs=0.005)
    assert (dawid_skene(answers).label[at] == truth).mean() >= learnt


def naive_step(answers: Answers, post: np.ndarray) -> np.ndarray:
    """One round of expectation maximisation by loops."""
    confusion = np.full((answers.workers, answers.labels, answers.labels), 0.01)
    share = np.full(answers.labels, 0.01)
    rows = list(zip(answers.item, answers.worker, answers.label, strict=True))
    for item, worker, label in rows:
        confusion[worker, :, label] += post[item]
    for p in post:
        share += p
    confusion /= confusion.sum(axis=2, keepdims=True)
    out = np.tile(share / share.sum(), (len(post), 1))
    for item, worker, label in rows:
        out[item] *= confusion[worker, :, label]
    return out / out.sum(axis=1, keepdims=True)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 4), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_what_was_learnt_is_where_the_naive_loops_end(seed, items, workers, labels):
    rng = np.random.default_rng(seed)
    item = np.concatenate([np.arange(items), rng.integers(0, items, 20)])
    answers = Answers(item, rng.integers(0, workers, len(item)), rng.integers(0, labels, len(item)), labels)
    post = majority(answers)
    for _ in range(100):
        before, post = post, naive_step(answers, post)
        if np.abs(post - before).max() < 1e-5:
            break
    assert dawid_skene(answers, one_coin=False).posterior == pytest.approx(post, abs=1e-6)


def test_a_liar_who_always_lies_is_as_good_as_one_who_never_does():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 60)
    rows = [(i, w, int(t) if w < 2 else 1 - int(t)) for i, t in enumerate(truth) for w in range(3)]
    found = dawid_skene(table(rows, 2))
    assert np.array_equal(found.label, truth)
    assert found.confusion[2, 0, 1] > 0.9


def test_few_answers_are_read_with_one_coin_per_worker():
    found = dawid_skene(table([(0, 0, 1), (0, 1, 1), (0, 2, 0), (1, 0, 0), (1, 1, 0)], 3))
    assert found.label.tolist() == [1, 0]
    right = found.confusion[0].diagonal()
    assert right == pytest.approx(np.full(3, right[0]))


def test_gold_fixes_its_items_and_teaches_about_workers():
    rows = [(i, w, int(w > 0)) for i in range(9) for w in range(3)]
    assert set(dawid_skene(table(rows, 2), one_coin=True).label) == {1}
    found = dawid_skene(table(rows, 2), known=dict.fromkeys(range(6), 0), one_coin=True)
    assert found.label.tolist() == [0] * 9
    assert found.posterior[0].tolist() == [1.0, 0.0]


def test_votes_of_no_weight_decide_nothing():
    answers = table([(0, 0, 1), (0, 1, 0), (1, 1, 1)], 2)
    assert majority(answers, [1.0, 0.0]).tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert majority(table([], 2)).shape == (0, 2)
    assert dawid_skene(table([], 2)).posterior.shape == (0, 2)


@pytest.mark.parametrize(
    ("given_labels", "skills", "label", "probability"),
    [([0, 0], [0.7, 0.9], 0, 0.9767), ([0, 1], [0.7, 0.9], 1, 0.7606), ([0, 1, 1], [0.7, 0.9, 0.8], 1, 0.9621)],
)
def test_published_posteriors_come_out(given_labels, skills, label, probability):
    assert posterior(given_labels, skills, 3)[label] == pytest.approx(probability, abs=5e-5)


def test_one_item_gets_two_to_five_answers():
    assert not enough([0], [0.99], 2)
    assert enough([0, 0], [0.8, 0.8], 2)
    assert not enough([0, 1], [0.8, 0.8], 2)
    assert enough([0, 1, 0, 1, 1], [0.6] * 5, 2)
    assert skill_on_gold(0, 0) == 0.5
    assert skill_on_gold(9, 9) == 0.95
