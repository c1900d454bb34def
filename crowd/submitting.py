"""Taking in what a worker drew."""

from __future__ import annotations

from django.db.models.functions import Now

from annotation import clock, planning, recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import TrackSet, User
from crowd.errors import SeatIsOver
from crowd.holding import keep_late
from crowd.lifecycle import Seat
from crowd.models import Assignment, LateBody
from crowd.paying import refuse_own
from crowd.seating import cover, fill_task, lock_task, locking, log_move, move
from crowd.signals import submission_changed

# As `crowd.holding.holding` says it. The task is locked before the seat is looked at, since that asks nothing of it.
SUBMIT = """UPDATE crowd_assignment
    SET status = 'submitted', track_set_id = %(track_set)s, submitted_at = {now}, lease_until = NULL, slot = NULL,
        client_work_s = %(work_s)s
    WHERE id = %(seat)s AND status = 'held' AND token = %(token)s AND lease_until > {now}
        AND (SELECT 1 FROM crowd_task WHERE id = %(task)s{locked}) = 1"""


def submit(
    *, seat: Assignment, token: str, tracks: Tracks, body: str, worker: User, client_work_s: float | None = None
) -> None:
    """Store a submission by the very update that checks token and lease.

    `body` is the JSON as sent: what comes after its lease is kept as it was. The task is locked first, so that the
    last two submissions of a task, arriving at once, do not each leave it to the other to call it filled.
    """
    track_set = recording.store(tracks=tracks, video=seat.task.segment.video, source=Source.WORKER, author=worker)
    words = {"seat": seat.pk, "task": seat.task_id, "token": token, "track_set": track_set.pk, "work_s": client_work_s}
    with planning.cursor() as cursor:
        cursor.execute(SUBMIT.format(now=clock.now(), locked=locking()), words)
        moved = cursor.rowcount
    if not moved:
        TrackSet.objects.filter(pk=track_set.pk).delete()
        keep_late(seat=seat, token=token, body=body)
    seat.status = Seat.SUBMITTED
    log_move(seat, came_from=Seat.HELD, actor=worker)
    _received(seat)


def salvage(*, seat: Assignment, tracks: Tracks, by: User, reason: str) -> None:
    """Take in a body that came after its lease, by a manager's word. SeatIsOver where there is nothing to salvage.

    It takes the place of a seat that is still open at its task, if there is one, and else needs its own share of the
    budget.
    """
    refuse_own(by, seat.worker_id, seat.project_id)
    task = seat.task = lock_task(seat.task_id)
    seat.refresh_from_db(fields=["status"])
    late = LateBody.objects.filter(assignment=seat, salvaged_at=None).first()
    if late is None or seat.status not in (Seat.EXPIRED, Seat.REVOKED):
        raise SeatIsOver("There is no late submission to salvage here.")
    if not _takes_the_place_of_another(seat, by):
        cover(seat)
    track_set = recording.store(tracks=tracks, video=task.segment.video, source=Source.WORKER, author=seat.worker)
    if not move(seat, to=Seat.SUBMITTED, actor=by, reason=reason, track_set=track_set, submitted_at=late.came_at):
        raise SeatIsOver
    LateBody.objects.filter(pk=late.pk).update(salvaged_at=Now())
    _received(seat)


def _takes_the_place_of_another(seat: Assignment, by: User) -> bool:
    """Withdraw one open seat of the same task and kind, which costs the same."""
    same = Assignment.objects.filter(task=seat.task_id, extra=seat.extra, status=Seat.OPEN)
    spare = same.order_by("pk").first()
    why = "A late submission was taken in instead."
    return spare is not None and move(spare, to=Seat.WITHDRAWN, actor=by, reason=why)


def _received(seat: Assignment) -> None:
    # One statement, and the same one, whoever's submission it is: how long it takes tells gold from nothing.
    fill_task(seat.task_id)
    submission_changed.send(sender=Assignment, assignment=seat, change="received")
