"""Figures counted from rows whenever somebody asks: of a batch, of a project's workers, of one worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Avg, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from annotation.models import Project, User
from crowd.lifecycle import EntryKind, Seat, TaskStatus
from crowd.models import Assignment, LedgerEntry, Qualification, Sanction, Skill, Suspicion, Task

SHOWN_TASKS = ("opening", "open", "filled", "in_review", "done", "quarantined")
SHOWN_SEATS = ("open", "held", "submitted")
#: What is counted of each worker, and the states of the seats that count.
COUNTED = {
    "submitted": (Seat.SUBMITTED, Seat.ACCEPTED, Seat.REJECTED),
    "accepted": (Seat.ACCEPTED,),
    "rejected": (Seat.REJECTED,),
    "expired": (Seat.EXPIRED,),
}
#: How a manager may have the workers of a project listed.
ORDERS = ("submitted", "rejected", "expired", "flagged", "skill", "name")


def counts(*, batches: Sequence[str]) -> dict[str, dict[str, int]]:
    """Segments, tasks and seats of batches by state; real work only, never gold's extra seats."""
    cut = _cut(batches)
    clipped = cut.filter(segment__clip__isnull=False).count()
    return _shown(_by_status(cut), _by_status(_real(batches)), clipped)


def counts_of_each(*, batches: Sequence[str]) -> dict[str, dict[str, dict[str, int]]]:
    """The same for each of them by itself."""
    tasks, seats = _by_batch(_cut(batches)), _by_batch(_real(batches))
    clips = _cut(batches).filter(segment__clip__isnull=False).order_by()
    clipped = dict(clips.values_list("batch").annotate(n=Count("pk")))
    return {pk: _shown(tasks.get(pk, {}), seats.get(pk, {}), clipped.get(pk, 0)) for pk in batches}


def _real(batches: Sequence[str]) -> QuerySet[Assignment]:
    return Assignment.objects.filter(batch__in=batches, extra=False)


def _cut(batches: Sequence[str]) -> QuerySet[Task]:
    return Task.objects.filter(batch__in=batches).exclude(status=TaskStatus.TRAINING)


def _shown(tasks: dict[str, int], seats: dict[str, int], clipped: int) -> dict[str, dict[str, int]]:
    return {
        "segments": {"total": sum(tasks.values()), "clipped": clipped, "accepted": tasks.get(TaskStatus.DONE, 0)},
        "tasks": {name: tasks.get(name, 0) for name in SHOWN_TASKS},
        "seats": {name: seats.get(name, 0) for name in SHOWN_SEATS},
    }


def _by_batch(rows: QuerySet[Any]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for batch, status, n in rows.order_by().values_list("batch", "status").annotate(n=Count("pk")):
        found.setdefault(batch, {})[status] = n
    return found


def _by_status(rows: QuerySet[Any]) -> dict[str, int]:
    return dict(rows.order_by().values_list("status").annotate(n=Count("pk")))


def workers_of(project: Project) -> QuerySet[User]:
    """Everybody who ever sat at a task of the project."""
    return User.objects.filter(Exists(Assignment.objects.filter(worker=OuterRef("pk"), project=project)))


def find_workers(*, project: Project, named: str, order: str) -> QuerySet[User]:
    """Those of `workers_of` whose names hold a text, in one of ORDERS: most first, but the least skill."""
    here = {"worker": OuterRef("pk"), "project": project}
    found = workers_of(project).filter(username__icontains=named.replace("\0", ""))
    if order == "flagged":
        return found.annotate(flagged=Exists(Suspicion.objects.filter(**here))).order_by("-flagged", "username")
    if order == "skill":
        skill = Subquery(Skill.objects.filter(**here).values("mean")[:1])
        return found.annotate(skill_mean=skill).order_by(F("skill_mean").asc(nulls_last=True), "username")
    if order == "name":
        return found.order_by("username")
    seats = Assignment.objects.filter(**here, status__in=COUNTED[order]).order_by().values("worker")
    number = Coalesce(Subquery(seats.annotate(n=Count("*")).values("n")), 0)
    return found.annotate(number=number).order_by("-number", "username")


def worker_figures(*, project: Project, workers: Sequence[User]) -> list[dict[str, Any]]:
    """The public contract's figures of some of a project's workers."""
    ids = [worker.pk for worker in workers]
    skills = {s.worker_id: s for s in Skill.objects.filter(project=project, worker__in=ids)}
    standing = {s.worker_id: s for s in Sanction.objects.filter(project=project, worker__in=ids, lifted_at=None)}
    earned = dict(
        LedgerEntry.objects.filter(project=project, worker__in=ids)
        .exclude(kind=EntryKind.PAYOUT)
        .order_by()
        .values_list("worker")
        .annotate(total=Sum("amount_micros"))
    )
    counts = _counts(project, ids)
    means = _means(project, ids)
    times = _work_times(project, ids)
    raised = _flags(project, ids)
    began = Qualification.objects.filter(project=project, worker__in=ids)
    qualified = dict(began.values_list("worker", "status"))
    return [
        {
            "user": worker.username,
            **counts[worker.pk],
            "skill": _skill(skills.get(worker.pk)),
            "benchmark_score": means[worker.pk][0] if worker.pk in means else None,
            "agreement": means[worker.pk][1] if worker.pk in means else None,
            "work_s_median": median(times[worker.pk]) if times.get(worker.pk) else None,
            "earned_micros": earned.get(worker.pk, 0),
            "flags": raised.get(worker.pk, []),
            "state": standing[worker.pk].kind if worker.pk in standing else "active",
            "qualification": qualified.get(worker.pk),
        }
        for worker in workers
    ]


def _counts(project: Project, ids: list[str]) -> dict[str, dict[str, int]]:
    rows = Assignment.objects.filter(project=project, worker__in=ids).order_by().values_list("worker")
    numbers = {name: Count("pk", filter=Q(status__in=statuses)) for name, statuses in COUNTED.items()}
    counted = {worker: found for worker, *found in rows.annotate(**numbers)}
    return {pk: dict(zip(COUNTED, counted.get(pk, [0] * len(COUNTED)), strict=True)) for pk in ids}


def _flags(project: Project, ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in Suspicion.objects.filter(project=project, worker__in=ids).order_by("code"):
        found.setdefault(row.worker_id, []).append({"code": row.code, "evidence": row.evidence})
    return found


def _means(project: Project, ids: list[str]) -> dict[str, tuple[float | None, float | None]]:
    """Mean benchmark score and mean agreement with the others' consensus, by worker. Two numbers, never one."""
    rows = Assignment.objects.filter(project=project, worker__in=ids).order_by().values_list("worker")
    in_use = Q(score__gold__flagged_at=None)
    means = rows.annotate(gold=Avg("score__value", filter=in_use), peers=Avg("peer_score__value"))
    return {worker: (gold, peers) for worker, gold, peers in means}


def _work_times(project: Project, ids: list[str]) -> dict[str, list[float]]:
    submitted = Assignment.objects.filter(project=project, worker__in=ids, submitted_at__isnull=False)
    times: dict[str, list[float]] = {}
    for worker, claimed_at, submitted_at in submitted.values_list("worker", "claimed_at", "submitted_at"):
        times.setdefault(worker, []).append(work_s(claimed_at, submitted_at))
    return times


def work_s(claimed_at: datetime, submitted_at: datetime) -> float:
    """Work time by the server's clock."""
    return (submitted_at - claimed_at).total_seconds()


def _skill(row: Skill | None) -> dict[str, float] | None:
    return {"mean": row.mean, "low": row.low, "high": row.high} if row else None


def own_counts(worker: User) -> dict[str, int]:
    """A worker's own assignments by state, over all projects."""
    by_status = _by_status(Assignment.objects.filter(worker=worker))
    filled = sum(by_status.get(s, 0) for s in (Seat.SUBMITTED, Seat.ACCEPTED, Seat.REJECTED))
    names = (Seat.ACCEPTED, Seat.REJECTED, Seat.EXPIRED)
    return {"submitted": filled} | {str(name): by_status.get(name, 0) for name in names}
