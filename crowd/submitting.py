"""Taking in what a worker drew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from annotation import clock, recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import Segment, TrackSet, User, Video
from crowd.errors import SeatIsOver
from crowd.holding import keep_late
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, LateBody, Task
from crowd.seating import cover, fill_task, hold_task, lock_task, log_move, move
from crowd.signals import submission_changed

# What reading and storing a submission asks of its seat.
LOADED = {
    Assignment: ("id", "task_id", "batch_id", "project_id", "worker_id", "extra", "status"),
    Batch: ("id", "ontology_id", "policy"),
    Task: ("id", "segment_id"),
    Segment: ("id", "video_id", "start", "stop"),
    Video: ("id", "width", "height"),
}
AT_WORK = """SELECT a.id, a.task_id, a.batch_id, a.project_id, a.worker_id, a.extra, a.status,
        b.id, b.ontology_id, b.policy, t.id, t.segment_id, s.id, s.video_id, s.start, s.stop, v.id, v.width, v.height
    FROM crowd_assignment a JOIN crowd_batch b ON b.id = a.batch_id JOIN crowd_task t ON t.id = a.task_id
    JOIN annotation_segment s ON s.id = t.segment_id JOIN annotation_video v ON v.id = s.video_id
    WHERE a.id = %s AND a.worker_id = %s"""


def seat_at_work(pk: str, worker: User) -> Assignment | None:
    """A seat of this worker's with as much of its batch, task, segment and video as a submission needs."""
    with connection.cursor() as cursor:
        cursor.execute(AT_WORK, [pk, worker.pk])
        row = cursor.fetchone()
    if row is None:
        return None
    seat, batch, task, segment, video = _rows(row)
    batch.policy = json.loads(batch.policy)
    seat.batch, seat.task, task.segment, segment.video = batch, task, segment, video
    return seat


def _rows(row: Sequence[Any]) -> Iterator[Any]:
    values = iter(row)
    for model, columns in LOADED.items():
        yield model.from_db(connection.alias, columns, [next(values) for _ in columns])


# As `crowd.holding.holding` says it.
SUBMIT = """UPDATE crowd_assignment
    SET status = 'submitted', track_set_id = %(track_set)s, submitted_at = {now}, lease_until = NULL, slot = NULL,
        client_work_s = %(work_s)s
    WHERE id = %(seat)s AND status = 'held' AND token = %(token)s AND lease_until > {now}"""


def submit(
    *, seat: Assignment, token: str, tracks: Tracks, body: str, worker: User, client_work_s: float | None = None
) -> None:
    """Store a submission by the very update that checks token and lease.

    `body` is the JSON as sent: what comes after its lease is kept as it was. The task is locked first, so that the
    last two submissions of a task, arriving at once, do not each leave it to the other to call it filled.
    """
    hold_task(seat.task_id)
    track_set = recording.store(tracks=tracks, video=seat.task.segment.video, source=Source.WORKER, author=worker)
    words = {"seat": seat.pk, "token": token, "track_set": track_set.pk, "work_s": client_work_s}
    with connection.cursor() as cursor:
        cursor.execute(SUBMIT.format(now=clock.now()), words)
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
