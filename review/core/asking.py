"""Whether one more submission is asked for, and whose, among those that a file holds: `evaluate --adaptive`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from annotation.core.likeness import inside, soft_f
from annotation.core.tracks import Tracks, fill
from crowd.core.skill import SPREAD, Skill
from crowd.core.stopping import settled
from review.core.cases import Case, Drawn, Task
from review.core.consensus import Consensus, Submission, make_consensus
from review.core.existing import HIT
from review.core.learning import Answers, Learnt
from review.core.steps import Told, all_tasks, nobody

FIRST, MOST = 2, 5  # seats of a task under --adaptive: at first, and at most
SEEN = 2  # tasks after which a worker's skill says enough to choose by
PROVEN = 0.65  # soft F with gold that holds something, from which an empty segment is believed early


@dataclass(frozen=True, slots=True)
class Asking:
    """When one more is asked, and whom, and who is told; see `review.core.evaluating.evaluate`."""

    gain_floor: float
    agreement_floor: float | None
    choose: bool
    told: Told = nobody


def ask_more(
    cases: Sequence[Case],
    used: list[list[tuple[Drawn, ...]]],
    learnt: Learnt,
    done: set[tuple[int, int]],
    rule: Asking,
    number: int = 1,
) -> bool:
    """Take one more submission wherever one is left and is worth it, in the round of this number; `done` are those
    that are settled, by case and task, and stay so."""
    proven = _proven(cases, used)
    asked = False
    for c, i, task in all_tasks(cases, f"asking, round {number}", rule.told):
        some = used[c][i]
        following = _next(task, some, learnt if rule.choose else None)
        if (c, i) in done or len(some) >= MOST or following is None:
            continue
        if len(some) < FIRST:
            used[c][i] = _with(some, following)
            asked = True
            continue
        made = consent(task, some, learnt)
        known = all(d.worker in proven for d in some)
        if _is_settled(made, some, learnt, rule, proven=known):
            done.add((c, i))
            continue
        used[c][i] = _with(some, following)
        asked = True
    return asked


def _is_settled(made: Consensus, drawn: Sequence[Drawn], learnt: Learnt, rule: Asking, *, proven: bool) -> bool:
    """By the plain rule, of two and more who have a say."""
    if rule.agreement_floor is None:
        empty = not (made.tracks.tracks or made.tracks.intervals)
        return settled(gain=made.gain, empty=empty, proven=proven, gain_floor=rule.gain_floor)
    heard = [made.scores[submission_id(d)] for d in drawn if learnt.skills[d.worker].weight > 0]
    return len(heard) >= FIRST and float(np.mean(heard)) >= rule.agreement_floor


def scout(cases: Sequence[Case], former: Sequence[Answers]) -> list[list[tuple[Drawn, ...]]]:
    """The first of every task whose first workers are hardly known yet; the other tasks wait until skills are."""
    seen = Counter(worker for answers in former for worker in answers.workers)
    return [[_scouts(task, seen) for task in case.tasks] for case in cases]


def _scouts(task: Task, seen: Counter[str]) -> tuple[Drawn, ...]:
    first = task.drawn[:FIRST]
    if all(seen[d.worker] >= SEEN for d in first):
        return ()
    seen.update(d.worker for d in first)
    return first


def _with(some: Sequence[Drawn], more: Drawn) -> tuple[Drawn, ...]:
    return tuple(sorted((*some, more), key=lambda d: d.line))


def _next(task: Task, some: Sequence[Drawn], learnt: Learnt | None) -> Drawn | None:
    """Who is asked next: in the file's order, or, by what was learnt, the most exact first and nobody who has no say.

    Who misses much is worth as little as who draws badly.
    """
    if learnt is None:
        return next((d for d in task.drawn if d not in some), None)
    known = ((d, learnt.skills.get(d.worker)) for d in task.drawn if d not in some)
    left = [(d, skill) for d, skill in known if len(some) < FIRST or skill is None or skill.weight > 0]
    return min(left, key=lambda one: _error(one[1]), default=(None, None))[0]


def _error(skill: Skill | None) -> float:
    if skill is None:
        return SPREAD**2 / HIT
    return skill.spread**2 / skill.hit if skill.weight > 0 else inf


def _proven(cases: Sequence[Case], used: Sequence[Sequence[tuple[Drawn, ...]]]) -> set[str]:
    """Workers who drew what gold has, where it has something."""
    found = set()
    for case, lists in zip(cases, used, strict=True):
        for task, some in zip(case.tasks, lists, strict=True):
            if task.gold is None or not _holds_something(task.gold, task):
                continue
            gold, alike = task.gold, {d.worker: d.tracks for d in some}
            found |= {w for w, own in alike.items() if soft_f(own, gold, task.start, task.stop) >= PROVEN}
    return found


def _holds_something(gold: Tracks, task: Task) -> bool:
    shown = gold.tracks and fill(gold.tracks, task.start, task.stop).present.any()
    return bool(shown or inside(gold.intervals, task.start, task.stop))


def submission_id(drawn: Drawn) -> str:
    """By the line of the file, so that ids sort as lines do."""
    return f"{drawn.line:09d}"


def consent(task: Task, drawn: Sequence[Drawn], learnt: Learnt, around: Sequence[Tracks] = ()) -> Consensus:
    """The consensus of some of a task's submissions, by what is learnt; `around` as in `make_consensus`."""
    submissions = [Submission(submission_id(d), d.worker, d.tracks, learnt.skills.get(d.worker)) for d in drawn]
    return make_consensus(submissions, task.start, task.stop, lone=True, around=around)
