"""Acceptance of submissions, and the money that follows it: one accrual per accepted assignment, each row for ever."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Now

from annotation.models import Project, User
from crowd import admitting
from crowd.errors import OwnWork, WrongState
from crowd.lifecycle import DisputeStatus, EntryKind, Seat
from crowd.models import Assignment, Dispute, LedgerEntry, Task
from crowd.seating import cover, lock_task, move, policy_of
from crowd.signals import submission_changed


def settle(*, task: Task, scores: Mapping[str, float]) -> list[str]:
    """Accept those submissions of a decided task that are like its outcome (soft F) by `gold_floor` or more.

    `scores` are by assignment id. The others stay submitted until a manager decides. Returns the accepted ones.
    """
    floor = policy_of(task.batch).gold_floor
    accepted = []
    for seat in Assignment.objects.filter(pk__in=scores, task=task, status=Seat.SUBMITTED).order_by("pk"):
        if scores[seat.pk] >= floor and accept(seat=seat):
            accepted.append(seat.pk)
    return accepted


def accept(*, seat: Assignment, by: User | None = None, reason: str = "") -> bool:
    """Accept a submission and owe its worker the reward. False: it was accepted before, or is none.

    What was rejected is accepted by a person alone, as far as the budget covers it, and counts as a submission again.
    """
    refuse_own(by, seat.worker_id, seat.project_id)
    if seat.status not in ((Seat.SUBMITTED,) if by is None else (Seat.SUBMITTED, Seat.REJECTED)):
        return False
    came_back = seat.status == Seat.REJECTED
    if came_back:
        lock_task(seat.task_id)  # before the project, as everybody does who opens seats
        cover(seat)
    if not move(seat, to=Seat.ACCEPTED, actor=by, reason=reason, decided_at=Now()):
        return False
    _enter(seat, EntryKind.ACCRUAL, seat.reward_micros)
    _answer_disputes(seat, by, reason)
    if came_back:
        submission_changed.send(sender=Assignment, assignment=seat, change="received")
    return True


def refuse_own(by: User | None, worker_id: str | None, project_id: str) -> None:
    """OwnWork where it is the worker's own word, under whichever account."""
    if by is None:
        return
    others = admitting.other_accounts(worker=by, project=project_id, lock=False)
    if worker_id in (by.pk, *others):
        raise OwnWork


def _answer_disputes(seat: Assignment, by: User | None, reason: str) -> None:
    """What is accepted is no longer disputed."""
    open_ones = Dispute.objects.filter(assignment=seat, status=DisputeStatus.OPEN)
    answer = reason or "It was accepted."
    open_ones.update(status=DisputeStatus.UPHELD, answer=answer, answered_by=by, answered_at=Now())


def reject(*, seat: Assignment, by: User, reason: str) -> None:
    """Reject a submission by a manager's word. What was accrued is taken back by an entry of its own."""
    before = seat.status
    if before not in (Seat.SUBMITTED, Seat.ACCEPTED):
        raise WrongState(f"This assignment is {before}; only a submission can be rejected.")
    if not move(seat, to=Seat.REJECTED, actor=by, reason=reason, decided_at=Now()):
        raise WrongState("This submission was decided by somebody else at the same moment.")
    if before == Seat.ACCEPTED:
        _enter(seat, EntryKind.REVERSAL, -seat.reward_micros)
    submission_changed.send(sender=Assignment, assignment=seat, change="revoked")


def _enter(seat: Assignment, kind: EntryKind, amount_micros: int) -> None:
    earlier = LedgerEntry.objects.filter(assignment=seat, kind=kind).count()
    LedgerEntry.objects.create(
        worker_id=seat.worker_id,
        project_id=seat.project_id,
        assignment=seat,
        kind=kind,
        round=earlier,
        amount_micros=amount_micros,
        currency=policy_of(seat.batch).currency,
    )


def give_bonus(
    *, project: Project, worker: User, amount_micros: int, currency: str, by: User, reason: str
) -> LedgerEntry:
    """A bonus: money for no assignment in particular. Its row says who gave it, and why. OwnWork: not to oneself."""
    refuse_own(by, worker.pk, project.pk)
    return LedgerEntry.objects.create(
        project=project,
        worker=worker,
        kind=EntryKind.BONUS,
        amount_micros=amount_micros,
        currency=currency,
        by=by,
        reason=reason,
    )


def take_back(*, entry: LedgerEntry, by: User, reason: str) -> LedgerEntry:
    """Reverse a bonus by an entry of its own, once. What was paid out by then is a debt, netted from later pay."""
    if entry.kind == EntryKind.ACCRUAL:
        raise WrongState("This is pay for accepted work: reject the submission to take it back.")
    if entry.kind != EntryKind.BONUS:
        raise WrongState(f"A {entry.kind} cannot be taken back.")
    try:
        with transaction.atomic():
            return LedgerEntry.objects.create(
                project_id=entry.project_id,
                worker_id=entry.worker_id,
                kind=EntryKind.REVERSAL,
                amount_micros=-entry.amount_micros,
                currency=entry.currency,
                reverses=entry,
                by=by,
                reason=reason,
            )
    except IntegrityError:
        raise WrongState("This bonus was taken back already.") from None


def earned_micros(worker: User, project: Project | None = None) -> int:
    """What a worker has earned so far: accruals and bonuses less reversals."""
    entries = LedgerEntry.objects.filter(worker=worker).exclude(kind=EntryKind.PAYOUT)
    if project is not None:
        entries = entries.filter(project=project)
    return entries.aggregate(total=Sum("amount_micros"))["total"] or 0


def paid_micros(worker: User) -> int:
    """What was paid out to a worker."""
    paid = LedgerEntry.objects.filter(worker=worker, kind=EntryKind.PAYOUT)
    return -(paid.aggregate(total=Sum("amount_micros"))["total"] or 0)


def spent_micros(project: Project) -> int:
    """What a project owes or has paid for work."""
    entries = LedgerEntry.objects.filter(project=project).exclude(kind=EntryKind.PAYOUT)
    return entries.aggregate(total=Sum("amount_micros"))["total"] or 0
