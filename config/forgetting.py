"""A person erased: their name, their keys and what they wrote are gone; their labels and the ledger's sums stay.

The row of the person stays too, without a name, since labels and money hang on it. Its pseudonyms are derived from
a new seed, so that what was published under the old ones leads nowhere. Running it twice changes nothing more.
"""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from annotation.errors import Conflict
from annotation.ids import new_id
from annotation.models import ApiToken, IdempotencyKey, Invite, Member, User
from crowd import accounting
from crowd.lifecycle import DisputeStatus, Seat
from crowd.models import (
    Assignment,
    Dispute,
    Draft,
    LateBody,
    LedgerEntry,
    Qualification,
    SamePerson,
    Sanction,
    Suspicion,
    Transition,
)
from crowd.seating import end, in_order

ERASED = "(erased)"


class MoneyUnderWay(Conflict):
    """A payout to this person is under way. Settle it first."""

    code = "money-under-way"


class MoneyDue(Conflict):
    """This person is owed money, or has work that is not decided yet. --forfeit gives it up."""

    code = "money-due"


@transaction.atomic
def forget(*, user: User, forfeit: bool = False) -> list[str]:
    """Erase a person; what stays all the same, as sentences. MoneyUnderWay, MoneyDue."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.erased_at is not None:
        return what_stays(user)
    _refuse_while_owed(user, forfeit)
    _close_account(user)
    _leave_work(user)
    _forget_words(user)
    return what_stays(user)


def _refuse_while_owed(user: User, forfeit: bool) -> None:
    sums = accounting.balances(workers=[user.pk]).get(user.pk, [])
    if any(s["under_way_micros"] for s in sums):
        raise MoneyUnderWay
    due = ", ".join(f"{s['due_micros'] / 1e6:.6f} {s['currency']}" for s in sums if s["due_micros"] > 0)
    waiting = Assignment.objects.filter(worker=user, status=Seat.SUBMITTED).count()
    if (due or waiting) and not forfeit:
        raise MoneyDue(f"Owed: {due or 'nothing'}; submissions that wait for a decision: {waiting}. Pay, or --forfeit.")


def _close_account(user: User) -> None:
    ApiToken.objects.filter(user=user).delete()
    IdempotencyKey.objects.filter(user=user).delete()
    Member.objects.filter(user=user).delete()
    Invite.objects.filter(created_by=user).delete()
    for session in Session.objects.filter(expire_date__gt=Now()).iterator():
        if session.get_decoded().get("_auth_user_id") == user.pk:
            session.delete()
    nameless = {"username": f"erased-{new_id()}", "email": "", "first_name": "", "last_name": "", "languages": []}
    # A password that begins with ! is none; the serial moves on, so that no old token is ever told again.
    closed = {"password": "!" + new_id(), "is_active": False, "last_login": None, "date_joined": Now()}
    User.objects.filter(pk=user.pk).update(
        **nameless, **closed, alias_seed=new_id(), token_serial=user.token_serial + 1, erased_at=Now()
    )


def _leave_work(user: User) -> None:
    for seat in in_order(Assignment.objects.filter(worker=user, status=Seat.HELD)):
        end(seat, to=Seat.RELEASED)
    Draft.objects.filter(assignment__worker=user).delete()
    LateBody.objects.filter(assignment__worker=user, salvaged_at=None).delete()
    LateBody.objects.filter(assignment__worker=user).update(body="{}")


def _forget_words(user: User) -> None:
    """What they wrote, and what was written of them and their work: words may name somebody.

    That there was a reason stays; the ledger's reasons stay as they are, since books are never changed.
    """
    Transition.objects.filter(actor=user, assignment__worker=user).update(reason="")
    Assignment.objects.filter(worker=user, status=Seat.RELEASED).update(reason="")
    for told in (
        Transition.objects.filter(assignment__worker=user),
        Assignment.objects.filter(worker=user),
        Qualification.objects.filter(worker=user),
    ):
        told.exclude(reason="").update(reason=ERASED)
    mine = Dispute.objects.filter(worker=user)
    closed = {"status": DisputeStatus.DECLINED, "answer": ERASED, "answered_at": Now()}
    mine.filter(status=DisputeStatus.OPEN).update(**closed)
    mine.update(reason=ERASED)
    mine.exclude(answer="").update(answer=ERASED)
    Suspicion.objects.filter(worker=user).delete()
    Sanction.objects.filter(worker=user).delete()
    SamePerson.objects.filter(Q(one=user) | Q(other=user)).delete()


def what_stays(user: User) -> list[str]:
    said = []
    if seats := Assignment.objects.filter(worker=user, track_set__isnull=False).count():
        said.append(f"{seats} submissions stay, without a name: others' results rest on them.")
    if entries := LedgerEntry.objects.filter(worker=user).count():
        said.append(f"{entries} ledger entries stay, without a name: books are kept, with the reasons in them.")
    if owned := user.projects.count():
        said.append(f"{owned} projects stay, with their videos; administrators can reach them.")
    said.append("Files that left this site, its backups and its logs cannot be changed here.")
    return said
