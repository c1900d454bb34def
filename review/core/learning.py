"""How far each worker is to be trusted, from gold where there is some and from the other workers everywhere else.

Idea: cluster every segment with everybody's drawings, then explain who drew which cluster, as Dawid & Skene 1979: a
cluster is an object or an invention, a worker finds a share of the objects, a share of what they draw is invented, and
the two last differently long. Gold settles what is an object; elsewhere a worker is measured by what the others make of
a cluster, the worker's own vote left out. Events (intervals) are explained beside objects in the same way, with rates
of their own, and what somebody finds and invents there is evidence like any other, thing for thing. How far boxes are
off comes from the differences of every two workers, each the sum of two spreads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls
from scipy.special import expit
from scipy.stats import beta

from annotation.core.likeness import inside
from annotation.core.tracks import Bools, Floats, Interval, Ints, Tracks
from crowd.core.skill import BAD, GOOD, INVENTED, PEER, PRIOR_DRAWN, QUANTILE, Skill, vote_weight
from review.core.clustering import cluster
from review.core.existing import COINCIDENCE, FALSE_ALARM, HIT, LENGTHS, length_odds, log_odds, supporters
from review.core.intervals import group_marks
from review.core.marking import BY_CHANCE, lengths_of, renamed, votes_of
from review.core.stacking import Stack, stack

USUAL_SPREAD, PRIOR_BOXES = 0.05, 3.0
EVERY = 5  # frames between those on which boxes are compared: errors hardly change from one to the next
ROUNDS = 30
_GOLD = ""  # among the workers of an event; nobody has this name


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One segment's submissions, `drawn[i]` by `workers[i]`, and the gold that covers it, if any."""

    start: int
    stop: int
    workers: tuple[str, ...]
    drawn: tuple[Tracks, ...]
    gold: Tracks | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Who drew what, over all segments: c clusters, p workers. `truth` is 1, 0 or NaN where gold does not say;
    `frames` are those on which any of them drew it. `coincidence` is the chance that two inventions meet."""

    workers: tuple[str, ...]
    asked: Bools
    drew: Bools
    truth: Floats
    frames: Ints
    coincidence: float = COINCIDENCE


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """What explains a table best: hit rates and shares of inventions (p,), what lengths say (see `length_odds`), and
    how likely each cluster is an object by all but one worker, (c, p)."""

    hits: Floats
    alarms: Floats
    lengths: Floats
    real: Floats


class _Seen(NamedTuple):
    """Of one segment: who drew which cluster (c, p), what gold says of it (c,), and on how many frames any worker drew
    it (c,)."""

    drew: Bools
    truth: Floats
    frames: Ints


class _Looked(NamedTuple):
    """Of one segment: its objects, its events, and differences of boxes (d, 3)."""

    objects: _Seen
    events: _Seen
    differences: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """Skills by worker."""

    skills: Mapping[str, Skill]


def learn(answers: Sequence[Answers]) -> Learnt:
    """Skills of everybody who answered anything."""
    answers = [a for a in answers if a.drawn]
    workers = tuple(sorted({w for a in answers for w in a.workers}))
    parts = [_look(a, workers) for a in answers]
    objects = _table(answers, workers, [p.objects for p in parts])
    events = replace(_table(answers, workers, [p.events for p in parts]), coincidence=BY_CHANCE)
    found, happened = explain(objects), explain(events)
    differences = np.concatenate([np.zeros((0, 3)), *(p.differences for p in parts)])
    spreads = learn_spreads(differences, len(workers))
    good, bad = np.add(_evidence(objects, found.real), _evidence(events, happened.real))
    lengths = tuple(found.lengths.tolist())
    tasks = Counter(w for a in answers if len(set(a.workers)) > 1 or a.gold is not None for w in set(a.workers))
    skills = {w: _skill(good[i], bad[i], found.hits[i], found.alarms[i], spreads[i]) for i, w in enumerate(workers)}
    told = {w: replace(skill, tasks=tasks[w], lengths=lengths) for w, skill in skills.items()}
    return Learnt(
        told | {w: _with_events(told[w], happened, i) for i, w in enumerate(workers) if events.asked[:, i].any()}
    )


def _table(answers: Sequence[Answers], workers: tuple[str, ...], seen: Sequence[_Seen]) -> Table:
    """What was seen of one kind of things in all segments."""
    asked = [np.tile(np.isin(workers, a.workers), (len(part.drew), 1)) for a, part in zip(answers, seen, strict=True)]
    nobody = np.zeros((0, len(workers)), bool)
    return Table(
        workers,
        np.concatenate([nobody, *asked]),
        np.concatenate([nobody, *(p.drew for p in seen)]),
        np.concatenate([np.zeros(0), *(p.truth for p in seen)]),
        np.concatenate([np.zeros(0, np.int64), *(p.frames for p in seen)]),
    )


def _with_events(skill: Skill, happened: Explained, worker: int) -> Skill:
    return replace(skill, event_hit=float(happened.hits[worker]), event_false_alarm=float(happened.alarms[worker]))


def _look(answers: Answers, workers: tuple[str, ...]) -> _Looked:
    order = sorted(range(len(answers.workers)), key=lambda i: answers.workers[i])
    drawn = [answers.drawn[i] for i in order] + ([answers.gold] if answers.gold is not None else [])
    block = stack(drawn, answers.start, answers.stop)
    member = cluster(block, np.ones(block.workers))
    k = int(member.max(initial=-1)) + 1
    frames = np.zeros((k, block.workers, member.shape[1]), bool)
    row, frame = np.nonzero(member >= 0)
    frames[member[row, frame], block.owners[row], frame] = True
    frames = frames[frames.any(axis=(1, 2))]
    votes = supporters(frames)
    at = [workers.index(answers.workers[i]) for i in order]
    drew = np.zeros((len(votes), len(workers)), bool)
    for column, worker in enumerate(at):
        drew[:, worker] |= votes[:, column]
    truth = np.full(len(votes), np.nan) if answers.gold is None else votes[:, -1].astype(float)
    objects = _Seen(drew, truth, frames[:, : len(at)].any(axis=1).sum(axis=1))
    return _Looked(objects, _look_at_events(answers, order, block, member, workers), _differences(block, member, at))


def _look_at_events(
    answers: Answers, order: Sequence[int], block: Stack, member: np.ndarray, workers: tuple[str, ...]
) -> _Seen:
    """Events in the place of clusters. Gold that shows tracks and no event says nothing of what happens."""
    drawn, names = [answers.drawn[i] for i in order], [answers.workers[i] for i in order]
    gold = answers.gold and replace(answers.gold, intervals=_inside(answers.gold, answers))
    shows = block.present[block.owners == len(order)].any()
    judged = gold is not None and (bool(gold.intervals) or not shows)
    parties = [replace(one, intervals=_inside(one, answers)) for one in drawn] + ([gold] if judged and gold else [])
    marked = [renamed(block, one, i, member) for i, one in enumerate(parties)]
    groups = group_marks(marked, [*names, *([_GOLD] if judged else [])])
    truth = votes_of(groups, [_GOLD])[:, 0].astype(float) if judged else np.full(len(groups), np.nan)
    return _Seen(votes_of(groups, workers), truth, lengths_of(groups))


def _inside(one: Tracks, answers: Answers) -> tuple[Interval, ...]:
    return tuple(inside(one.intervals, answers.start, answers.stop))


def _differences(block: Stack, member: np.ndarray, at: Sequence[int]) -> Floats:
    """Rows of (worker, worker, difference of an edge as a share of the side) of boxes in one cluster, (d, 3)."""
    pairs = block.overlap
    some = np.flatnonzero(pairs.frame % EVERY == 0)
    left, right, frame = pairs.left[some], pairs.right[some], pairs.frame[some]
    owner_left, owner_right = block.owners[left], block.owners[right]
    kept = (member[left, frame] == member[right, frame]) & (owner_left < len(at)) & (owner_right < len(at))
    a, b = block.boxes[left[kept], frame[kept]], block.boxes[right[kept], frame[kept]]
    side = np.tile(np.maximum((a[:, 2:] - a[:, :2] + b[:, 2:] - b[:, :2]) / 2, 1.0), 2)
    size = (np.abs(a - b) / side).mean(axis=1)
    who = np.asarray(at, float)
    return np.stack([who[owner_left[kept]], who[owner_right[kept]], size], axis=1)


def explain(table: Table) -> Explained:
    """What explains best who drew what: expectation and maximisation, after Dawid & Skene 1979, with the odds of
    `existing`."""
    asked, drew = table.asked, table.drew & table.asked
    known = ~np.isnan(table.truth)
    share = np.where(known, table.truth, drew.sum(axis=1) >= np.maximum(2, asked.sum(axis=1) / 2))
    hits = alarms = np.zeros(len(table.workers))
    lengths = np.zeros(len(LENGTHS) + 1)
    for _ in range(ROUNDS):
        hits = (drew.T @ share + GOOD) / (asked.T @ share + GOOD + BAD)
        false = drew.T @ (1 - share)
        usual = (false.sum() + INVENTED * PRIOR_DRAWN) / (drew.sum() + PRIOR_DRAWN)
        alarms = (false + min(usual, INVENTED) * PRIOR_DRAWN) / (drew.sum(axis=0) + PRIOR_DRAWN)
        # Who invents half of what they draw, or more, is a spammer, and invents in other ways than the rest.
        somebody = drew.any(axis=1)
        blame = (drew @ np.maximum(1 - 2 * alarms, 0)) / np.maximum(drew.sum(axis=1), 1)
        lengths = length_odds(table.frames[somebody], share[somebody], blame[somebody])
        share = np.where(
            known,
            table.truth,
            expit(log_odds(drew, hits, alarms, table.frames, asked, table.coincidence) + _by_length(table, lengths)),
        )
    return Explained(hits, alarms, lengths, _others(table, hits, alarms, _by_length(table, lengths)))


def _by_length(table: Table, lengths: Floats) -> Floats:
    return lengths[np.searchsorted(LENGTHS, table.frames, side="right")]


def _others(table: Table, hits: Floats, alarms: Floats, by_length: Floats) -> Floats:
    """How likely each cluster is an object by gold, or else by what everybody but one worker drew, (c, p)."""
    asked, drew = table.asked, table.drew & table.asked
    out = np.zeros(asked.shape)
    for worker in range(asked.shape[1]):
        rest = np.delete(np.arange(asked.shape[1]), worker)
        odds = log_odds(drew[:, rest], hits[rest], alarms[rest], table.frames, asked[:, rest], table.coincidence)
        # What nobody else drew is judged as if a new worker had drawn it: their silence says what their skill is worth.
        votes, seen = (np.column_stack([a[:, rest], np.ones(len(a), bool)]) for a in (drew, asked))
        others = np.append(hits[rest], HIT), np.append(alarms[rest], FALSE_ALARM)
        lone = log_odds(votes, *others, table.frames, seen, table.coincidence)
        out[:, worker] = expit(np.where(drew[:, rest].any(axis=1), odds, lone) + by_length)
    return np.where(np.isnan(table.truth)[:, None], out, table.truth[:, None])


def _evidence(table: Table, real: Floats) -> tuple[Floats, Floats]:
    """Objects drawn, and half of objects missed and things invented, per worker, by gold or by the others' votes."""
    asked, drew = table.asked.astype(float), (table.drew & table.asked).astype(float)
    counts = np.where(np.isnan(table.truth)[:, None], PEER, 1.0)
    good = (counts * drew * real).sum(axis=0)
    bad = (counts * (drew * (1 - real) + (asked - drew) * real)).sum(axis=0) / 2
    return good, bad


def learn_spreads(differences: Floats, workers: int) -> Floats:
    """Usual error of each worker's edges as a share of the side, (p,), from rows of (worker, worker, difference), in
    whichever order the two are.

    The squared difference of two workers is the sum of their squared spreads: least squares over all pairs, by their
    medians, drawn towards the spread of all where little was seen.
    """
    pairs = differences[:, :2].min(axis=1, initial=workers) * workers + differences[:, :2].max(axis=1, initial=0)
    order = np.argsort(pairs, kind="stable")
    numbers, first = np.unique(pairs[order], return_index=True)
    rows, values = [np.zeros((0, workers))], []
    for pair, since, until in zip(numbers, first, np.append(first, len(order))[1:], strict=True):
        sizes = differences[order[since:until], 2]
        row, trust = np.zeros((1, workers)), np.sqrt(len(sizes))
        for worker in divmod(int(pair), workers):
            row[0, worker] += trust
        rows.append(row)
        values.append(trust * (np.median(sizes) * _TO_SIGMA) ** 2)
    usual = np.median(differences[:, 2]) * _TO_SIGMA / np.sqrt(2) if len(differences) else USUAL_SPREAD
    rows.append(PRIOR_BOXES * np.eye(workers))
    values += [PRIOR_BOXES * usual**2] * workers
    return np.sqrt(nnls(np.concatenate(rows), np.array(values))[0]) if workers else np.zeros(0)


_TO_SIGMA = 1.25  # mean absolute difference of Gaussian edges to their standard deviation


def _skill(good: float, bad: float, hit: float, alarm: float, spread: float) -> Skill:
    a, b = GOOD + good, BAD + bad
    mean = a / (a + b)
    low, high = beta.ppf([QUANTILE, 1 - QUANTILE], a, b)
    rates = (float(hit), float(alarm), float(spread))
    return Skill(float(mean), float(low), float(high), vote_weight(mean), *rates)
