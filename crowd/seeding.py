"""What is known beforehand to be right: gold, and the extra seats that are only scored against it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, Q

from annotation import recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import Project, User, Video
from annotation.queue import want
from crowd import training
from crowd.lifecycle import FILLED_SEATS, BatchStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, Gold, Task
from crowd.seating import batch_is_over, lock_task, open_seats, policy_of

# Open seats kept on each gold task once its real seats are filled.
EXTRA_SEATS = 2
GIVEN_OUT = (TaskStatus.FILLED, TaskStatus.IN_REVIEW, TaskStatus.DONE)


def post_gold(*, project: Project, video: Video, tracks: Tracks, by: User, from_task: Task | None = None) -> Gold:
    """Store gold for a range of frames, and mark the tasks inside it. What was submitted there is scored as well.

    `from_task` is the task whose consensus became gold: the work that it was made of is not scored against it.
    """
    track_set = recording.store(tracks=tracks, video=video, source=Source.GOLD, author=by)
    gold = Gold.objects.create(
        project=project,
        video=video,
        start=tracks.start,
        stop=tracks.stop,
        track_set=track_set,
        from_task=from_task,
        created_by=by,
    )
    mark(gold=gold)
    return gold


def mark(*, gold: Gold) -> None:
    """Mark the tasks inside gold as such; what was submitted there is scored as well."""
    inside = Task.objects.filter(
        segment__video=gold.video, segment__start__gte=gold.start, segment__stop__lte=gold.stop, project=gold.project
    ).exclude(status=TaskStatus.TRAINING)
    # Locked by their ids, as everybody does: what is submitted from now on is known to lie inside gold.
    list(inside.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    inside.update(gold=gold)
    for seat_id in Assignment.objects.filter(task__gold=gold, status__in=FILLED_SEATS).values_list("pk", flat=True):
        want("score", seat_id)
    for batch_id in inside.order_by().values_list("batch_id", flat=True).distinct():
        want("keep_gold", batch_id)
    training.note_shown(tasks=list(inside.filter(status=TaskStatus.OPEN).select_related("batch")))


def keep_extra_seats(*, batch_id: str) -> int:
    """Keep a few extra seats open on every gold task whose real seats are filled. Returns how many were opened."""
    batch = Batch.objects.get(pk=batch_id)
    if batch.status != BatchStatus.OPEN or policy_of(batch).gold_share <= 0:
        return 0
    spare = Count("assignments", filter=Q(assignments__extra=True, assignments__status=Seat.OPEN))
    tasks = Task.objects.filter(batch=batch, gold__isnull=False, gold__retired_at=None, status__in=GIVEN_OUT)
    # Not what was seen often, and not what whoever qualified was shown the answer of.
    seen = Count("assignments", filter=Q(assignments__status__in=FILLED_SEATS))
    tasks = tasks.exclude(gold__in=training.shown_gold(batch)).annotate(seen=seen)
    tasks = tasks.filter(seen__lt=policy_of(batch).gold_exposures)
    opened = 0
    short = tasks.annotate(spare=spare).filter(spare__lt=EXTRA_SEATS).order_by("pk")
    for task_id in short.values_list("pk", flat=True):
        opened += _top_up(task_id)
    return opened


def _top_up(task_id: str) -> int:
    with transaction.atomic():
        task = lock_task(task_id)
        if batch_is_over(task.batch_id) or task.status not in GIVEN_OUT or task.gold_id is None:
            return 0
        spare = Assignment.objects.filter(task=task, extra=True, status=Seat.OPEN).count()
        return open_seats(task=task, count=EXTRA_SEATS - spare, extra=True)
