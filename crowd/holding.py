"""What a worker may do with a seat that they hold: save a draft, renew the lease, give the seat back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, Sum
from django.db.models.functions import Now

from annotation.models import User
from annotation.sizing import Bytes
from crowd.errors import DraftChanged, LeaseIsOver, NoRenewalsLeft, SeatIsOver, TooMuchLeft, WrongToken
from crowd.lifecycle import ENDED_SEATS, FILLED_SEATS, Seat
from crowd.models import Assignment, Draft, LateBody
from crowd.seating import end, expire, lock_task, policy_of

#: Characters of a draft that is looked at, and what a worker may have left behind at seats that ended.
LONG, MOST_LEFT = 1 << 20, 256 << 20
TOO_LATE = f"{LeaseIsOver.__doc__} What you sent was kept for a manager to look at."


def holding(token: str) -> Q:
    """A seat held with this token and within its lease, by the database's clock."""
    return Q(status=Seat.HELD, token=token, lease_until__gt=Now())


@dataclass(frozen=True)
class Page:
    """Which page of a browser saves, in its own word ("" is a program that does not say), and the version of the draft
    that it knows of: 0 where there was none."""

    word: str = ""
    version: int = 0

    def may_replace(self) -> Q:
        """A draft that it put itself, or that nobody put since; whoever says no word replaces any."""
        return Q(page=self.word) | Q(version=self.version) if self.word else Q()


ANY = Page()


def save_draft(*, seat: Assignment, token: str, body: str, page: Page = ANY) -> int:
    """Keep what the worker has drawn so far (JSON text); returns the draft's version.

    After the lease it is kept all the same, and LeaseIsOver. DraftChanged where another page's draft would be lost,
    TooMuchLeft for a long one of whoever gave back many long ones.
    """
    if seat.token != token:
        raise WrongToken
    if seat.status in FILLED_SEATS:
        raise SeatIsOver
    _refuse_hoard(seat, body)
    if not _put(seat, body, page):
        first = Draft(assignment=seat, body="", page=page.word, version=0)
        Draft.objects.bulk_create([first], ignore_conflicts=True)
        if not _put(seat, body, page):
            raise DraftChanged
    _explain(seat, token, f"{LeaseIsOver.__doc__} The draft was kept: a manager sees it once it is submitted.")
    # The row is this transaction's until its end.
    return Draft.objects.values_list("version", flat=True).get(assignment=seat)


def _refuse_hoard(seat: Assignment, body: str) -> None:
    """TooMuchLeft where a long draft would come to many that its worker left behind: those are kept, too."""
    if len(body) > LONG:
        left = Draft.objects.filter(assignment__worker=seat.worker_id, assignment__status__in=ENDED_SEATS)
        if (left.aggregate(total=Sum(Bytes("body")))["total"] or 0) > MOST_LEFT:
            raise TooMuchLeft


def _put(seat: Assignment, body: str, page: Page) -> int:
    known = Draft.objects.filter(page.may_replace(), assignment=seat)
    return known.update(body=body, page=page.word, version=F("version") + 1, saved_at=Now())


def check_draft(*, seat: Assignment, page: Page) -> None:
    """DraftChanged where a page would submit what it shows while another page's draft is newer."""
    newer = Draft.objects.filter(assignment=seat, assignment__status=Seat.HELD).exclude(page.may_replace())
    if page.word and newer.exists():
        raise DraftChanged


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
