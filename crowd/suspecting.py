"""Signs of spam and copying among a project's workers, found by a job and kept for people to look at.

A flag excludes nobody, blocks nobody and unpays nobody. What all others drew of the same segment is what a worker is
compared with, so a scene in which nothing moves makes nobody suspicious. The one thing that follows from a suspicion of
copying is that those who drew alike have one voice together (`voices`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from annotation.core.likeness import intervals_soft_f
from annotation.core.tracks import Dense
from crowd import reporting
from crowd.core import copying, echoing, flags
from crowd.core.comparing import Compared
from crowd.core.echoing import Marked
from crowd.core.flags import Flag
from crowd.hearing import Given, compared, given_by
from crowd.lifecycle import FILLED_SEATS, TaskStatus
from crowd.models import Assignment, Score, Suspicion, Task
from crowd.models import Skill as SkillRow

# The latest work says enough, and what the job reads at once stays bounded.
TASKS = 100
# Extra gold seats come for years: so many of a task's latest submissions are compared with each other.
AT_ONCE = 20
# Speed is looked at over so many tasks: who only now began to hurry is seen.
LATEST = 10
# Error of an edge, as a share of its side, of somebody of whom nothing is known.
USUAL_SPREAD = 0.05
COPIED = "copied"
NAMED = 10  # copies in the evidence


@dataclass(frozen=True)
class Work:
    """One submission, beside what the others drew of the same task."""

    mine: Given
    others: Sequence[Given]
    work_s: float


@dataclass
class Pairs:
    """Copies by (who came later, who came earlier), how often any two met, and of whom all events together say it."""

    alike: dict[tuple[str, str], list[dict[str, object]]] = field(default_factory=lambda: defaultdict(list))
    met: Counter[frozenset[str]] = field(default_factory=Counter)

    echoed: set[frozenset[str]] = field(default_factory=set)

    def add(self, earlier: Assignment, later: Assignment, why: Mapping[str, object]) -> None:
        """Note that one submission may be a copy of another; of its boxes and of its events it is the same copy."""
        copies = self.alike[str(later.worker_id), str(earlier.worker_id)]
        known = next((one for one in copies if one["submission"] == later.pk), None)
        if known is None:
            known = {"submission": later.pk, "of": earlier.pk}
            copies.append(known)
        known |= why

    def often(self, later: str, earlier: str) -> bool:
        if frozenset((later, earlier)) in self.echoed:
            return True
        times = len(self.alike.get((later, earlier), ())) + len(self.alike.get((earlier, later), ()))
        return copying.often(times, self.met[frozenset((later, earlier))])


def flag_workers(*, project_id: str) -> None:
    """Look at everybody's latest work anew; what is no longer suspicious is forgotten."""
    works: defaultdict[str, list[Work]] = defaultdict(list)
    compared = [_note(task, works) for task in _latest(project_id)]
    pairs = _pairs([(seats, task) for seats, task, _ in compared], _spreads(project_id))
    _note_echoes(pairs, compared)
    found: defaultdict[str, list[Flag]] = defaultdict(list)
    for worker in works:
        found[worker] += _flags(worker, works)
    for flagged in (_drifts(project_id), _copies(pairs)):
        for worker, flag in flagged.items():
            found[worker].append(flag)
    _keep(project_id, found)


def voices(*, task: Task, seats: Sequence[Assignment]) -> list[list[str]]:
    """Ids of those of a task's seats that count as one voice, by group, who submitted first first.

    Two hang together where they drew this task alike and are suspected of copying from each other.
    """
    suspected = _suspected(task.project_id, {seat.worker_id for seat in seats})
    ordered = sorted((s for s in seats if s.track_set is not None), key=lambda s: (s.submitted_at, s.pk))
    pairs = {
        (i, j)
        for j in range(len(ordered))
        for i in range(j)
        if frozenset((ordered[i].worker_id, ordered[j].worker_id)) in suspected
    }
    if not pairs:
        return []
    given = given_by(task, ordered)
    boxes, _ = compared(task, _workers(ordered), given)
    likely = copying.judge(boxes, _known(_spreads(task.project_id), ordered), copying.USUAL)
    alike = [pair for pair in pairs if pair in likely and likely[pair].score >= copying.ALIKE_AGAIN]
    alike += [(i, j) for i, j in pairs if _same_events(given[i], given[j])]
    return [[ordered[i].pk for i in sorted(group)] for group in copying.groups(alike, len(ordered))]


def _suspected(project_id: str, workers: set[str | None]) -> set[frozenset[str | None]]:
    """Pairs of these workers of whom one is flagged for copies of the other's work."""
    rows = Suspicion.objects.filter(project_id=project_id, worker__in=workers, code=COPIED)
    copied = {row.worker_id: [one["of"] for one in row.evidence["copies"]] for row in rows}
    of = [seat for seats in copied.values() for seat in seats]
    whose = dict(Assignment.objects.filter(pk__in=of).values_list("pk", "worker")) if of else {}
    return {frozenset((worker, whose[seat])) for worker, seats in copied.items() for seat in seats if seat in whose}


def _latest(project_id: str) -> list[Task]:
    filled = (
        Assignment.objects.filter(status__in=FILLED_SEATS, track_set__isnull=False)
        .select_related("track_set")
        .order_by("submitted_at", "pk")
    )
    tasks = latest_tasks(project_id=project_id, given=FILLED_SEATS, most=TASKS)
    return list(reversed(tasks.prefetch_related(Prefetch("assignments", filled, to_attr="filled"))))


def latest_tasks(*, project_id: str, given: Iterable[str], most: int) -> QuerySet[Task]:
    """So many tasks that were opened last and have a seat in one of the states `given`, the newest first; no training.

    They are found before anything is joined to them: what gold holds would be read of all that are sorted.
    """
    seats = Assignment.objects.filter(task=OuterRef("pk"), status__in=given)
    # Training shows what somebody can do when they know that they are looked at.
    tasks = Task.objects.filter(Exists(seats), project_id=project_id).exclude(status=TaskStatus.TRAINING)
    latest = list(tasks.order_by("-opened_at", "pk").values_list("pk", flat=True)[:most])
    found = Task.objects.filter(pk__in=latest).select_related("segment", "batch", "gold__track_set")
    return found.order_by("-opened_at", "pk")


def _same_events(one: Given, other: Given) -> bool:
    """Where nobody of the two drew a box: boxes have hands of their own to tell by."""
    nothing_drawn = not (one.drawn.ids or other.drawn.ids)
    return nothing_drawn and echoing.same_ends(one.events, other.events, 0, one.drawn.present.shape[1])


def _known(spreads: dict[str, float], seats: Sequence[Assignment]) -> list[float]:
    return [spreads.get(seat.worker_id or "", USUAL_SPREAD) for seat in seats]


def _note(task: Task, works: dict[str, list[Work]]) -> tuple[list[Assignment], Compared, Marked]:
    """Add one task's submissions to their workers' work, and compare them with each other."""
    seats = task.filled[-AT_ONCE:]  # type: ignore[attr-defined]
    given = given_by(task, seats)
    for i, seat in enumerate(seats):
        seconds = reporting.work_s(seat.claimed_at, seat.submitted_at)
        works[seat.worker_id].append(Work(given[i], [*given[:i], *given[i + 1 :]], seconds))
    return seats, *compared(task, _workers(seats), given)


def _workers(seats: Sequence[Assignment]) -> list[str]:
    return [str(seat.worker_id) for seat in seats]


def _note_echoes(pairs: Pairs, tasks: Sequence[tuple[list[Assignment], Compared, Marked]]) -> None:
    """Add whose events end alike, and on which tasks all of them do."""
    seats_of = {marked.task: seats for seats, _, marked in tasks}
    for names, ends in echoing.suspected([marked for _, _, marked in tasks]).items():
        pairs.echoed.add(names)
        for task, (number, all_alike) in ends.tasks.items():
            if all_alike:
                earlier, later = (seat for seat in seats_of[task] if seat.worker_id in names)
                pairs.add(earlier, later, {"ends_of_events": number})


def _pairs(tasks: Sequence[tuple[list[Assignment], Compared]], spreads: dict[str, float]) -> Pairs:
    """Who drew alike, by what is usual among all pairs of these tasks."""
    usual = copying.usual_of([task for _, task in tasks], median(spreads.values()) if spreads else USUAL_SPREAD)
    pairs = Pairs()
    for seats, task in tasks:
        for (i, j), found in copying.judge(task, _known(spreads, seats), usual).items():
            pairs.met[frozenset((seats[i].worker_id, seats[j].worker_id))] += 1
            if found.score >= copying.ALIKE:
                # Submissions are in the order they came: the later one may have been copied from the earlier one.
                why = {"difference": round(found.difference, 5), "usual_difference": round(found.usual, 5)}
                pairs.add(seats[i], seats[j], {"objects": found.objects} | why)
    return pairs


def _copies(pairs: Pairs) -> dict[str, Flag]:
    """Who drew like somebody before them, and did so again with the same person; once is a coincidence."""
    again: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for (later, earlier), some in pairs.alike.items():
        if pairs.often(later, earlier):
            again[later] += some
    return {worker: Flag(COPIED, {"tasks": len(copies), "copies": copies[-NAMED:]}) for worker, copies in again.items()}


def _flags(worker: str, works: dict[str, list[Work]]) -> list[Flag]:
    mine = [work for work in works[worker] if work.others]
    alone = [_one([other.drawn for other in work.others]) for work in mine]
    still = [flags.never_moves(work.mine.drawn, others) for work, others in zip(mine, alone, strict=True)]
    busy = [w for w in works[worker] if w.mine.things or any(other.things for other in w.others)][-LATEST:]
    pool = [work.work_s / max(1, work.mine.things) for other, some in works.items() if other != worker for work in some]
    found = [
        _fast(busy, pool),
        # One still scene is a coincidence.
        next((flag for flag in still if flag), None) if sum(map(bool, still)) > len(still) / 2 else None,
        flags.same_times([w.mine.events for w in mine], [[other.events for other in w.others] for w in mine]),
        flags.same_everywhere([work.mine.drawn for work in mine], alone),
        flags.draws_little([w.mine.things for w in mine], [median(o.things for o in w.others) for w in mine]),
        flags.no_better_than_chance(_agreement(mine[-2 * LATEST :]), _chance(mine[-2 * LATEST :])),
    ]
    return [flag for flag in found if flag]


def _fast(busy: list[Work], pool: list[float]) -> Flag | None:
    if len(busy) < flags.TASKS:
        return None
    things = sum(max(1, work.mine.things) for work in busy)
    return flags.too_fast(work_s=sum(work.work_s for work in busy), objects=things, pool_s=pool)


def _agreement(mine: list[Work]) -> list[float]:
    """How alike each answer is to the nearest of the others': one honest other is enough to show an honest worker."""
    return [max(_same(work.mine, other) for other in work.others) for work in mine]


def _same(one: Given, other: Given) -> float:
    return _alike(one, other) if one.things or other.things else 1.0


def _alike(one: Given, other: Given) -> float:
    """By what is drawn, or where neither drew anything by what is marked; 0 if both are empty."""
    drawn = one.drawn.ids or other.drawn.ids or not (one.events or other.events)
    return flags.repeats(one.drawn, other.drawn) if drawn else intervals_soft_f(one.events, other.events)


def _chance(mine: list[Work]) -> list[float]:
    """How alike a worker's answers are to the nearest of others' answers to other tasks: what says nothing of skill."""
    away = max(1, len(mine) // 2)
    pairs = zip(mine, mine[away:] + mine[:away], strict=True)
    return [max(_alike(a.mine, other) for other in b.others) for a, b in pairs]


def _one(some: Sequence[Dense]) -> Dense:
    """The tracks of several submissions of one segment, side by side."""
    first = some[0]
    parts = (np.concatenate([getattr(one, name) for one in some]) for name in ("boxes", "present", "occluded"))
    return Dense(first.start, sum((o.ids for o in some), ()), sum((o.labels for o in some), ()), *parts)


def _spreads(project_id: str) -> dict[str, float]:
    """Usual errors by worker. Two who always copy each other seem exact: nobody counts as more than twice as exact as
    the usual worker."""
    rows = SkillRow.objects.filter(project_id=project_id)
    known = {row.worker_id: float(row.figures.get("spread", USUAL_SPREAD)) for row in rows}
    least = median(known.values()) / 2 if known else 0.0
    return {worker: max(spread, least) for worker, spread in known.items()}


def _drifts(project_id: str) -> dict[str, Flag]:
    scores: defaultdict[str, list[float]] = defaultdict(list)
    in_use = Score.objects.filter(assignment__project=project_id, gold__flagged_at=None)
    rows = in_use.order_by("assignment__submitted_at")
    for worker, value in rows.values_list("assignment__worker", "value"):
        scores[worker].append(value)
    found = {worker: flags.drifting(values) for worker, values in scores.items()}
    return {worker: flag for worker, flag in found.items() if flag}


@transaction.atomic
def _keep(project_id: str, found: dict[str, list[Flag]]) -> None:
    Suspicion.objects.filter(project_id=project_id).delete()
    Suspicion.objects.bulk_create(
        Suspicion(project_id=project_id, worker_id=worker, code=flag.code, evidence=flag.evidence)
        for worker, raised in found.items()
        for flag in {flag.code: flag for flag in raised}.values()
    )
