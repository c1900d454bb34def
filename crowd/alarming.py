"""Alarms for "too quiet": everything answers, and yet nothing happens.

Nobody notices work that does not come; a day of it was lost elsewhere while every request was answered with 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from annotation.lifecycle import JobStatus
from annotation.models import Job, Project
from crowd.lifecycle import Seat
from crowd.models import Assignment
from crowd.seating import LIVE_BATCHES, lapsed
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
    found = [_quiet(Assignment.objects.filter(project=project)), *machines()]
    if starving.tasks:
        found.insert(0, Alarm("starving", f"{starving.tasks} open tasks find no worker. {starving.reason}"))
    return [alarm for alarm in found if alarm]


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
