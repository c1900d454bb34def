"""What a worker may do with a seat that they hold: save a draft, renew the lease, give the seat back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.models import User
from crowd.errors import LeaseIsOver, NoRenewalsLeft, SeatIsOver, WrongToken
from crowd.lifecycle import FILLED_SEATS, Seat
from crowd.models import Assignment, Draft, LateBody
from crowd.seating import end, expire, lock_task, policy_of

TOO_LATE = f"{LeaseIsOver.__doc__} What you sent was kept for a manager to look at."


def holding(token: str) -> Q:
    """A seat held with this token and within its lease, by the database's clock."""
    return Q(status=Seat.HELD, token=token, lease_until__gt=Now())


def save_draft(*, seat: Assignment, token: str, body: str) -> None:
    """Keep what the worker has drawn so far (JSON text). After the lease it is kept all the same, and LeaseIsOver."""
    if seat.token != token:
        raise WrongToken
    if seat.status in FILLED_SEATS:
        raise SeatIsOver
    Draft.objects.update_or_create(assignment=seat, defaults={"body": body, "saved_at": Now()})
    _explain(seat, token, TOO_LATE)


def renew(*, seat: Assignment, token: str) -> datetime:
    """Start the lease anew; returns when it ends."""
    policy = policy_of(seat.batch)
    renewed = Assignment.objects.filter(holding(token), pk=seat.pk, renewals__lt=policy.max_renewals).update(
        lease_until=Now() + timedelta(seconds=policy.lease_s), renewals=F("renewals") + 1
    )
    if not renewed:
        _explain(seat, token)
        raise NoRenewalsLeft
    seat.refresh_from_db()
    assert seat.lease_until is not None
    return seat.lease_until


def release(*, seat: Assignment, token: str, worker: User, reason: str = "") -> None:
    """Give the seat back; a fresh one is open for others."""
    if not end(seat, to=Seat.RELEASED, where=holding(token), actor=worker, reason=reason):
        _explain(seat, token)
        raise SeatIsOver


def check_held(*, seat: Assignment, token: str, body: str) -> None:
    """Nothing where the seat is held with this token; else as `keep_late`, for a body that is not valid."""
    lock_task(seat.task_id)  # as a submission does, so that two of them, one invalid, wait for each other in one order
    if not Assignment.objects.filter(holding(token), pk=seat.pk).exists():
        keep_late(seat=seat, token=token, body=body, valid=False)


def keep_late(*, seat: Assignment, token: str, body: str, valid: bool = True) -> None:
    """A submission found the seat no longer held by its token: say why, and lose nothing that came too late.

    The latest is kept, but one that is not `valid` takes no other's place: nobody could salvage it.
    """
    seat.refresh_from_db()
    if seat.token != token:
        raise WrongToken
    if seat.status in (*FILLED_SEATS, Seat.RELEASED):
        raise SeatIsOver
    keep = LateBody.objects.update_or_create if valid else LateBody.objects.get_or_create
    keep(assignment=seat, defaults={"body": body, "came_at": Now()})
    expire(seat)
    raise LeaseIsOver(TOO_LATE)


def _explain(seat: Assignment, token: str, too_late: str | None = None) -> None:
    """Raise why a seat is not held with this token; nothing where it is."""
    seat.refresh_from_db()
    if seat.token != token:
        raise WrongToken
    if seat.status in (*FILLED_SEATS, Seat.RELEASED):
        raise SeatIsOver
    if not Assignment.objects.filter(holding(token), pk=seat.pk).exists():
        expire(seat)
        raise LeaseIsOver(too_late)
