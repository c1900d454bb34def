"""Seats: opened, moved, ended and followed by fresh ones.

Locks are taken in one order: project (only where a budget is to be kept), task, seat. A claim locks nothing but the
seat that it takes.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Now

from annotation.models import Project, User
from crowd.core.policies import Policy, from_json
from crowd.lifecycle import COSTING_SEATS, LIVE_SEATS, BatchStatus, Seat, TaskStatus
from crowd.models import Assignment, Batch, Task, Transition

LIVE_BATCHES = (BatchStatus.OPENING, BatchStatus.OPEN)
UNDECIDED_TASKS = (TaskStatus.OPENING, TaskStatus.OPEN, TaskStatus.FILLED, TaskStatus.IN_REVIEW)


def policy_of(batch: Batch) -> Policy:
    return from_json(batch.policy)


def lock_task(task_id: str) -> Task:
    """The task, locked until the transaction ends; its children may still be inserted by others."""
    return Task.objects.select_for_update(no_key=True, of=("self",)).select_related("batch", "segment").get(pk=task_id)


def move(seat: Assignment, *, where: Q, to: str, actor: User | None = None, reason: str = "", **values: Any) -> bool:
    """Move one seat by one conditional UPDATE, and write its transition row. False: somebody was first."""
    if reason:
        values["reason"] = reason
    if not Assignment.objects.filter(where, pk=seat.pk).update(status=to, **values):
        return False
    Transition.objects.create(
        assignment_id=seat.pk,
        project_id=seat.project_id,
        from_status=seat.status,
        to_status=to,
        actor=actor,
        reason=reason,
    )
    seat.status = to
    return True


def open_seats(*, task: Task, count: int, extra: bool = False, at_least: int = 0) -> int:
    """Open up to `count` seats, as far as the project's budget covers; none where it covers fewer than `at_least`."""
    policy = policy_of(task.batch)
    count = min(count, _affordable(task.project_id, policy))
    if count <= 0 or count < at_least:
        return 0
    for _ in range(count):
        _open_seat(task, extra=extra, reward_micros=policy.reward_micros)
    return count


def _open_seat(task: Task, *, extra: bool, reward_micros: int) -> None:
    seat = Assignment.objects.create(
        task=task,
        batch_id=task.batch_id,
        project_id=task.project_id,
        extra=extra,
        priority=task.priority,
        reward_micros=reward_micros,
    )
    Transition.objects.create(assignment=seat, project_id=task.project_id, to_status=Seat.OPEN)


def _affordable(project_id: str, policy: Policy) -> int:
    """How many more seats the budget covers. Locks the project, so that two openings never spend the same money."""
    if policy.budget_micros is None or policy.reward_micros == 0:
        return 1_000_000
    Project.objects.select_for_update(no_key=True).get(pk=project_id)
    committed = Assignment.objects.filter(project_id=project_id, status__in=COSTING_SEATS)
    spent = committed.aggregate(total=Sum("reward_micros"))["total"] or 0
    return max(0, (policy.budget_micros - spent) // policy.reward_micros)


def end(seat: Assignment, *, to: str, where: Q, actor: User | None = None, reason: str = "") -> bool:
    """End a held seat and open a fresh one in its place, if its task is still to be done. False: it was over before.

    The task is locked first: whoever decides the task at this moment either sees the fresh seat or prevents it.
    """
    task = lock_task(seat.task_id)
    held = Q(status=Seat.HELD) & where
    if not move(seat, where=held, to=to, actor=actor, reason=reason, ended_at=Now(), lease_until=None, slot=None):
        return False
    alive = task.batch.status not in (BatchStatus.DONE, BatchStatus.CANCELLED)
    if alive and (seat.extra or task.status == TaskStatus.OPEN):
        _open_seat(task, extra=seat.extra, reward_micros=seat.reward_micros)
    return True


def lapsed() -> Q:
    """Held seats whose lease is over, by the database's clock."""
    return Q(status=Seat.HELD, lease_until__lte=Now())


def expire(seat: Assignment) -> bool:
    return end(seat, to=Seat.EXPIRED, where=lapsed())


def withdraw(*, reason: str, actor: User | None = None, **which: Any) -> int:
    """Take back open seats that are no longer needed. A seat held at this moment may still be submitted."""
    withdrawn = 0
    for seat in Assignment.objects.filter(status=Seat.OPEN, **which):
        withdrawn += move(seat, where=Q(status=Seat.OPEN), to=Seat.WITHDRAWN, actor=actor, reason=reason)
    return withdrawn


def has_live_seats(task: Task) -> bool:
    """Whether anybody sits, or may still sit down, at a real seat of this task."""
    return Assignment.objects.filter(task=task, extra=False, status__in=LIVE_SEATS).exists()


def move_task(task: Task, *, to: str, leaves: tuple[str, ...], reason: str = "", **values: Any) -> bool:
    """Move a task by one conditional UPDATE. False: it is in none of the states `leaves`."""
    if reason:
        values["reason"] = reason
    if not Task.objects.filter(pk=task.pk, status__in=leaves).update(status=to, **values):
        return False
    task.status = to
    return True
