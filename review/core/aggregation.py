"""From several workers' labels to one per item, with the probability of each.

Dawid & Skene 1979: every worker has a confusion matrix, every item an unknown label, and each explains the other. It
starts from the majority and is smoothed, so that a worker with few answers is never certain. Where answers are few,
a worker is one coin: right or wrong, whatever the label. The posterior of one item from known skills is Toloka's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.tracks import Floats, Ints

SMOOTHING = 0.01
ROUNDS = 100
SETTLED = 1e-5
FEW = 2.0  # answers per worker and cell of the confusion matrix below which a worker is one coin


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """n answers: items and workers numbered from 0, labels from 0 to `labels` − 1; three arrays (n,)."""

    item: Ints
    worker: Ints
    label: Ints
    labels: int

    @property
    def items(self) -> int:
        return int(self.item.max(initial=-1)) + 1

    @property
    def workers(self) -> int:
        return int(self.worker.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """`posterior` (items, labels) sums to 1 in each row; `confusion` (workers, true label, answer) likewise."""

    posterior: Floats
    confusion: Floats
    share: Floats

    @property
    def label(self) -> Ints:
        """The most probable label of each item; of equals the first."""
        return self.posterior.argmax(axis=1)


def majority(answers: Answers, weights: Sequence[float] | None = None) -> Floats:
    """Share of the (weighted) votes by item and label, (items, labels); an item without a vote has equal shares."""
    votes = None if weights is None else np.asarray(weights, float)[answers.worker]
    cell = answers.item * answers.labels + answers.label
    table = np.bincount(cell, votes, minlength=answers.items * answers.labels).astype(float)
    table = table.reshape(answers.items, answers.labels)
    total = table.sum(axis=1, keepdims=True)
    return np.where(total > 0, table / np.where(total > 0, total, 1), 1 / answers.labels)


def dawid_skene(answers: Answers, *, known: Mapping[int, int] | None = None, one_coin: bool | None = None) -> Labelled:
    """Labels by expectation maximisation. `known` fixes the label of some items (gold).

    `one_coin` None decides by how many answers there are for each cell of a worker's confusion matrix.
    """
    if one_coin is None:
        one_coin = len(answers.item) < FEW * max(1, answers.workers) * answers.labels**2
    posterior = _fixed(majority(answers), known)
    confusion, share = _explain(answers, posterior, one_coin)
    for _ in range(ROUNDS):
        before = posterior
        posterior = _fixed(_judge(answers, confusion, share), known)
        confusion, share = _explain(answers, posterior, one_coin)
        if np.abs(posterior - before).max(initial=0.0) < SETTLED:
            break
    return Labelled(posterior, confusion, share)


def _fixed(posterior: Floats, known: Mapping[int, int] | None) -> Floats:
    for item, label in (known or {}).items():
        posterior[item] = 0.0
        posterior[item, label] = 1.0
    return posterior


def _explain(answers: Answers, posterior: Floats, one_coin: bool) -> tuple[Floats, Floats]:
    """Confusion matrices and shares of the labels that fit the posterior best."""
    n, k = answers.workers, answers.labels
    cell = answers.worker * k + answers.label
    columns = [np.bincount(cell, posterior[answers.item, t], minlength=n * k).reshape(n, k) for t in range(k)]
    counts: Floats = np.stack(columns, axis=1).astype(float)
    if one_coin:
        counts = _coins(counts)
    counts = counts + SMOOTHING
    share = posterior.sum(axis=0) + SMOOTHING
    return counts / counts.sum(axis=2, keepdims=True), share / share.sum()


def _coins(counts: Floats) -> Floats:
    """Counts where every label is got right equally often and every error is equally likely."""
    k = counts.shape[1]
    right = np.trace(counts, axis1=1, axis2=2)
    wrong = (counts.sum(axis=(1, 2)) - right) / max(1, k - 1)
    same = np.eye(k, dtype=bool)[None]
    return np.where(same, right[:, None, None], wrong[:, None, None]) / max(1, k)


def _judge(answers: Answers, confusion: Floats, share: Floats) -> Floats:
    """Probability of each label of each item, given how workers err."""
    says = np.log(confusion[answers.worker, :, answers.label])
    columns = [np.bincount(answers.item, says[:, t], minlength=answers.items) for t in range(answers.labels)]
    score = np.stack(columns, axis=1) + np.log(share)
    odds = np.exp(score - score.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def skill_on_gold(correct: float, total: float) -> float:
    """q = (0.5 + correct) / (1 + total): a worker without gold is right half of the time."""
    return (0.5 + correct) / (1 + total)


def posterior(given: Sequence[int], skills: Sequence[float], labels: int) -> Floats:
    """Probability of each of `labels` (≥ 2) labels from the answers to one item and the skills of those who gave them.

    >>> posterior([0, 0], [0.7, 0.9], 3)[0].round(4)
    np.float64(0.9767)
    """
    skill = np.asarray(skills, float)[:, None]
    says = np.where(np.asarray(given, int)[:, None] == np.arange(labels), skill, (1 - skill) / (labels - 1))
    score = np.log(np.clip(says, 1e-12, None)).sum(axis=0)
    odds = np.exp(score - score.max())
    return odds / odds.sum()


def enough(given: Sequence[int], skills: Sequence[float], labels: int, *, sure: float = 0.8) -> bool:
    """Whether an item needs no further answer: between 2 and 5 of them as soon as one label is `sure`."""
    if len(given) < 2:
        return False
    return len(given) >= 5 or bool(posterior(given, skills, labels).max() >= sure)
