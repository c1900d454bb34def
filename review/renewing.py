"""A consensus whose inputs changed while it waits for a person: marked stale, and made anew.

Inputs are submissions (one that came late, one that a manager took back), what is known of who made them, what the
neighbours say, and the method's version. What was decided stays as it was decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction

from annotation.queue import want
from crowd import completing
from crowd.lifecycle import TaskStatus
from crowd.models import Task
from crowd.seating import lock_task
from review.lifecycle import ConsensusStatus
from review.models import Build, Consensus
from review.reconciling import IN_USE, consent, heard_now, write
from review.witnessing import sources_around

MATTERS = 0.1  # by how much somebody's share of all votes has to change
AT_ONCE = 200


def mark_stale(**which: Any) -> int:
    """Mark what waits for a person and was made of other inputs than there are now; each is wanted anew.

    `which` narrows the tasks: `project_id` or `pk`, say. Safe to run twice.
    """
    return sum(_mark(row) for row in _waiting(**which) if not _is_current(row))


def mark_stale_around(*, task_id: str) -> int:
    """The same of a task whose submissions or verdict changed, and of its neighbours, which hear it."""
    here = Task.objects.select_related("segment").get(pk=task_id).segment
    near = [here.index - 1, here.index, here.index + 1]
    return mark_stale(segment__cut=here.cut_id, segment__index__in=near)


def _waiting(**which: Any) -> Iterator[Consensus]:
    """All of them, some at a time: no query goes on while they are looked at."""
    tasks = Task.objects.filter(status=TaskStatus.IN_REVIEW, **which)
    rows = Consensus.objects.filter(task__in=tasks, status=ConsensusStatus.PENDING, version__gt=0)
    rows = rows.select_related("task__project", "task__segment", "task__batch").order_by("pk")
    last = ""
    while some := list(rows.filter(pk__gt=last)[:AT_ONCE]):
        yield from some
        last = some[-1].pk


@transaction.atomic
def _mark(row: Consensus) -> int:
    still = Consensus.objects.filter(pk=row.pk, status=ConsensusStatus.PENDING, version=row.version)
    marked = still.update(status=ConsensusStatus.STALE)
    if marked:
        want("renew_consensus", row.task_id)
    return marked


def _is_current(row: Consensus) -> bool:
    build = Build.objects.get(consensus=row, version=row.version)
    seats = completing.submissions_of(row.task)
    if not seats:  # imported, or all of it was taken back: there is nothing to make it of
        return True
    if build.method != IN_USE or build.inputs != [s.pk for s in seats]:
        return False
    if build.beside is not None and len(seats) > 1 and build.beside != list(sources_around(row.task)):
        return False
    # Builds of old did not say what the votes weighed.
    return not build.weights or not _differ(build.weights, heard_now(row.task, seats))


def _differ(before: Mapping[str, float], now: Mapping[str, float]) -> bool:
    """Whether somebody's share of all votes changed by enough to matter, or they lost or won their say."""
    if before.keys() != now.keys():
        return True
    whole, whole_now = sum(before.values()) or 1.0, sum(now.values()) or 1.0
    moved = max((abs(before[i] / whole - now[i] / whole_now) for i in now), default=0.0)
    return moved >= MATTERS or any((before[i] > 0) != (now[i] > 0) for i in now)


def renew(*, task_id: str) -> None:
    """Make a stale consensus anew, or the first one of a task that came to a person without. Safe to run twice; nothing
    where it was decided or is current."""
    task = Task.objects.select_related("batch", "segment__video", "project").get(pk=task_id)
    seats = completing.submissions_of(task)
    if task.status != TaskStatus.IN_REVIEW:
        return
    if not seats:  # all of it was taken back since: there is nothing to make it of
        give_up(task_id=task_id)
        return
    found = consent(task, seats)
    with transaction.atomic():
        task = lock_task(task_id)
        row = Consensus.objects.filter(task=task).first()
        if task.status != TaskStatus.IN_REVIEW or row is not None and row.status != ConsensusStatus.STALE:
            return
        if [s.pk for s in completing.submissions_of(task)] != [s.pk for s in seats]:
            want("renew_consensus", task_id)
            return
        write(task, seats, found)


def give_up(*, task_id: str) -> None:
    """It cannot be made anew, so a person decides what there is: one that stays stale would be in nobody's queue."""
    Consensus.objects.filter(task=task_id, status=ConsensusStatus.STALE).update(status=ConsensusStatus.PENDING)
