"""What the review floor asks of a task once its submissions were judged: one more seat, a person, or the end."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Now

from crowd.lifecycle import FILLED_SEATS, Seat, TaskStatus
from crowd.models import Assignment, Batch, Task
from crowd.publishing import advance, close_if_done
from crowd.seating import (
    DEAD_BATCHES,
    UNDECIDED_TASKS,
    grant,
    has_live_seats,
    lock_task,
    move_task,
    open_seats,
    policy_of,
    withdraw,
)
from crowd.starving import nobody_is_left

AT_ONCE = 500
ASKED_FOR = timedelta(minutes=1)
# What a manager rejected counts no more.
COUNTING_SEATS = (Seat.SUBMITTED, Seat.ACCEPTED)
# States in which one more worker may be asked.
ASKABLE = (TaskStatus.FILLED, TaskStatus.IN_REVIEW, TaskStatus.DONE)


def submissions_of(task: Task) -> list[Assignment]:
    """What counts towards the task's consensus: every real submission that no manager rejected, ordered by id."""
    seats = Assignment.objects.filter(task=task, extra=False, status__in=COUNTING_SEATS)
    return list(seats.select_related("track_set", "worker").order_by("pk"))


def was_begun(task: Task) -> bool:
    """Whether anybody sits, or handed anything in, at a real seat of a task."""
    begun = (Seat.HELD, *FILLED_SEATS)
    return Assignment.objects.filter(task=task, extra=False, status__in=begun).exists()


def fill(*, task: Task) -> None:
    """Call an open task filled if nobody sits, or may still sit down, at it."""
    if not has_live_seats(task):
        move_task(task, to=TaskStatus.FILLED, leaves=(TaskStatus.OPEN,))


def ask_more(*, task: Task, seats: int, hard: bool = False) -> int:
    """Open more seats at a filled task, or at one in review, as far as the budget covers. Returns how many.

    Those of a `hard` segment are for skilled workers first.
    """
    if task.batch.status in DEAD_BATCHES or task.status not in (TaskStatus.OPEN, *ASKABLE):
        return 0
    opened = open_seats(task=task, count=seats, hard=hard)
    if opened:
        move_task(task, to=TaskStatus.OPEN, leaves=ASKABLE)
    return opened


def begin_anew(*, task: Task) -> int:
    """All that was submitted was taken back before it was judged: open first seats again. Returns how many.

    None while the budget covers none; the sweep asks again.
    """
    if task.status != TaskStatus.FILLED or has_live_seats(task) or submissions_of(task):
        return 0
    return ask_more(task=task, seats=policy_of(task.batch).first_seats)


def asked_in_vain(batch: Batch, *, after: timedelta = ASKED_FOR) -> list[str]:
    """Tasks of a batch that have their first submissions and wait for one more since `after`, at which nobody is left.

    Where only a few work, whoever was left may have been given an extra seat there since, or been banned.
    """
    policy = policy_of(batch)
    seats = Assignment.objects.filter(task=OuterRef("pk"), extra=False)
    late = seats.filter(status=Seat.OPEN, created_at__lt=Now() - after)
    handed_in = Count("assignments", Q(assignments__extra=False, assignments__status__in=COUNTING_SEATS))
    waiting = (
        Task.objects.filter(Exists(late), batch=batch, status=TaskStatus.OPEN)
        .exclude(Exists(seats.filter(status=Seat.HELD)))
        .annotate(handed_in=handed_in)
        .filter(handed_in__gte=max(1, min(policy.first_seats, policy.max_redundancy)))
    )
    tasks = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    return nobody_is_left(batch=batch, tasks=tasks) if tasks else []


def stop_asking(*, task_id: str) -> bool:
    """Take back the open seats of a task at which nobody is left; a reviewer decides by what there is.

    False: somebody came after all.
    """
    task = lock_task(task_id)
    withdraw(task=task, extra=False, reason="Nobody is left who could take it.")
    fill(task=task)
    return send_to_review(task=task)


def send_to_review(*, task: Task) -> bool:
    return move_task(task, to=TaskStatus.IN_REVIEW, leaves=(TaskStatus.FILLED,))


def finish(*, task: Task) -> bool:
    """End a task whose consensus was decided, also one that was given up: a person took what there was of it.

    A seat held at this moment may still be submitted.
    """
    if not move_task(task, to=TaskStatus.DONE, leaves=(*UNDECIDED_TASKS, TaskStatus.QUARANTINED), done_at=Now()):
        return False
    withdraw(task=task, extra=False, reason="The task is done.")
    if not close_if_done(batch_id=task.batch_id):
        advance(batch=Batch(pk=task.batch_id))
    return True


def reopen(*, task: Task, seats: int, hard: bool = False) -> int:
    """A reviewer rejected the consensus: keep the old submissions as inputs and open more seats."""
    opened = ask_more(task=task, seats=seats, hard=hard)
    grant(task, opened)
    return opened
