"""Events (intervals) of two workers that end on the same frames more often than independent hands do.

Idea: a copy keeps ends to the frame. So do two who are right about what anybody can see to the frame: how often
independent hands end alike is read at each end from third parties, drawn towards what is usual for that label in the
project, and where gold or what everybody was given to start from ends there as well nothing is said. Two who are more
exact than all others end alike more often than that; by how much is summed over. An event says little, so all tasks of
a pair are looked at together: the score is the logarithm of the likelihood ratio of all their ends. Honest hands that
are flagged are worse than copies that are not: where all ends are alike anyway, as of a cut, nothing is ever said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit, logsumexp

from annotation.core.matching import match
from annotation.core.tracks import Interval

MEANT = 0.5  # temporal IoU from which two intervals of one label are of one event
KEPT = 0.97  # of the ends of what was copied
USUAL, POOL_ENDS = 0.4, 20.0  # share of ends on the same frame where nothing is known, and how many that is worth
HERE = 2.0  # ends of third parties at one event that it takes to believe half of what they say
# Chance that two end alike, before it is said how exact they are; without third parties an end may be an easy one.
LEAST, LEAST_ALONE, HIGHEST = 0.1, 0.2, 0.9
# By how much (log odds) two may end alike more often than usual, and how often that is so.
BETTER = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.log([0.4, 0.3, 0.2, 0.05, 0.05])
ALIKE = 6.0  # from this on, over all their tasks, two are suspected


@dataclass
class Ends:
    """Of a pair: which common ends are on the same frame, and how likely that was; by task, how many there are and
    whether all of them are."""

    kept: list[bool] = field(default_factory=list)
    chance: list[float] = field(default_factory=list)
    tasks: dict[str, tuple[int, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class Marked:
    """One task: its range, who marked what, and what gold and whatever everybody was given mark."""

    task: str
    start: int
    stop: int
    workers: Sequence[str]
    events: Sequence[Sequence[Interval]]
    known: Sequence[Sequence[Interval]] = ()


@dataclass(frozen=True)
class _End:
    """An end of an event that two of one task have, on the same frame or not, and how many third parties end where one
    of them does, of how many."""

    pair: frozenset[str]
    task: str
    label: str
    kept: bool
    alike: int
    others: int


def suspected(tasks: Sequence[Marked]) -> dict[frozenset[str], Ends]:
    """Pairs of workers whose ends are alike beyond what independent hands are, with what that rests on."""
    ends = [end for task in tasks for end in _ends(task)]
    seen = _seen(ends)
    pairs: defaultdict[frozenset[str], Ends] = defaultdict(Ends)
    for end in ends:
        pair = pairs[end.pair]
        pair.kept.append(end.kept)
        chance = (end.alike + HERE * _usual(seen, end)) / (end.others + HERE)
        pair.chance.append(float(np.clip(chance, LEAST if end.others else LEAST_ALONE, HIGHEST)))
        ends_here, all_alike = pair.tasks.get(end.task, (0, True))
        pair.tasks[end.task] = (ends_here + 1, all_alike and end.kept)
    return {names: pair for names, pair in pairs.items() if score(pair) >= ALIKE}


def score(pair: Ends) -> float:
    """The logarithm of how much likelier a pair's ends are where one of them copied."""
    kept, usual = np.array(pair.kept, bool), np.array(pair.chance)
    better, often = BETTER
    chance = expit(logit(usual) + better[:, None])
    apart = np.where(kept, np.log(chance), np.log1p(-chance)).sum(axis=1) + often
    copied = kept.sum() * np.log(KEPT) + (~kept).sum() * np.log1p(-KEPT)
    return float(copied - logsumexp(apart))


def same_ends(a: Sequence[Interval], b: Sequence[Interval], start: int, stop: int) -> bool:
    """Whether two marked the same events, one at least, each of which ends inside `[start, stop)` somewhere."""
    some = [[(i.label, i.start, i.stop) for i in one if (i.start, i.stop) != (start, stop)] for one in (a, b)]
    return bool(some[0]) and len(a) == len(b) and Counter(some[0]) == Counter(some[1])


def _seen(ends: Iterable[_End]) -> Counter[tuple[str, frozenset[str] | None, bool]]:
    """How many ends there are and how many of them (True) are on the same frame: by label of all, and of each pair."""
    return Counter((end.label, who, kept) for end in ends for who in (None, end.pair) for kept in {False, end.kept})


def _usual(seen: Counter[tuple[str, frozenset[str] | None, bool]], end: _End) -> float:
    """The share of ends with this label that all other pairs have on the same frame."""
    number, kept = (seen[end.label, None, which] - seen[end.label, end.pair, which] for which in (False, True))
    return (kept + POOL_ENDS * USUAL) / (number + POOL_ENDS)


def _ends(task: Marked) -> list[_End]:
    found = []
    for i, worker in enumerate(task.workers):
        partners = [_partners(task.events[i], other) for other in task.events]
        known = [_partners(task.events[i], other) for other in task.known]
        for j in range(i + 1, len(task.workers)):
            pair, thirds = frozenset((worker, task.workers[j])), [p for k, p in enumerate(partners) if k not in (i, j)]
            for at, other in partners[j].items():
                also = [third[at] for third in thirds if at in third]
                found += _both(task, pair, task.events[i][at], other, also, [k[at] for k in known if at in k])
    return found


def _both(
    task: Marked,
    pair: frozenset[str],
    a: Interval,
    b: Interval,
    others: Sequence[Interval],
    known: Sequence[Interval],
) -> list[_End]:
    """Both ends of an event, but those on the range's border, where everybody ends, and those that are known there."""
    out = []
    for end, border in (("start", task.start), ("stop", task.stop)):
        here, there, also = getattr(a, end), getattr(b, end), [getattr(o, end) for o in others]
        alike = sum(one in (here, there) for one in also)
        if border not in (here, there) and not any(here == there == getattr(k, end) for k in known):
            out.append(_End(pair, task.task, a.label, here == there, alike, len(also)))
    return out


def _partners(mine: Sequence[Interval], other: Sequence[Interval]) -> dict[int, Interval]:
    """Which of another one's events is which of mine, by its place in the list."""
    if not mine or not other:
        return {}
    (start, stop), (since, until) = (np.array([[i.start, i.stop] for i in some], float).T for some in (mine, other))
    shared = np.minimum(stop[:, None], until) - np.maximum(start[:, None], since)
    either = np.maximum(stop[:, None], until) - np.minimum(start[:, None], since)
    same = np.array([[a.label == b.label for b in other] for a in mine])
    pairs = match(np.maximum(shared, 0) / np.maximum(either, 1) * same, MEANT).pairs
    return {int(i): other[j] for i, j in pairs}
