"""Alarms for "too quiet": everything answers, and yet nothing happens.

Nobody notices work that does not come; a day of it was lost elsewhere while every request was answered with 200.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from annotation.lifecycle import JobStatus
from annotation.models import Job, Project
from annotation.templatetags.figures import money
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Batch
from crowd.seating import LIVE_BATCHES, held_micros, lapsed, policy_of
from crowd.starving import Starving

# A job that was due for so long, or a lease that ran out so long ago, shows that no worker or no sweep is at it.
JOBS_WAIT = timedelta(minutes=2)
SWEEP_IS_LATE = timedelta(minutes=5)
# Seats that were open for so long while nobody claimed any.
QUIET = timedelta(hours=1)


@dataclass(frozen=True)
class Alarm:
    code: str
    message: str


def alarms(*, project: Project, starving: Starving) -> list[Alarm]:
    """What a project's manager should look at now."""
    found = [*_short_of_money(project), _quiet(Assignment.objects.filter(project=project)), *machines()]
    if starving.tasks:
        found.insert(0, Alarm("starving", f"{starving.tasks} open tasks find no worker. {starving.reason}"))
    return [alarm for alarm in found if alarm]


def _short_of_money(project: Project) -> Iterator[Alarm]:
    """Batches whose next task waits for money."""
    waiting = Count("tasks", Q(tasks__status=TaskStatus.OPENING))
    batches = Batch.objects.filter(project=project, status__in=LIVE_BATCHES).annotate(waiting=waiting)
    bounded = list(batches.filter(waiting__gt=0, policy__budget_micros__isnull=False).order_by("created_at"))
    # All of a project's batches are bounded by what its seats hold together. Gold's open seats make way.
    held = held_micros(project=project) - held_micros(project=project, extra=True, status=Seat.OPEN) if bounded else 0
    for batch in bounded:
        policy = policy_of(batch)
        next_one = policy.first_seats * policy.reward_micros
        if next_one and policy.budget_micros is not None and held + next_one > policy.budget_micros:
            budget = money(policy.budget_micros, policy.currency)
            message = (
                f"{batch.waiting} tasks of the batch of {batch.created_at:%Y-%m-%d %H:%M} wait for seats that its "
                f"budget of {budget} does not cover, until seats are given back. "
                "Its budget can be raised."
            )
            yield Alarm("budget", message)


def site() -> list[Alarm]:
    """What whoever runs the installation should look at now."""
    return [alarm for alarm in (_quiet(Assignment.objects.all()), *machines()) if alarm]


def machines() -> list[Alarm]:
    """Jobs that wait and are not done, leases that ran out and were not swept."""
    found = []
    waiting = Job.objects.filter(status=JobStatus.QUEUED, not_before__lt=Now() - JOBS_WAIT).count()
    if waiting:
        minutes = JOBS_WAIT.seconds // 60
        message = f"{waiting} jobs have been due for more than {minutes} minutes and nobody does them: is a worker up?"
        found.append(Alarm("jobs_wait", message))
    kept = Job.objects.filter(status=JobStatus.QUEUED, created_at__lt=Now() - JOBS_WAIT).exclude(reason="").count()
    if kept:
        message = (
            f"{kept} jobs cannot be done for now and are tried again: files cannot be read or written. "
            "The workers' log and `manage.py doctor` say which."
        )
        found.append(Alarm("jobs_fail", message))
    late = Assignment.objects.filter(lapsed(), lease_until__lt=Now() - SWEEP_IS_LATE).count()
    if late:
        message = f"{late} leases ran out more than {SWEEP_IS_LATE.seconds // 60} minutes ago and nobody swept them."
        found.append(Alarm("sweep_late", message))
    return found


def _quiet(seats: QuerySet[Assignment]) -> Alarm | None:
    """Real seats of batches under way are open for long, and nobody claimed anything meanwhile."""
    free = seats.filter(status=Seat.OPEN, extra=False, batch__status__in=LIVE_BATCHES, created_at__lt=Now() - QUIET)
    if not free.exists() or seats.filter(claimed_at__gt=Now() - QUIET).exists():
        return None
    return Alarm("quiet", f"Seats are open, and nobody has claimed one for more than {QUIET.seconds // 3600} hour.")
