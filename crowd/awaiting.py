"""Submissions on which a manager has the word: the rule did not accept them, or they came late."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from annotation.models import Project, User
from crowd.errors import OwnWork, WrongState
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment

#: Decided by one request at most.
MOST = 200
WITH = ("worker", "task__segment__video", "score", "peer_score", "batch", "late_body")


def below_the_floor(project: Project) -> QuerySet[Assignment]:
    """What was submitted at tasks that are decided, and not accepted with them; the oldest first.

    Extra seats are settled a while after they were scored, so of these only what failed waits for anybody.
    """
    seats = Assignment.objects.filter(project=project, status=Seat.SUBMITTED, task__status=TaskStatus.DONE)
    return _whole(seats.filter(Q(extra=False) | Q(score__passed=False))).order_by("submitted_at", "pk")


def workers_below(project: Project) -> QuerySet[User]:
    """Whose work waits there, with how much of it as `waiting`; who waits for most comes first."""
    seats = below_the_floor(project).order_by().values("pk")
    counted = User.objects.filter(assignments__in=seats).annotate(waiting=Count("assignments"))
    return counted.order_by("-waiting", "username")


def late(project: Project) -> QuerySet[Assignment]:
    """What came after its lease and can still be taken in, the latest first."""
    over = Assignment.objects.filter(project=project, status__in=(Seat.EXPIRED, Seat.REVOKED))
    kept = over.filter(late_body__salvaged_at=None, late_body__isnull=False)
    return _whole(kept).order_by("-late_body__came_at", "pk")


def _whole(seats: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """With all that is shown of them; what was sent late may be 28 MB each."""
    return seats.select_related(*WITH).defer("late_body__body")


class Outcome(StrEnum):
    """What came of one of many that were to be decided."""

    DECIDED = "decided"
    # Accepted or rejected before, or by somebody else at this moment: it stays as it is.
    BEFORE = "already_decided"
    OWN = "own_work"
    NO_SUBMISSION = "no_submission"
    MISSING = "not_found"


@dataclass(frozen=True)
class Decided:
    """One of many. `decided_by` is who accepted or rejected it, or "rule"; None where nobody did."""

    id: str
    outcome: Outcome
    status: str | None = None
    decided_by: str | None = None


def decide_each(
    *, project: Project, ids: Iterable[str], verb: Callable[..., bool | None], by: User, reason: str
) -> list[Decided]:
    """Decide submissions of a project by `paying.accept` or `paying.reject`, each in a transaction of its own.

    Only what is undecided changes. What was decided before is told and left, so that all may be sent twice, and a
    manager among many takes back nobody's word unawares.
    """
    return [_decide(project, pk, verb, by, reason) for pk in dict.fromkeys(ids)]


@transaction.atomic
def _decide(project: Project, pk: str, verb: Callable[..., bool | None], by: User, reason: str) -> Decided:
    seats = Assignment.objects.filter(project=project, worker__isnull=False).select_related("batch")
    seat = seats.filter(pk=pk).first()
    if seat is None:
        return Decided(pk, Outcome.MISSING)
    try:
        if seat.status == Seat.SUBMITTED and _decides(verb, seat, by, reason):
            return Decided(pk, Outcome.DECIDED, seat.status, by.username)
    except OwnWork:
        return Decided(pk, Outcome.OWN, seat.status)
    seat.refresh_from_db(fields=["status"])
    if seat.status not in (Seat.ACCEPTED, Seat.REJECTED):
        return Decided(pk, Outcome.NO_SUBMISSION, seat.status)
    last = seat.transitions.filter(to_status=seat.status).select_related("actor").order_by("-pk").first()
    return Decided(pk, Outcome.BEFORE, seat.status, last.actor.username if last and last.actor else "rule")


def _decides(verb: Callable[..., bool | None], seat: Assignment, by: User, reason: str) -> bool:
    """Whether it was this word that decided. The move asks for the state that `seat` was read in."""
    try:
        return verb(seat=seat, by=by, reason=reason) is not False
    except WrongState:
        return False
