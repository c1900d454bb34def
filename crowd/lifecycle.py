"""The states of batches, tasks and assignments, and the moves between them, as data.

Every move is one conditional UPDATE whose filter names the state that it leaves; no row updated means that somebody
was first. The filters below serve querysets and database constraints alike.
"""

from __future__ import annotations

from django.db.models import Q, TextChoices


class BatchStatus(TextChoices):
    OPENING = "opening"
    OPEN = "open"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


BATCH_MOVES: dict[str, tuple[str, ...]] = {
    BatchStatus.OPENING: (BatchStatus.OPEN, BatchStatus.PAUSED, BatchStatus.CANCELLED, BatchStatus.DONE),
    BatchStatus.OPEN: (BatchStatus.PAUSED, BatchStatus.DONE, BatchStatus.CANCELLED),
    BatchStatus.PAUSED: (BatchStatus.OPENING, BatchStatus.OPEN, BatchStatus.CANCELLED, BatchStatus.DONE),
    # A decision that is taken back reopens the batch of its segment.
    BatchStatus.DONE: (BatchStatus.OPEN,),
    BatchStatus.CANCELLED: (),
}


class TaskStatus(TextChoices):
    OPENING = "opening"
    OPEN = "open"
    FILLED = "filled"
    IN_REVIEW = "in_review"
    DONE = "done"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"
    # A piece of gold for whoever has to qualify: it has no real seats, no consensus and no end.
    TRAINING = "training"


TASK_MOVES: dict[str, tuple[str, ...]] = {
    TaskStatus.OPENING: (TaskStatus.OPEN, TaskStatus.QUARANTINED, TaskStatus.CANCELLED),
    TaskStatus.OPEN: (TaskStatus.FILLED, TaskStatus.DONE, TaskStatus.QUARANTINED, TaskStatus.CANCELLED),
    TaskStatus.FILLED: (
        TaskStatus.OPEN,
        TaskStatus.IN_REVIEW,
        TaskStatus.DONE,
        TaskStatus.QUARANTINED,
        TaskStatus.CANCELLED,
    ),
    TaskStatus.IN_REVIEW: (TaskStatus.OPEN, TaskStatus.DONE, TaskStatus.CANCELLED),
    TaskStatus.DONE: (TaskStatus.OPEN,),
    # What there is of a segment that was given up can still be accepted.
    TaskStatus.QUARANTINED: (TaskStatus.OPENING, TaskStatus.OPEN, TaskStatus.DONE, TaskStatus.CANCELLED),
    TaskStatus.CANCELLED: (),
    TaskStatus.TRAINING: (),
}


class Seat(TextChoices):
    """The life of an assignment."""

    OPEN = "open"
    HELD = "held"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RELEASED = "released"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"


SEAT_MOVES: dict[str, tuple[str, ...]] = {
    Seat.OPEN: (Seat.HELD, Seat.WITHDRAWN),
    Seat.HELD: (Seat.SUBMITTED, Seat.EXPIRED, Seat.RELEASED, Seat.REVOKED),
    Seat.SUBMITTED: (Seat.ACCEPTED, Seat.REJECTED),
    Seat.ACCEPTED: (Seat.REJECTED,),
    Seat.REJECTED: (Seat.ACCEPTED,),
    # A late body that a manager salvages.
    Seat.EXPIRED: (Seat.SUBMITTED,),
    Seat.RELEASED: (),
    Seat.REVOKED: (Seat.SUBMITTED,),
    Seat.WITHDRAWN: (),
}

LIVE_SEATS = (Seat.OPEN, Seat.HELD)
FILLED_SEATS = (Seat.SUBMITTED, Seat.ACCEPTED, Seat.REJECTED)
# What the budget must cover.
COSTING_SEATS = (Seat.OPEN, Seat.HELD, Seat.SUBMITTED, Seat.ACCEPTED)
ENDED_SEATS = (Seat.EXPIRED, Seat.RELEASED, Seat.REVOKED)

NO_LEASE = Q(lease_until__isnull=True, slot__isnull=True)
UNCLAIMED = NO_LEASE & Q(worker__isnull=True, token__isnull=True, claimed_at__isnull=True, track_set__isnull=True)

OPEN_SEAT = Q(status=Seat.OPEN) & UNCLAIMED
WITHDRAWN_SEAT = Q(status=Seat.WITHDRAWN) & UNCLAIMED
HELD_SEAT = Q(
    status=Seat.HELD,
    worker__isnull=False,
    token__isnull=False,
    lease_until__isnull=False,
    slot__isnull=False,
    claimed_at__isnull=False,
    track_set__isnull=True,
)
FILLED_SEAT = NO_LEASE & Q(
    status__in=FILLED_SEATS, worker__isnull=False, track_set__isnull=False, submitted_at__isnull=False
)
ENDED_SEAT = NO_LEASE & Q(status__in=ENDED_SEATS, worker__isnull=False, ended_at__isnull=False, track_set__isnull=True)


class EntryKind(TextChoices):
    """Kinds of ledger entry. Money owed to a worker is positive."""

    ACCRUAL = "accrual"
    REVERSAL = "reversal"
    BONUS = "bonus"
    PAYOUT = "payout"
    # What is less than the smallest coin moves on to the next payout: two entries whose sum is zero.
    CARRY = "carry"


class Standing(TextChoices):
    PAUSED = "paused"
    BANNED = "banned"


class QualificationStatus(TextChoices):
    """How far a worker has come with a project's qualification."""

    TRAINING = "training"
    WAITING = "waiting"
    PASSED = "passed"
    FAILED = "failed"


QUALIFICATION_MOVES: dict[str, tuple[str, ...]] = {
    QualificationStatus.TRAINING: (
        QualificationStatus.PASSED,
        QualificationStatus.WAITING,
        QualificationStatus.FAILED,
    ),
    QualificationStatus.WAITING: (QualificationStatus.TRAINING, QualificationStatus.PASSED),
    # By a manager's word alone.
    QualificationStatus.FAILED: (QualificationStatus.TRAINING, QualificationStatus.PASSED),
    QualificationStatus.PASSED: (QualificationStatus.TRAINING,),
}


class GoldMove(TextChoices):
    RETIRED = "retired"
    RESTORED = "restored"
    FLAGGED = "flagged"


class PayoutStatus(TextChoices):
    """The life of a payout, and of each line in it, which is never a draft."""

    DRAFT = "draft"
    LOCKED = "locked"
    SENDING = "sending"
    PAID = "paid"
    FAILED = "failed"
    # Handed over, and nobody can say what became of it: left by reconciliation alone.
    UNKNOWN = "unknown"


PAYOUT_MOVES: dict[str, tuple[str, ...]] = {
    PayoutStatus.DRAFT: (PayoutStatus.LOCKED, PayoutStatus.FAILED),
    PayoutStatus.LOCKED: (PayoutStatus.SENDING, PayoutStatus.FAILED),
    PayoutStatus.SENDING: (PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.UNKNOWN),
    PayoutStatus.UNKNOWN: (PayoutStatus.PAID, PayoutStatus.FAILED),
    PayoutStatus.PAID: (),
    PayoutStatus.FAILED: (),
}
# With the provider.
SENT_LINES = (PayoutStatus.SENDING, PayoutStatus.UNKNOWN)


class DisputeStatus(TextChoices):
    OPEN = "open"
    UPHELD = "upheld"
    DECLINED = "declined"
