"""From a launch to open tasks: videos are cut into segments, and tasks open as their clips come."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from annotation import clipping
from annotation.ingesting import want_verify
from annotation.lifecycle import Event, JobStatus, VideoStatus
from annotation.models import Cut, Job, Ontology, Project, Segment, User, Video
from annotation.notifying import announce
from annotation.queue import want
from crowd import prelabelling, training
from crowd.core.policies import Policy
from crowd.errors import NothingToDraw, NothingToLaunch, VideoInUse, WrongState
from crowd.lifecycle import BatchStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, BatchVideo, Gold, Task
from crowd.seating import LIVE_BATCHES, UNDECIDED_TASKS, lock_task, move_task, open_seats, policy_of, withdraw

# Clips cost time and space, so they are made only this many tasks ahead of the claims.
AHEAD = 8
BUDGET_IS_SPENT = "The batch's budget does not cover this task's seats."


@transaction.atomic
def open_batch(*, project: Project, videos: Sequence[Video] | None, policy: Policy, by: User) -> Batch:
    """Launch videos of a project (None: all not yet in a batch). Their segments and tasks follow in jobs."""
    chosen = _launchable(project) if videos is None else list(videos)
    if not chosen:
        raise NothingToLaunch
    ontology = Ontology.objects.filter(project=project).latest("version")
    if not ontology.labels:
        raise NothingToDraw
    batch = Batch.objects.create(project=project, ontology=ontology, policy=policy.to_json(), created_by=by)
    # Two launches at once may name the same videos in different orders.
    named = Video.objects.select_for_update(no_key=True).filter(pk__in=[video.pk for video in chosen])
    list(named.order_by("pk").values_list("pk"))
    for video in chosen:
        try:
            with transaction.atomic():
                row = BatchVideo.objects.create(batch=batch, video=video)
        except IntegrityError as error:
            raise VideoInUse(f"The video {video.name!r} is in a batch already; cancel that batch first.") from error
        if video.status == VideoStatus.READY:
            want("prepare_video", str(row.pk))
    training.get_ready(batch=batch)
    return batch


def _launchable(project: Project) -> list[Video]:
    in_a_batch = BatchVideo.objects.filter(video=OuterRef("pk"), live=True)
    usable = Video.objects.filter(~Exists(in_a_batch), project=project).exclude(status=VideoStatus.REJECTED)
    return list(usable.order_by("created_at", "id"))


def prepare_video(*, batch_video_id: int) -> None:
    """Cut a ready video of a batch into segments, with a task each. Safe to run twice."""
    with transaction.atomic():
        row = BatchVideo.objects.select_for_update(no_key=True, of=("self",)).select_related("batch", "video", "cut")
        found = row.filter(pk=batch_video_id, live=True).first()
        if found is None or found.video.status != VideoStatus.READY:
            return
        if found.cut is None:
            _cut(found)
            want_verify(found.video)
        elif clipping.recut(cut=found.cut):
            _add_tasks(found.batch, found.cut)
    advance(batch=found.batch)


def _cut(row: BatchVideo) -> None:
    policy = policy_of(row.batch)
    cut = clipping.cut_video(
        video=row.video, segment_frames=policy.segment_frames, overlap_frames=policy.overlap_frames
    )
    BatchVideo.objects.filter(pk=row.pk).update(cut=cut)
    _add_tasks(row.batch, cut)


def _add_tasks(batch: Batch, cut: Cut) -> None:
    """A task for each segment that has none."""
    Task.objects.bulk_create(
        Task(project_id=batch.project_id, batch=batch, segment=segment, gold=gold_over(segment))
        for segment in Segment.objects.filter(cut=cut, task__isnull=True)
    )
    prelabelling.want_cuts(video=cut.video)


def gold_over(segment: Segment) -> Gold | None:
    """The newest gold that covers a whole segment."""
    covering = Gold.objects.filter(
        video_id=segment.video_id, start__lte=segment.start, stop__gte=segment.stop, retired_at=None, flagged_at=None
    )
    return covering.order_by("-created_at", "-id").first()


def advance(*, batch: Batch, worker: User | None = None) -> int:
    """Ask for the next clips, so that about AHEAD tasks have open seats. Returns how many it asked for.

    A task may open once the decode pass has settled all frames of its segment. They open in the order of their ids,
    which is a random one: if they opened from the start of a video onwards, gold that is given out again would be what
    lies far behind that day's other work. A `worker` who asks may not sit at a task again: its other seats are for
    others, and not ahead of this one.
    """
    if not Batch.objects.filter(pk=batch.pk, status__in=LIVE_BATCHES).exists():
        return 0
    tasks = Task.objects.filter(batch=batch)
    open_seat = Assignment.objects.filter(task=OuterRef("pk"), status=Seat.OPEN, extra=False)
    under_way = Job.objects.filter(
        kind="open_task", subject=OuterRef("pk"), status__in=[JobStatus.QUEUED, JobStatus.RUNNING]
    )
    waiting = tasks.filter(status=TaskStatus.OPENING)
    sat_at = Assignment.objects.filter(batch=batch, worker=worker).values("task") if worker else ()
    on_offer = tasks.filter(Exists(open_seat)).exclude(pk__in=sat_at)
    ahead = on_offer.count() + waiting.filter(Exists(under_way)).count()
    ready = waiting.filter(
        ~Exists(under_way), Q(reason=""), segment__stop__lte=F("segment__video__settled_frames")
    ).order_by("-priority", "pk")
    wanted = list(ready.values_list("pk", flat=True)[: max(0, AHEAD - ahead)])
    for task_id in wanted:
        want("open_task", task_id)
    return len(wanted)


def retry_waiting(*, batch: Batch) -> None:
    """Tasks that the budget did not cover are tried again: it may have grown, or seats were given back."""
    waiting = Task.objects.filter(batch=batch, status=TaskStatus.OPENING).exclude(reason="")
    # Locked by their ids, as who cancels the batch does.
    tasks = list(waiting.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    Task.objects.filter(pk__in=tasks, status=TaskStatus.OPENING).update(reason="")


def advance_for(*, worker: User, project: Project | None) -> None:
    """A claim found nothing: ask for the next clips wherever this worker could claim."""
    batches = Batch.objects.filter(Exists(Task.objects.filter(batch=OuterRef("pk"), status=TaskStatus.OPENING)))
    batches = batches.filter(status__in=LIVE_BATCHES)
    if project is not None:
        batches = batches.filter(project=project)
    for batch in batches[:20]:
        advance(batch=batch, worker=worker)


def open_task(*, task_id: str) -> None:
    """Make the clip of a task's segment, then open the task with its seats. Safe to die anywhere and to run twice."""
    task = Task.objects.select_related("batch").get(pk=task_id)
    if task.status != TaskStatus.OPENING or task.batch.status not in LIVE_BATCHES:
        return
    if training.note_shown(tasks=[task]):
        return
    clipping.make_clip(task.segment_id, quality=policy_of(task.batch).clip_quality)
    with transaction.atomic():
        task = lock_task(task_id)
        if task.status != TaskStatus.OPENING or task.batch.status not in LIVE_BATCHES:
            return
        first = policy_of(task.batch).first_seats
        if open_seats(task=task, count=first, at_least=first) < first:
            Task.objects.filter(pk=task.pk, status=TaskStatus.OPENING).update(reason=BUDGET_IS_SPENT)
            return
        move_task(task, to=TaskStatus.OPEN, leaves=(TaskStatus.OPENING,), opened_at=Now(), reason="")
        Task.objects.filter(pk=task.pk).update(reason="")
        Batch.objects.filter(pk=task.batch_id, status=BatchStatus.OPENING).update(status=BatchStatus.OPEN)


def quarantine_task(*, task_id: str, reason: str) -> None:
    """Give a task up, with a reason that a manager can act on, so that its batch can still be done."""
    with transaction.atomic():
        task = lock_task(task_id)
        open_states = (TaskStatus.OPENING, TaskStatus.OPEN, TaskStatus.FILLED)
        if move_task(task, to=TaskStatus.QUARANTINED, leaves=open_states, reason=reason):
            withdraw(task=task, reason=reason)
        close_if_done(batch_id=task.batch_id)


def pause(*, batch: Batch) -> None:
    _move_batch(batch, to=BatchStatus.PAUSED, leaves=LIVE_BATCHES)


def resume(*, batch: Batch) -> None:
    opened = Task.objects.filter(batch=batch).exclude(status=TaskStatus.OPENING).exists()
    _move_batch(batch, to=BatchStatus.OPEN if opened else BatchStatus.OPENING, leaves=(BatchStatus.PAUSED,))
    if not close_if_done(batch_id=batch.pk):
        advance(batch=batch)


def cancel(*, batch: Batch, by: User) -> None:
    """Stop a batch: its open seats are withdrawn; a seat held at this moment may still be submitted."""
    # Videos first, so that none is cut meanwhile; then tasks by their ids, each of which somebody may be submitting at;
    # the batch after them, as everybody does who closes it.
    BatchVideo.objects.filter(batch=batch).update(live=False)
    for task in Task.objects.filter(batch=batch, status__in=UNDECIDED_TASKS).order_by("pk"):
        move_task(task, to=TaskStatus.CANCELLED, leaves=UNDECIDED_TASKS)
    _move_batch(batch, to=BatchStatus.CANCELLED, leaves=(*LIVE_BATCHES, BatchStatus.PAUSED))
    withdraw(batch=batch, reason="The batch was cancelled.", actor=by)


def _move_batch(batch: Batch, *, to: str, leaves: Sequence[str]) -> None:
    if not Batch.objects.filter(pk=batch.pk, status__in=leaves).update(status=to):
        batch.refresh_from_db()
        raise WrongState(f"This batch is {batch.status}.")
    batch.status = to


def close_if_done(*, batch_id: str) -> bool:
    """A batch is done once every segment is decided or given up; then nothing more is given out, gold included."""
    over = [TaskStatus.DONE, TaskStatus.QUARANTINED, TaskStatus.TRAINING]
    unfinished = Task.objects.filter(batch=OuterRef("pk")).exclude(status__in=over)
    uncut = BatchVideo.objects.filter(batch=OuterRef("pk"), cut=None).exclude(video__status=VideoStatus.REJECTED)
    live = Batch.objects.filter(pk=batch_id, status__in=(*LIVE_BATCHES, BatchStatus.PAUSED))
    if not live.filter(~Exists(unfinished), ~Exists(uncut)).update(status=BatchStatus.DONE):
        return False
    withdraw(batch_id=batch_id, reason="The batch is done.")
    project_id = Batch.objects.values_list("project_id", flat=True).get(pk=batch_id)
    announce(project_id=project_id, event=Event.BATCH_DONE, batch=batch_id)
    return True
