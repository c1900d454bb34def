"""Pieces of a project's gold, made into tasks and given out to whoever has to qualify.

A piece is a seat like any other: claimed, drawn and submitted by the same requests. Its task has no real seats and
nobody waits for it, so its seat is made for the worker who asks. One gold is one piece: its first `segment_frames`
frames. A worker sits at a task once, so who tries again, or gave a piece back, gets the next round of it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from annotation import clipping
from annotation.ingesting import want_verify
from annotation.lifecycle import Role
from annotation.models import Clip, Member, Project, Segment, User
from annotation.queue import want
from crowd.core.policies import Policy
from crowd.core.qualification import Qualification as Asked
from crowd.lifecycle import QualificationStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, Gold, Qualification, Sanction, Task, TrainingTask, Transition, Trial
from crowd.qualifying import begin, gold_for, trials_of
from crowd.seating import LIVE_BATCHES, covers, move, policy_of


def asking_batches(*, worker: User, project: Project | None = None) -> list[Batch]:
    """Live batches that ask for a qualification, in projects that let the worker in and did not pause or ban them."""
    batches = Batch.objects.filter(status__in=LIVE_BATCHES, policy__qualification__gold__isnull=False)
    batches = batches.exclude(project__sanctions__in=Sanction.objects.filter(worker=worker, lifted_at=None))
    if project is not None:
        batches = batches.filter(project=project)
    invited = set(Member.objects.filter(user=worker, role=Role.WORKER).values_list("project_id", flat=True))
    found = batches.select_related("project").order_by("created_at")
    return [b for b in found if b.project_id in invited or (worker.role == Role.WORKER and policy_of(b).open)]


def next_seat(*, worker: User, project: Project | None = None) -> Assignment | None:
    """The next piece of training for a worker who is not qualified, of `project` or of any; None where there is none.

    A piece whose clip is not made yet is asked for, and is there soon.
    """
    for batch in asking_batches(worker=worker, project=project):
        asked = policy_of(batch).qualification
        row = begin(worker=worker, project=batch.project)
        ready = asked is not None and row.status == QualificationStatus.TRAINING
        if ready and (seat := _seat_in(worker, batch, asked, row)):
            return seat
    return None


def _seat_in(worker: User, batch: Batch, asked: Asked | None, row: Qualification) -> Assignment | None:
    policy = policy_of(batch)
    slot = _free_slot(worker, batch.project_id, policy)
    if asked is None or slot is None or not covers(batch.project_id, policy, asked.reward_micros):
        return None
    met = {trial.gold_id for trial in trials_of(row)}
    for gold in gold_for(project_id=batch.project_id, asked=asked):
        training = None if gold.pk in met else _task_for(worker, batch, gold)
        if training and (seat := _sit(worker, training, row, slot, policy)):
            return seat
    return None


def _free_slot(worker: User, project_id: str, policy: Policy) -> int | None:
    held = Assignment.objects.filter(worker=worker, project=project_id, status=Seat.HELD)
    taken = set(held.values_list("slot", flat=True))
    return next((slot for slot in range(policy.max_held) if slot not in taken), None)


def _task_for(worker: User, batch: Batch, gold: Gold) -> TrainingTask | None:
    before = Assignment.objects.filter(worker=worker, task__training__gold=gold, batch=batch).count()
    made = TrainingTask.objects.filter(batch=batch, gold=gold, round=before).select_related("task", "gold").first()
    if made is None:
        want("prepare_training", f"{batch.pk}:{gold.pk}:{before}")
    return made


def _sit(worker: User, training: TrainingTask, row: Qualification, slot: int, policy: Policy) -> Assignment | None:
    """A seat of its own for the worker, opened and taken at once. None: the same worker's other request was first."""
    task, asked = training.task, policy.qualification
    reward = asked.reward_micros if asked else 0
    seat = Assignment(task=task, batch_id=task.batch_id, project_id=task.project_id, extra=True, reward_micros=reward)
    try:
        with transaction.atomic():
            seat.save(force_insert=True)
            Transition.objects.create(assignment=seat, project_id=task.project_id, to_status=Seat.OPEN)
            move(
                seat,
                to=Seat.HELD,
                actor=worker,
                worker=worker,
                token=secrets.token_hex(16),
                slot=slot,
                claimed_at=Now(),
                lease_until=Now() + timedelta(seconds=policy.lease_s),
            )
            Trial.objects.create(assignment=seat, qualification=row, gold=training.gold, attempt=row.attempt)
    except IntegrityError:
        return None
    return seat


def get_ready(*, batch: Batch) -> None:
    """Ask for the clips of a batch's qualification, so that its first worker need not wait."""
    asked = policy_of(batch).qualification
    for gold in gold_for(project_id=batch.project_id, asked=asked) if asked else ():
        want("prepare_training", f"{batch.pk}:{gold.pk}:0")


def prepare(*, batch_id: str, gold_id: str, round: int) -> None:
    """Make one piece of training: a segment, its clip, and its task once both are there.

    Safe to die anywhere and to run twice; a segment that a dead job left behind is seen by nobody. A piece of a video
    that is not settled so far waits until somebody asks again.
    """
    batch = Batch.objects.filter(pk=batch_id, status__in=LIVE_BATCHES).first()
    gold = Gold.objects.select_related("video").filter(pk=gold_id).first()
    made = TrainingTask.objects.filter(batch=batch_id, gold=gold_id)
    if batch is None or gold is None or made.filter(round=round).exists():
        return
    policy = policy_of(batch)
    stop = min(gold.stop, gold.start + policy.segment_frames)
    if stop > gold.video.settled_frames:
        want_verify(gold.video)
        return
    segment = clipping.cut_piece(video=gold.video, start=gold.start, stop=stop)
    earlier = Clip.objects.filter(segment__task__training__in=made).first()
    if earlier is not None:
        clipping.share_clip(earlier, segment)
    else:
        clipping.make_clip(segment.pk, quality=policy.clip_quality)
    _open(batch, gold, segment, round)


@transaction.atomic
def _open(batch: Batch, gold: Gold, segment: Segment, round: int) -> None:
    task = Task.objects.create(
        project_id=batch.project_id,
        batch=batch,
        segment=segment,
        gold=gold,
        status=TaskStatus.TRAINING,
        opened_at=Now(),
    )
    TrainingTask.objects.create(task=task, batch=batch, gold=gold, round=round)
