"""A project's progress, counted from rows each time somebody looks."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import numpy as np
from django.db.models import Avg, Case, Count, Exists, Max, OuterRef, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from annotation.models import Project, Segment, Video
from crowd import alarming, paying, reporting
from crowd.lifecycle import BatchStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, Score, Task, Transition
from crowd.seating import lapsed, policy_of
from crowd.starving import starving
from review.lifecycle import ConsensusStatus
from review.models import Agreement, Build, Consensus, Decision

HOUR = timedelta(hours=1)
SUBMITTED = (Seat.SUBMITTED, Seat.ACCEPTED, Seat.REJECTED)


# How far a task in each state has come.
STEPS = {
    TaskStatus.OPEN: 1,
    TaskStatus.FILLED: 1,
    TaskStatus.TRAINING: 1,
    TaskStatus.IN_REVIEW: 2,
    TaskStatus.DONE: 3,
    TaskStatus.QUARANTINED: 3,
    TaskStatus.CANCELLED: 3,
}


def seq(project: Project) -> int:
    """A number that grows with every change of a project's figures: the same for every process that asks.

    A sum of what only grows, so that nothing is made up for by something else. Where a task goes back (a verdict that
    rejects), more seats and decisions outweigh it.
    """
    moves = Transition.objects.filter(project=project).aggregate(n=Max("pk"))["n"] or 0
    decisions = Decision.objects.filter(consensus__batch__project=project).count()
    # Each build is one version more: they are summed where there is one row for a task, not one for a build.
    builds = Consensus.objects.filter(batch__project=project).aggregate(n=Sum("version"))["n"] or 0
    cancelled = Batch.objects.filter(project=project, status=BatchStatus.CANCELLED).count()
    return moves + 2 * decisions + builds + cancelled + _way(project) + _measured_ms(project)


def _way(project: Project) -> int:
    """How far a project's tasks have come, all together; each counts, and so does its clip."""
    steps = Case(*(When(status=status, then=Value(n)) for status, n in STEPS.items()), default=Value(0))
    tasks = Task.objects.filter(project=project)
    come = tasks.aggregate(steps=Sum(steps), tasks=Count("pk"), clips=Count("segment__clip"))
    return (come["steps"] or 0) + come["tasks"] + come["clips"]


def _measured_ms(project: Project) -> int:
    """When alpha was measured last."""
    at = Agreement.objects.filter(project=project).values_list("measured_at", flat=True).first()
    return int(at.timestamp() * 1000) if at else 0


def progress(project: Project) -> dict[str, Any]:
    """The figures of the public contract."""
    at = seq(project)
    batches = list(Batch.objects.filter(project=project).exclude(status=BatchStatus.CANCELLED))
    counts = reporting.counts(batches=[b.pk for b in batches])
    mine = Assignment.objects.filter(project=project)
    now = timezone.now()
    seats = _seats(mine, now)
    hungry = starving(project)
    accepted_per_hour = Consensus.objects.filter(
        _was_worked_at("task"), batch__in=batches, status=ConsensusStatus.ACCEPTED, decided_at__gte=now - HOUR
    ).count()
    return {
        **counts,
        "submissions": seats["submissions"],
        "submissions_per_hour": seats["per_hour"],
        "accepted_segments_per_hour": accepted_per_hour,
        "frames": _frames(project),
        "workers_active": mine.filter(status=Seat.HELD).values("worker").distinct().count(),
        "work_s": _work_s(project),
        "stuck_leases": mine.filter(lapsed()).count(),
        "starving_tasks": hungry.tasks,
        "alarms": [asdict(alarm) for alarm in alarming.alarms(project=project, starving=hungry)],
        "agreement": _agreement(project, batches),
        "benchmark_score": _benchmark(project),
        "redundancy": _redundancy(project, batches),
        "cost_micros": _cost(project, batches, seats["out"] or 0),
        "eta_at": _eta(now, counts, accepted_per_hour),
        "seq": at,
    }


def _seats(mine: QuerySet[Assignment], now: datetime) -> dict[str, int | None]:
    """What is counted over all seats of a project, which are looked through once for it."""
    real = Q(extra=False)
    return mine.aggregate(
        submissions=Count("pk", filter=real & Q(status__in=SUBMITTED)),
        per_hour=Count("pk", filter=real & Q(submitted_at__gte=now - HOUR)),
        out=Sum("reward_micros", filter=Q(status__in=(Seat.OPEN, Seat.HELD, Seat.SUBMITTED))),
    )


def _was_worked_at(task: str) -> Exists:
    """Whether anybody submitted anything for a task, named by a column: what nobody did was imported, or was gold."""
    return Exists(Assignment.objects.filter(task=OuterRef(task), extra=False, status__in=SUBMITTED))


def _frames(project: Project) -> dict[str, int]:
    """Frames of the project's launched videos, and those that lie in an accepted segment; each counted once."""
    videos = Video.objects.filter(project=project, batch_videos__live=True).distinct()
    total = sum(n or 0 for n in videos.values_list("frame_count", flat=True))
    live = Batch.objects.filter(project=project, batch_videos__live=True)
    done = Segment.objects.filter(task__status=TaskStatus.DONE, video__in=videos, task__batch__in=live)
    covered, reached = 0, ("", 0)
    for video, start, stop in done.order_by("video_id", "start").values_list("video_id", "start", "stop"):
        begin = max(start, reached[1]) if reached[0] == video else start
        covered += max(0, stop - begin)
        reached = (video, max(stop, reached[1]) if reached[0] == video else stop)
    return {"total": total, "accepted": covered}


def _work_s(project: Project) -> dict[str, float | None]:
    recent = Assignment.objects.filter(project=project, submitted_at__isnull=False).order_by("-submitted_at")
    times = [reporting.work_s(a, b) for a, b in recent.values_list("claimed_at", "submitted_at")[:1000]]
    if not times:
        return {"median": None, "p95": None}
    return {"median": median(times), "p95": float(np.quantile(times, 0.95))}


def _agreement(project: Project, batches: list[Batch]) -> dict[str, float | None]:
    """Mean agreement with the consensus so far; alpha and its interval as last measured (see `measuring`)."""
    made = Consensus.objects.filter(batch__in=batches, agreement__isnull=False)
    mean = made.aggregate(mean=Avg("agreement"))["mean"]
    row = Agreement.objects.filter(project=project).first()
    alpha = {"alpha": row.alpha, "low": row.low, "high": row.high} if row else dict.fromkeys(("alpha", "low", "high"))
    return {"mean": mean, **alpha}


def _benchmark(project: Project) -> dict[str, Any]:
    in_use = Score.objects.filter(gold__project=project, gold__flagged_at=None)
    return in_use.aggregate(mean=Avg("value"), n=Count("pk"))


def _redundancy(project: Project, batches: list[Batch]) -> dict[str, Any]:
    """Submissions per decided task, and how many fewer than `max_redundancy` on each would have been."""
    given = Assignment.objects.filter(batch__in=batches, extra=False, status__in=SUBMITTED)
    given = given.filter(task__status=TaskStatus.DONE).order_by().values_list("batch")
    most = spent = decided = 0
    of_batch = {batch.pk: batch for batch in batches}
    for pk, used, tasks in given.annotate(used=Count("pk"), tasks=Count("task", distinct=True)):
        most += policy_of(of_batch[pk]).max_redundancy * tasks
        spent, decided = spent + used, decided + tasks
    asked = Build.objects.filter(consensus__batch__in=batches).exclude(wanted="").order_by()
    why, withheld = Counter[str](), Counter[str]()
    for wanted, kept, n in asked.values_list("wanted", "withheld").annotate(n=Count("pk")):
        why[wanted] += n
        withheld[kept] += n
    withheld.pop("", None)
    mean = spent / decided if decided else None
    return {"mean": mean, "saved": max(0, most - spent), "why": dict(why), "withheld": dict(withheld)}


def _cost(project: Project, batches: list[Batch], out: int) -> dict[str, int]:
    """Spent so far, and expected in the end: what is out now, and the unopened tasks at the usual price."""
    spent = paying.spent_micros(project)
    waiting = Task.objects.filter(batch__in=batches, status=TaskStatus.OPENING)
    unopened = dict(waiting.order_by().values_list("batch").annotate(n=Count("pk")))
    policies = {b.pk: policy_of(b) for b in batches}
    later = sum(n * policies[b].first_seats * policies[b].reward_micros for b, n in unopened.items())
    return {"spent": spent, "expected": spent + out + later}


def _eta(now: datetime, counts: dict[str, dict[str, int]], per_hour: int) -> dict[str, str | None]:
    """When all segments are accepted at the last hour's rate, with a Poisson 80 % range of that rate."""
    left = counts["segments"]["total"] - counts["segments"]["accepted"] - counts["tasks"]["quarantined"]
    if left <= 0 or per_hour == 0:
        return {"expected": None, "low": None, "high": None}
    spread = 1.28 * per_hour**0.5
    rates = {"expected": per_hour, "low": per_hour + spread, "high": max(per_hour - spread, 0.25 * per_hour)}
    ends = {name: now + left / rate * HOUR for name, rate in rates.items()}
    return {name: f"{end:%Y-%m-%dT%H:%M:%S}Z" for name, end in ends.items()}
