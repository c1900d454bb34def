"""Taking in what a worker drew."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Now

from annotation import recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import User
from crowd.errors import SeatIsOver
from crowd.holding import holding, keep_late
from crowd.lifecycle import ENDED_SEATS, Seat, TaskStatus
from crowd.models import Assignment, LateBody
from crowd.seating import has_live_seats, lock_task, move, move_task
from crowd.signals import submission_changed


def submit(
    *, seat: Assignment, token: str, tracks: Tracks, body: str, worker: User, client_work_s: float | None = None
) -> None:
    """Store a submission by the very update that checks token and lease.

    `body` is the JSON as sent: what comes after its lease is kept as it was. The task is locked first, so that the
    last two submissions of a task, arriving at once, do not each leave it to the other to call it filled.
    """
    task = lock_task(seat.task_id)
    if not Assignment.objects.filter(holding(token), pk=seat.pk).exists():
        keep_late(seat=seat, token=token, body=body)
    track_set = recording.store(tracks=tracks, video=task.segment.video, source=Source.WORKER, author=worker)
    moved = move(
        seat,
        where=holding(token),
        to=Seat.SUBMITTED,
        actor=worker,
        track_set=track_set,
        submitted_at=Now(),
        lease_until=None,
        slot=None,
        client_work_s=client_work_s,
    )
    if not moved:
        track_set.delete()
        keep_late(seat=seat, token=token, body=body)
    _received(seat)


def salvage(*, seat: Assignment, tracks: Tracks, by: User, reason: str) -> None:
    """Take in a body that came after its lease, by a manager's word. SeatIsOver where there is nothing to salvage."""
    task = lock_task(seat.task_id)
    late = LateBody.objects.filter(assignment=seat, salvaged_at=None).first()
    if late is None:
        raise SeatIsOver("There is no late submission to salvage here.")
    track_set = recording.store(tracks=tracks, video=task.segment.video, source=Source.WORKER, author=seat.worker)
    ended = Q(status__in=ENDED_SEATS) & ~Q(status=Seat.RELEASED)
    if not move(
        seat, where=ended, to=Seat.SUBMITTED, actor=by, reason=reason, track_set=track_set, submitted_at=late.came_at
    ):
        track_set.delete()
        raise SeatIsOver
    LateBody.objects.filter(pk=late.pk).update(salvaged_at=Now())
    _received(seat)


def _received(seat: Assignment) -> None:
    task = seat.task
    if not seat.extra and not has_live_seats(task):
        move_task(task, to=TaskStatus.FILLED, leaves=(TaskStatus.OPEN,))
    submission_changed.send(sender=Assignment, assignment=seat, change="received")
