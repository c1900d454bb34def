"""Workers paused, banned and restored in a project, each with a reason and a row."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from annotation.errors import Conflict, Invalid
from annotation.models import Project, User
from crowd.lifecycle import Seat, Standing
from crowd.models import Assignment, SamePerson, Sanction
from crowd.seating import end, in_order


def pause(*, project: Project, worker: User, by: User, reason: str) -> None:
    """No new seats; a seat that is held may still be submitted."""
    _sanction(project, worker, Standing.PAUSED, by, reason)


def ban(*, project: Project, worker: User, by: User, reason: str) -> None:
    """No new seats, and every held one is revoked in the same transaction."""
    _sanction(project, worker, Standing.BANNED, by, reason)
    for seat in in_order(Assignment.objects.filter(project=project, worker=worker, status=Seat.HELD)):
        end(seat, to=Seat.REVOKED, actor=by, reason=reason)


def revoke_again() -> int:
    """Revoke what banned workers hold all the same: a claim that was under way when the ban came."""
    revoked = 0
    for sanction in Sanction.objects.filter(kind=Standing.BANNED, lifted_at=None):
        held = Assignment.objects.filter(project=sanction.project_id, worker=sanction.worker_id, status=Seat.HELD)
        for seat in held:
            with transaction.atomic():
                revoked += end(seat, to=Seat.REVOKED, reason=sanction.reason)
    return revoked


def restore(*, project: Project, worker: User, by: User, reason: str) -> bool:
    """Lift what stands against a worker. False: nothing did."""
    standing = Sanction.objects.filter(project=project, worker=worker, lifted_at=None)
    return bool(standing.update(lifted_at=Now(), lifted_by=by, lifted_reason=reason))


def _sanction(project: Project, worker: User, kind: str, by: User, reason: str) -> None:
    standing = Sanction.objects.filter(project=project, worker=worker, lifted_at=None)
    if standing.filter(kind=kind).exists():
        return
    standing.update(lifted_at=Now(), lifted_by=by, lifted_reason=f"now {kind}")
    try:
        with transaction.atomic():
            Sanction.objects.create(project=project, worker=worker, kind=kind, by=by, reason=reason)
    except IntegrityError:
        raise Conflict("Somebody else decided about this worker at the same moment.") from None


def tell_same(*, project: Project, workers: tuple[User, User], by: User, reason: str) -> tuple[SamePerson, bool]:
    """Note that two accounts are one person; what both did before stays. The row, and whether it is new."""
    one, other = sorted(workers, key=lambda worker: worker.pk)
    if one.pk == other.pk:
        raise Invalid.at("/user", "is the same account")
    told = SamePerson.objects.filter(project=project, one=one, other=other, lifted_at=None)
    if row := told.first():
        return row, False
    try:
        with transaction.atomic():
            return SamePerson.objects.create(project=project, one=one, other=other, by=by, reason=reason), True
    except IntegrityError:
        return told.get(), False


def take_back_same(*, pair: SamePerson, by: User) -> None:
    """Two accounts are not one person after all. The row stays as history."""
    standing = SamePerson.objects.filter(pk=pair.pk, lifted_at=None)
    standing.update(lifted_at=Now(), lifted_by=by, lifted_reason="taken back")
