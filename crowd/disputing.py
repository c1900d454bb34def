"""Disputes: a worker's word against a rejection or against pay that does not come, and a manager's answer."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from annotation.models import User
from crowd import paying
from crowd.errors import AlreadyDisputed, WrongState
from crowd.lifecycle import DisputeStatus, Seat
from crowd.models import Assignment, Dispute

#: How long a worker waits for a decision before they may ask. Every submission waits alike, gold or not.
PATIENCE = timedelta(days=1)
WAITING = Q(status=Seat.SUBMITTED, submitted_at__lte=Now() - PATIENCE)


def dispute(*, seat: Assignment, worker: User, reason: str) -> Dispute:
    """Open a dispute about one's own submission that was rejected, or that waits for a decision for long.

    WrongState where it is neither, AlreadyDisputed where one is open, or was answered since the last decision.
    """
    # Locked, so that nobody accepts it at this moment: what is accepted has no open dispute.
    Assignment.objects.select_for_update(no_key=True).get(pk=seat.pk)
    seats = Assignment.objects.filter(pk=seat.pk, worker=worker)
    if not seats.filter(status=Seat.REJECTED).exists():
        _refuse_unless_waiting(seats)
    answered = Dispute.objects.filter(assignment=seat, status=DisputeStatus.DECLINED).order_by("-answered_at").first()
    if answered and not seats.filter(decided_at__gt=answered.answered_at).exists():
        raise AlreadyDisputed(f"This was disputed and answered already: {answered.answer}")
    try:
        with transaction.atomic():
            made = Dispute.objects.create(assignment=seat, project_id=seat.project_id, worker=worker, reason=reason)
    except IntegrityError:
        raise AlreadyDisputed from None
    made.refresh_from_db()
    return made


def _refuse_unless_waiting(seats: QuerySet[Assignment]) -> None:
    status = seats.values_list("status", flat=True).get()
    if status != Seat.SUBMITTED:
        raise WrongState(f"This assignment is {status}; only a submission that was not accepted can be disputed.")
    if not seats.filter(WAITING).exists():
        raise WrongState("This was submitted less than a day ago, and is not decided yet. Give it the day.")


def disputable(worker: User) -> QuerySet[Assignment]:
    """What a worker may dispute at this moment."""
    told = Dispute.objects.filter(assignment=OuterRef("pk")).exclude(status=DisputeStatus.UPHELD)
    last_word = told.filter(Q(status=DisputeStatus.OPEN) | Q(answered_at__gte=OuterRef("decided_at")))
    undecided = told.filter(assignment__decided_at=None)
    mine = Assignment.objects.filter(Q(status=Seat.REJECTED) | WAITING, worker=worker)
    return mine.exclude(Exists(last_word) | Exists(undecided)).select_related("project").order_by("-submitted_at")


def uphold(*, dispute: Dispute, by: User, answer: str) -> None:
    """The worker is right: the submission is accepted by a person's word, and paid."""
    seat = Assignment.objects.select_related("batch", "task", "project").get(pk=dispute.assignment_id)
    # The seat first and then the dispute, as an acceptance does it; that closes the dispute.
    accepted = paying.accept(seat=seat, by=by, reason=answer)
    mine = Dispute.objects.filter(pk=dispute.pk, status=DisputeStatus.UPHELD, answered_by=by)
    if not accepted or not mine.exists():
        raise WrongState("This dispute was answered already, or its submission decided at the same moment.")
    dispute.refresh_from_db()


def decline(*, dispute: Dispute, by: User, answer: str) -> None:
    """The worker is not right, for a reason that they are told. The submission stays as it is."""
    still_open = Dispute.objects.filter(pk=dispute.pk, status=DisputeStatus.OPEN)
    said = {"status": DisputeStatus.DECLINED, "answer": answer, "answered_by": by, "answered_at": Now()}
    if not still_open.update(**said):
        raise WrongState("This dispute was answered already.")
    dispute.refresh_from_db()
