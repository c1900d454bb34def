"""Seats: opened, moved, ended and followed by fresh ones.

Locks are taken in one order: a batch's videos, task (several by their ids), project (only where a budget is to be
kept), batch, seat. A claim locks nothing but the seat that it takes.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Now

from annotation import planning
from annotation.models import Project, User
from crowd.core.policies import Policy, from_json
from crowd.core.ranking import HARD
from crowd.errors import BudgetIsSpent
from crowd.lifecycle import COSTING_SEATS, LIVE_SEATS, SEAT_MOVES, BatchStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, Gold, Task, Transition

LIVE_BATCHES = (BatchStatus.OPENING, BatchStatus.OPEN)
DEAD_BATCHES = (BatchStatus.DONE, BatchStatus.CANCELLED)
# Where gold's extra seats may be; they are opened once the real ones are filled, which may be more later.
GOLD_IS_GIVEN_OUT = (TaskStatus.OPEN, TaskStatus.FILLED, TaskStatus.IN_REVIEW, TaskStatus.DONE)
MANY = 1_000_000  # more seats than anybody opens at once
UNDECIDED_TASKS = (TaskStatus.OPENING, TaskStatus.OPEN, TaskStatus.FILLED, TaskStatus.IN_REVIEW)


def policy_of(batch: Batch) -> Policy:
    return from_json(batch.policy)


def lock_task(task_id: str) -> Task:
    """The task, locked until the transaction ends; its children may still be inserted by others."""
    return Task.objects.select_for_update(no_key=True, of=("self",)).select_related("batch", "segment").get(pk=task_id)


def locking() -> str:
    """What a plain SELECT ends with that locks as `lock_task` does. On SQLite whoever writes has locked everything."""
    return " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""


def batch_is_over(batch_id: str, *, lock: bool = True) -> bool:
    """Whether a batch is done or cancelled; locked, it stays as it is until the transaction ends."""
    batches = Batch.objects.select_for_update(no_key=True) if lock else Batch.objects.all()
    return batches.values_list("status", flat=True).get(pk=batch_id) in DEAD_BATCHES


def move(
    seat: Assignment, *, to: str, where: Q | None = None, actor: User | None = None, reason: str = "", **values: Any
) -> bool:
    """Move one seat by one conditional UPDATE, and write its transition row. False: somebody was first.

    The seat must still be in the state in which the caller knows it; `where` narrows further. A move that the table
    does not know is a mistake in the program.
    """
    if to not in SEAT_MOVES[seat.status]:
        raise ValueError(f"a seat does not move from {seat.status} to {to}")
    if reason:
        values["reason"] = reason
    known = Q(pk=seat.pk, status=seat.status)
    if not Assignment.objects.filter(known & where if where else known).update(status=to, **values):
        return False
    came_from, seat.status = seat.status, to
    log_move(seat, came_from=came_from, actor=actor, reason=reason)
    return True


def log_move(seat: Assignment, *, came_from: str, actor: User | None, reason: str = "") -> None:
    """The transition row of a move to the state that the seat is in now. Part of every request, so it is plain SQL."""
    with planning.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crowd_transition (assignment_id, project_id, from_status, to_status, actor_id, reason) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [seat.pk, seat.project_id, came_from, seat.status, actor.pk if actor else None, reason],
        )


def open_seats(*, task: Task, count: int, extra: bool = False, at_least: int = 0, hard: bool = False) -> int:
    """Open up to `count` seats, as far as the project's budget covers; none where it covers fewer than `at_least`.

    `hard` ones are for skilled workers first. Where the budget is short, gold's open seats make way for real ones.
    """
    policy = policy_of(task.batch)
    needed = 0 if extra else max(1, at_least)
    count = min(count, _affordable(task.batch, policy.reward_micros, needed=needed))
    if count <= 0 or count < at_least:
        return 0
    for _ in range(count):
        priority = task.priority + (HARD if hard else 0)
        _open_seat(task, extra=extra, reward_micros=policy.reward_micros, priority=priority)
    return count


def _open_seat(task: Task, *, extra: bool, reward_micros: int, priority: int) -> None:
    seat = Assignment.objects.create(
        task=task,
        batch_id=task.batch_id,
        project_id=task.project_id,
        extra=extra,
        priority=priority,
        reward_micros=reward_micros,
    )
    Transition.objects.create(assignment=seat, project_id=task.project_id, to_status=Seat.OPEN)


def grant(task: Task, seats: int) -> None:
    """Note that a person gave a task so many seats beyond its policy's bound."""
    Task.objects.filter(pk=task.pk).update(asked=F("asked") + seats)


def cover(seat: Assignment) -> None:
    """Let a seat that had ended count again, by a person's word. BudgetIsSpent where that is not covered."""
    if _affordable(seat.batch, seat.reward_micros, needed=1) < 1:
        raise BudgetIsSpent
    grant(seat.task, 1)


def covers(batch: Batch, reward_micros: int) -> bool:
    """Whether the budget covers one more seat of this reward."""
    return _affordable(batch, reward_micros) >= 1


def _affordable(batch: Batch, reward_micros: int, *, needed: int = 0) -> int:
    """How many more seats of this reward the budget covers; `needed` at least, if extra seats can make way for them.

    Locks the project, so that two openings never spend the same money, and a budget is not made less meanwhile. It may
    have been since the batch was read.
    """
    if reward_micros == 0:
        return MANY
    if policy_of(batch).budget_micros is None:
        return MANY if _stays_without_bound(batch.pk) else 0
    Project.objects.select_for_update(no_key=True).get(pk=batch.project_id)
    budget = policy_of(Batch.objects.only("policy").get(pk=batch.pk)).budget_micros
    if budget is None:
        return MANY
    spent = held_micros(project=batch.project_id)
    missing = spent + needed * reward_micros - budget
    if needed and missing > 0:
        spent -= _make_way(batch.project_id, missing)
    return max(0, (budget - spent) // reward_micros)


def _stays_without_bound(batch_id: str) -> bool:
    """Whether a batch has no budget, until the transaction ends: who gives it one waits for what is opened here."""
    shared = " FOR SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT policy ->> 'budget_micros' FROM crowd_batch WHERE id = %s{shared}", [batch_id])  # noqa: S608
        return cursor.fetchone() == (None,)


def held_micros(**which: Any) -> int:
    """What of a budget the seats hold that it has to cover; `which` narrows them."""
    seats = Assignment.objects.filter(status__in=COSTING_SEATS, **which)
    return seats.aggregate(total=Sum("reward_micros"))["total"] or 0


def _make_way(project_id: str, micros: int) -> int:
    """Withdraw open extra seats that hold so much of the budget, which real ones are waiting for. Returns what is free.

    Nobody is given an extra seat while there is no real one: a task that waited for their money would wait for ever.
    """
    spare = list(Assignment.objects.filter(project=project_id, extra=True, status=Seat.OPEN).order_by("pk"))
    free = 0
    if sum(seat.reward_micros for seat in spare) >= micros:
        for seat in spare:
            if free < micros and move(seat, to=Seat.WITHDRAWN, reason="A real seat needs what the budget has left."):
                free += seat.reward_micros
    return free


def end(seat: Assignment, *, to: str, where: Q | None = None, actor: User | None = None, reason: str = "") -> bool:
    """End a held seat and open a fresh one in its place, if its task is still to be done. False: it was over before.

    The task is locked first: whoever decides the task at this moment either sees the fresh seat or prevents it. An
    extra seat hangs on its batch, so there the batch is locked too, and on gold that is still given out.
    """
    task = lock_task(seat.task_id)
    if seat.status != Seat.HELD:
        return False
    # All is looked up for either kind of seat, or the time that it takes would tell gold.
    over = batch_is_over(task.batch_id, lock=seat.extra)
    in_use = Gold.objects.filter(pk=task.gold_id or "", retired_at=None).exists() and task.status in GOLD_IS_GIVEN_OUT
    followed = in_use and not over if seat.extra else task.status == TaskStatus.OPEN
    if not move(seat, where=where, to=to, actor=actor, reason=reason, ended_at=Now(), lease_until=None, slot=None):
        return False
    # Training is no work that waits: its seats are made for whoever asks.
    if followed and task.status != TaskStatus.TRAINING:
        _open_seat(task, extra=seat.extra, reward_micros=seat.reward_micros, priority=seat.priority)
    return True


def in_order(seats: QuerySet[Assignment]) -> list[Assignment]:
    """Seats that are to be ended in one transaction. Their tasks are locked here, before the batch of any extra one."""
    found = list(seats.order_by("task_id"))
    if len(found) > 1:
        tasks = Task.objects.select_for_update(no_key=True).filter(pk__in=[seat.task_id for seat in found])
        list(tasks.order_by("pk").values_list("pk"))
    return found


def lapsed() -> Q:
    """Held seats whose lease is over, by the database's clock; that they have slots leads to the sweep's index."""
    return Q(status=Seat.HELD, slot__isnull=False, lease_until__lte=Now())


def expire(seat: Assignment) -> bool:
    return end(seat, to=Seat.EXPIRED, where=lapsed())


def withdraw(*, reason: str, actor: User | None = None, **which: Any) -> int:
    """Take back open seats that are no longer needed. A seat held at this moment may still be submitted."""
    withdrawn = 0
    for seat in Assignment.objects.filter(status=Seat.OPEN, **which).order_by("pk"):
        withdrawn += move(seat, to=Seat.WITHDRAWN, actor=actor, reason=reason)
    return withdrawn


def has_live_seats(task: Task) -> bool:
    """Whether anybody sits, or may still sit down, at a real seat of this task."""
    return Assignment.objects.filter(task=task, extra=False, status__in=LIVE_SEATS).exists()


FILL = """UPDATE crowd_task SET status = 'filled' WHERE id = %(task)s AND status = 'open' AND NOT EXISTS (
    SELECT 1 FROM crowd_assignment WHERE task_id = %(task)s AND NOT extra AND status IN ('open', 'held'))"""


def fill_task(task_id: str) -> None:
    """Call an open task filled if nobody sits, or may still sit down, at a real seat of it."""
    with planning.cursor() as cursor:  # part of every submission, so it is plain SQL
        cursor.execute(FILL, {"task": task_id})


def move_task(task: Task, *, to: str, leaves: tuple[str, ...], reason: str = "", **values: Any) -> bool:
    """Move a task by one conditional UPDATE. False: it is in none of the states `leaves`."""
    if reason:
        values["reason"] = reason
    if not Task.objects.filter(pk=task.pk, status__in=leaves).update(status=to, **values):
        return False
    task.status = to
    return True
