"""Pieces of a project's gold, made into tasks and given out to whoever has to qualify.

A piece is a seat like any other: claimed, drawn and submitted by the same requests. Its task has no real seats and
nobody waits for it, so its seat is made for the worker who asks. One gold is one piece: its first `segment_frames`
frames. A worker sits at a task once, so who tries again, or gave a piece back, gets the next round of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from annotation import access, clipping
from annotation.core.problems import Invalid, Problem, shown
from annotation.ingesting import want_verify
from annotation.lifecycle import Role
from annotation.models import Clip, Member, Project, Segment, User
from annotation.queue import want
from crowd import admitting
from crowd.core.policies import Policy
from crowd.lifecycle import QualificationStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, Gold, Qualification, Sanction, Task, TrainingTask, Transition, Trial
from crowd.qualifying import begin, conclude, explain, gold_for, trials_of
from crowd.seating import LIVE_BATCHES, covers, move, policy_of


def check_gold(*, policy: Policy, project: Project | None) -> None:
    """Invalid, with pointers, where a qualification names gold that the project does not have."""
    asked = policy.qualification
    if asked is None or isinstance(asked.gold, int):
        return
    there = set(Gold.objects.filter(project=project, pk__in=asked.gold).values_list("pk", flat=True)) if project else ()
    missing = [(i, pk) for i, pk in enumerate(asked.gold) if pk not in there]
    if missing:
        where = "/policy/qualification/gold"
        raise Invalid([Problem(f"{where}/{i}", f"there is no gold {shown(pk)} in this project") for i, pk in missing])


def asking_batches(*, worker: User, project: Project | None = None) -> list[Batch]:
    """Live batches that ask for a qualification, in projects that let the worker in and did not pause or ban them."""
    batches = Batch.objects.filter(status__in=LIVE_BATCHES, policy__qualification__gold__isnull=False)
    batches = batches.exclude(project__sanctions__in=Sanction.objects.filter(worker=worker, lifted_at=None))
    if project is not None:
        batches = batches.filter(project=project)
    invited = set(Member.objects.filter(user=worker, role=Role.WORKER).values_list("project_id", flat=True))
    seen = set(access.visible_projects(worker).values_list("pk", flat=True))
    found = [b for b in batches.select_related("project").order_by("created_at") if b.project_id not in seen - invited]
    return [b for b in found if b.project_id in invited or (worker.role == Role.WORKER and policy_of(b).open)]


def next_seat(*, worker: User, project: Project | None = None) -> Assignment | None:
    """The next piece of training for a worker who is not qualified, of `project` or of any; None where there is none.

    A piece whose clip is not made yet is asked for, and is there soon.
    """
    for batch in asking_batches(worker=worker, project=project):
        policy = policy_of(batch)
        known = admitting.known_of(worker=worker, project_id=batch.project_id)
        rest = replace(policy, qualification=None)
        if admitting.refusal(worker=worker, project_id=batch.project_id, policy=rest, known=known):
            continue
        row = begin(worker=worker, project=batch.project)
        if row.status != QualificationStatus.TRAINING:
            continue
        if seat := _seat_in(worker, batch, policy, row):
            return seat
        # Gold that was retired or flagged is asked for no more: what is left may all be graded.
        conclude(row=row, policy=policy)
    return None


def refusal(*, worker: User, project: Project) -> str | None:
    """Why no live batch of a project takes the worker; None where one does, or where there is none."""
    batches = Batch.objects.filter(project=project, status__in=LIVE_BATCHES).order_by("created_at")
    known = admitting.known_of(worker=worker, project_id=project.pk)
    reasons = [_refusal(worker, project.pk, policy_of(batch), known) for batch in batches]
    return reasons[0] if reasons and all(reasons) else None


def _refusal(worker: User, project_id: str, policy: Policy, known: admitting.Known) -> str | None:
    if policy.qualification is None or known.qualification == QualificationStatus.PASSED:
        return admitting.refusal(worker=worker, project_id=project_id, policy=policy, known=known)
    # The qualification is the last thing that is asked for; somebody at it is told nothing, there is more to come.
    unasked = replace(policy, qualification=None)
    other = admitting.refusal(worker=worker, project_id=project_id, policy=unasked, known=known)
    return other or explain(worker=worker, project_id=project_id, asked=policy.qualification)


def shown_gold(batch: Batch) -> list[str]:
    """The gold whose answers whoever qualifies for a batch is shown."""
    asked = policy_of(batch).qualification
    return [gold.pk for gold in gold_for(project_id=batch.project_id, asked=asked)] if asked else []


def is_shown(task: Task) -> bool:
    """Whether a task lies inside such gold, as a whole within the piece that is given out."""
    if task.gold_id is None or task.gold_id not in shown_gold(task.batch):
        return False
    return task.segment.stop <= task.gold.start + policy_of(task.batch).segment_frames


def note_shown(*, tasks: Sequence[Task]) -> list[str]:
    """Have gold adopted (by the review floor) as the answer of those tasks whose answer is shown. Their ids."""
    shown = [task.pk for task in tasks if is_shown(task)]
    for task_id in shown:
        want("adopt_gold", task_id)
    return shown


def shown_to(*, worker: User, batch_id: str) -> list[str]:
    """Open tasks of a batch of whose answer the worker was shown the middle while they trained."""
    middle = (OuterRef("segment__start") + OuterRef("segment__stop")) / 2
    pieces = Segment.objects.filter(
        task__training__isnull=False,
        task__assignments__worker=worker,
        video=OuterRef("segment__video"),
        start__lte=middle,
        stop__gt=middle,
    )
    alive = Task.objects.filter(batch=batch_id, gold__isnull=False).exclude(status=TaskStatus.TRAINING)
    return list(alive.filter(Exists(pieces)).values_list("pk", flat=True))


def _seat_in(worker: User, batch: Batch, policy: Policy, row: Qualification) -> Assignment | None:
    asked = policy.qualification
    slot = _free_slot(worker, batch.project_id, policy)
    if asked is None or slot is None or not covers(batch, asked.reward_micros):
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
