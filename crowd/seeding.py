"""What is known beforehand: gold, the extra seats that are only scored against it, and models' pre-labels."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, Q

from annotation import recording
from annotation.core.tracks import Tracks, clip_to
from annotation.lifecycle import Source
from annotation.models import Project, User, Video
from annotation.queue import want
from crowd.lifecycle import FILLED_SEATS, BatchStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, Gold, PreLabels, Task
from crowd.seating import batch_is_over, lock_task, open_seats, policy_of

# Open seats kept on each gold task once its real seats are filled.
EXTRA_SEATS = 2
GIVEN_OUT = (TaskStatus.FILLED, TaskStatus.IN_REVIEW, TaskStatus.DONE)


def post_gold(*, project: Project, video: Video, tracks: Tracks, by: User) -> Gold:
    """Store gold for a range of frames, and mark the tasks inside it. What was submitted there is scored as well."""
    track_set = recording.store(tracks=tracks, video=video, source=Source.GOLD, author=by)
    gold = Gold.objects.create(
        project=project, video=video, start=tracks.start, stop=tracks.stop, track_set=track_set, created_by=by
    )
    inside = Task.objects.filter(
        segment__video=video, segment__start__gte=gold.start, segment__stop__lte=gold.stop, project=project
    )
    # Locked by their ids, as everybody does: what is submitted from now on is known to lie inside gold.
    list(inside.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    inside.update(gold=gold)
    for seat_id in Assignment.objects.filter(task__gold=gold, status__in=FILLED_SEATS).values_list("pk", flat=True):
        want("score", seat_id)
    for batch_id in inside.order_by().values_list("batch_id", flat=True).distinct():
        want("keep_gold", batch_id)
    return gold


def post_pre_labels(*, project: Project, video: Video, tracks: Tracks, by: User) -> PreLabels:
    """Store a model's tracks of a video; the newest are shown to workers as a draft."""
    track_set = recording.store(tracks=tracks, video=video, source=Source.MODEL, author=by)
    return PreLabels.objects.create(project=project, video=video, track_set=track_set, created_by=by)


def pre_labels_for(task: Task) -> Tracks:
    """The newest pre-labels of the task's video, cut to its segment."""
    segment = task.segment
    newest = PreLabels.objects.filter(project_id=task.project_id, video_id=segment.video_id)
    found = newest.select_related("track_set").order_by("-created_at", "-id").first()
    if found is None:
        return Tracks(segment.start, segment.stop)
    return clip_to(recording.load(found.track_set), segment.start, segment.stop)


def keep_extra_seats(*, batch_id: str) -> int:
    """Keep a few extra seats open on every gold task whose real seats are filled. Returns how many were opened."""
    batch = Batch.objects.get(pk=batch_id)
    if batch.status != BatchStatus.OPEN or policy_of(batch).gold_share <= 0:
        return 0
    spare = Count("assignments", filter=Q(assignments__extra=True, assignments__status=Seat.OPEN))
    tasks = Task.objects.filter(batch=batch, gold__isnull=False, gold__retired_at=None, status__in=GIVEN_OUT)
    opened = 0
    short = tasks.annotate(spare=spare).filter(spare__lt=EXTRA_SEATS).order_by("pk")
    for task_id in short.values_list("pk", flat=True):
        opened += _top_up(task_id)
    return opened


def _top_up(task_id: str) -> int:
    with transaction.atomic():
        task = lock_task(task_id)
        if batch_is_over(task.batch_id) or task.status not in GIVEN_OUT:
            return 0
        spare = Assignment.objects.filter(task=task, extra=True, status=Seat.OPEN).count()
        return open_seats(task=task, count=EXTRA_SEATS - spare, extra=True)
