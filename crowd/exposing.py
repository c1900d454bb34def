"""Gold in use: seen often it is retired, failed by those who are trusted it is flagged, and a manager may do either.

Seen is counted from scores: how many workers drew the segment of it that most drew. What was cleared by a manager is
counted anew from then on. Gold that is flagged, or that a manager retired, marks no task any more; gold that was only
seen too often stays right, so what was drawn inside it is still scored.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now

from annotation.models import User
from annotation.queue import want
from crowd.errors import WrongState
from crowd.lifecycle import GoldMove, Seat, TaskStatus
from crowd.models import Assignment, Gold, GoldEvent, Score, Task
from crowd.publishing import gold_over
from crowd.seating import policy_of, withdraw
from crowd.seeding import mark

# Whose failures speak against gold rather than against them; how many of them must have tried, and what share failed.
TRUSTED = 0.7
ENOUGH = 3
BAD_SHARE = 0.4
SEEN_OFTEN = "Every segment of it was drawn by as many workers as the policy allows."
IN_DOUBT = "Workers who are trusted fail it: have a look whether it is right."


def look(*, gold_id: str) -> None:
    """Retire or flag gold as far as its scores say so. Safe to run twice."""
    gold = Gold.objects.get(pk=gold_id)
    if gold.retired_at is not None or gold.flagged_at is not None:
        return
    tried, failed = _by_the_trusted(gold)
    if tried >= ENOUGH and failed > BAD_SHARE * tried:
        _flag(gold, {"trusted": tried, "failed": failed})
    elif _is_seen_often(gold):
        _retire(gold, by=None, reason=SEEN_OFTEN)
        withdraw(task__gold=gold, extra=True, reason="The gold is retired.")


def exposures_of(gold: Sequence[Gold]) -> dict[str, int]:
    """How many workers drew that segment inside each gold which most drew, by its id; training is not counted."""
    found = dict.fromkeys((each.pk for each in gold), 0)
    drawn = _scores(gold).order_by().values_list("gold", "assignment__task").annotate(n=Count("pk"))
    for pk, _, n in drawn:
        found[pk] = max(found[pk], n)
    return found


def _exposures(gold: Gold) -> dict[str, int]:
    rows = _scores([gold]).order_by().values_list("assignment__task").annotate(n=Count("pk"))
    return dict(rows)


def _scores(gold: Sequence[Gold]) -> QuerySet[Score]:
    """Scores in the stream, since each gold was last cleared."""
    counts = Q(gold__cleared_at=None) | Q(assignment__submitted_at__gt=F("gold__cleared_at"))
    return Score.objects.filter(counts, gold__in=gold, assignment__trial=None)


def _is_seen_often(gold: Gold) -> bool:
    tasks = list(Task.objects.filter(gold=gold).exclude(status=TaskStatus.TRAINING).select_related("batch"))
    seen = _exposures(gold)
    return bool(tasks) and all(seen.get(t.pk, 0) >= policy_of(t.batch).gold_exposures for t in tasks)


def _by_the_trusted(gold: Gold) -> tuple[int, int]:
    trusted = _scores([gold]).filter(
        assignment__worker__skills__project=F("gold__project"), assignment__worker__skills__mean__gte=TRUSTED
    )
    counts = trusted.aggregate(tried=Count("pk"), failed=Count("pk", filter=Q(passed=False)))
    return counts["tried"], counts["failed"]


@transaction.atomic
def _flag(gold: Gold, evidence: dict[str, int]) -> None:
    current = Gold.objects.filter(pk=gold.pk, flagged_at=None, retired_at=None)
    if current.update(flagged_at=Now(), evidence=evidence):
        GoldEvent.objects.create(gold=gold, kind=GoldMove.FLAGGED, reason=IN_DOUBT)
        _unmark(gold)


@transaction.atomic
def retire(*, gold: Gold, by: User, reason: str) -> None:
    """Give this gold out no more and score nobody against it. WrongState where it is retired already."""
    if not _retire(gold, by=by, reason=reason):
        raise WrongState("This gold is retired already.")
    _unmark(gold)


def _retire(gold: Gold, *, by: User | None, reason: str) -> bool:
    if not Gold.objects.filter(pk=gold.pk, retired_at=None).update(retired_at=Now(), retired_reason=reason):
        return False
    GoldEvent.objects.create(gold=gold, kind=GoldMove.RETIRED, by=by, reason=reason)
    return True


@transaction.atomic
def restore(*, gold: Gold, by: User, reason: str) -> None:
    """Use gold again that was retired or flagged, by the word of somebody who looked. WrongState where it is in use."""
    idle = Gold.objects.filter(Q(retired_at__isnull=False) | Q(flagged_at__isnull=False), pk=gold.pk)
    values = {"retired_at": None, "retired_reason": "", "flagged_at": None, "evidence": None}
    if not idle.update(cleared_at=Now(), **values):
        raise WrongState("This gold is in use.")
    GoldEvent.objects.create(gold=gold, kind=GoldMove.RESTORED, by=by, reason=reason)
    gold.refresh_from_db()
    mark(gold=gold)


def _unmark(gold: Gold) -> None:
    """Tasks inside the gold are tasks like any other, or lie inside an older gold; those who sit there are paid."""
    tasks = Task.objects.select_for_update(no_key=True, of=("self",)).filter(gold=gold).order_by("pk")
    for task in tasks.exclude(status=TaskStatus.TRAINING).select_related("segment"):
        withdraw(task=task, extra=True, reason="The gold is no longer used.")
        Task.objects.filter(pk=task.pk).update(gold=gold_over(task.segment))
    waiting = Assignment.objects.filter(extra=True, status=Seat.SUBMITTED, task__training=None)
    for seat_id in waiting.filter(score__gold=gold).values_list("pk", flat=True):
        want("settle_extra", seat_id)
