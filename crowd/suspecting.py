"""Signs of spam and copying among a project's workers, found by a job and kept for people to look at.

A flag excludes nobody, blocks nobody and unpays nobody. What others drew of the same segment is what a worker is
compared with, so a scene in which nothing moves makes nobody suspicious.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from django.db import transaction
from django.db.models import Prefetch

from annotation import recording
from annotation.core.tracks import Dense, fill
from crowd import reporting
from crowd.core import flags
from crowd.core.flags import Flag
from crowd.lifecycle import FILLED_SEATS, TaskStatus
from crowd.models import Assignment, PeerScore, Score, Suspicion, Task
from crowd.models import Skill as SkillRow

# The latest work says enough, and what the job reads at once stays bounded.
TASKS = 100
# Error of an edge, as a share of its side, of somebody of whom nothing is known.
USUAL_SPREAD = 0.05


@dataclass
class Record:
    """What is looked at of one worker: parallel lists, a place for each submission, in the order they came."""

    drawn: list[Dense] = field(default_factory=list)
    others: list[Dense] = field(default_factory=list)
    work_s: list[float] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    found: list[Flag] = field(default_factory=list)


def flag_workers(*, project_id: str) -> None:
    """Look at everybody's latest work anew; what is no longer suspicious is forgotten."""
    spreads = _spreads(project_id)
    records: defaultdict[str, Record] = defaultdict(Record)
    for task in _latest(project_id):
        _note(task, records, spreads)
    drifts = _drifts(project_id)
    agreements = _agreements(project_id)
    found = {worker: _flags(worker, records, agreements) for worker in records}
    for worker, flag in drifts.items():
        found.setdefault(worker, []).append(flag)
    _keep(project_id, found)


def _latest(project_id: str) -> list[Task]:
    filled = (
        Assignment.objects.filter(status__in=FILLED_SEATS).select_related("track_set").order_by("submitted_at", "pk")
    )
    tasks = Task.objects.filter(project_id=project_id, assignments__status__in=FILLED_SEATS).distinct()
    # In training everybody draws the same pieces, with gold's boxes before their eyes from the second round on.
    tasks = tasks.exclude(status=TaskStatus.TRAINING)
    tasks = tasks.select_related("segment").prefetch_related(Prefetch("assignments", filled, to_attr="filled"))
    return list(tasks.order_by("-opened_at", "pk")[:TASKS])


def _note(task: Task, records: dict[str, Record], spreads: dict[str, float]) -> None:
    """Add one task's submissions to their workers' records, and look for copies among them."""
    start, stop = task.segment.start, task.segment.stop
    seats = [seat for seat in task.filled if seat.track_set is not None]  # type: ignore[attr-defined]
    drawn = [fill(recording.load(seat.track_set).tracks, start, stop) for seat in seats]
    usual = [spreads.get(seat.worker_id, USUAL_SPREAD) for seat in seats]
    for i, seat in enumerate(seats):
        record = records[seat.worker_id]
        if len(seats) > 1:
            record.drawn.append(drawn[i])
            record.others.append(drawn[0 if i else 1])
        record.work_s.append(reporting.work_s(seat.claimed_at, seat.submitted_at))
        record.objects.append(len(drawn[i].ids))
    for i, j, flag in flags.copies(drawn, usual):
        # Submissions are in the order they came: the later one may have been copied from the earlier one.
        evidence = flag.evidence | {"submission": seats[j].pk, "of": seats[i].pk}
        records[seats[j].worker_id].found.append(Flag(flag.code, evidence))


def _flags(worker: str, records: dict[str, Record], agreements: dict[str, list[float]]) -> list[Flag]:
    mine = records[worker]
    pool = [
        seconds / max(1, objects)
        for other, record in records.items()
        if other != worker
        for seconds, objects in zip(record.work_s, record.objects, strict=True)
    ]
    still = [flags.never_moves(drawn, others) for drawn, others in zip(mine.drawn, mine.others, strict=True)]
    chance = [
        flags.repeats(drawn, others) for drawn, (_, others) in zip(mine.drawn, pairwise(mine.others), strict=False)
    ]
    found = [
        flags.too_fast(work_s=sum(mine.work_s), objects=sum(mine.objects), pool_s=pool),
        # One still scene is a coincidence.
        next((flag for flag in still if flag), None) if sum(map(bool, still)) > len(still) / 2 else None,
        flags.same_everywhere(mine.drawn, mine.others),
        flags.no_better_than_chance(agreements.get(worker, []), chance),
        *mine.found[:1],
    ]
    return [flag for flag in found if flag]


def _spreads(project_id: str) -> dict[str, float]:
    rows = SkillRow.objects.filter(project_id=project_id)
    return {row.worker_id: row.figures.get("spread", USUAL_SPREAD) for row in rows}


def _drifts(project_id: str) -> dict[str, Flag]:
    scores: defaultdict[str, list[float]] = defaultdict(list)
    rows = Score.objects.filter(assignment__project=project_id).order_by("assignment__submitted_at")
    for worker, value in rows.values_list("assignment__worker", "value"):
        scores[worker].append(value)
    found = {worker: flags.drifting(values) for worker, values in scores.items()}
    return {worker: flag for worker, flag in found.items() if flag}


def _agreements(project_id: str) -> dict[str, list[float]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    rows = PeerScore.objects.filter(assignment__project=project_id)
    for worker, value in rows.values_list("assignment__worker", "value"):
        found[worker].append(value)
    return found


@transaction.atomic
def _keep(project_id: str, found: dict[str, list[Flag]]) -> None:
    Suspicion.objects.filter(project_id=project_id).delete()
    Suspicion.objects.bulk_create(
        Suspicion(project_id=project_id, worker_id=worker, code=flag.code, evidence=flag.evidence)
        for worker, raised in found.items()
        for flag in {flag.code: flag for flag in raised}.values()
    )
