from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now

from crowd import paying
from crowd.invariants import INVARIANTS, broken
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Batch, LedgerEntry, Task, Transition
from tests import cast
from tests.crowd import stage

pytestmark = [pytest.mark.django_db, pytest.mark.breaks_invariants]


def worked() -> Assignment:
    """A seat that was accepted, in a project with a budget."""
    batch = stage.launched(frames=20, reward_micros=100, budget_micros=300)
    worker = cast.client("Wanda")
    claimed = stage.claim(worker, batch.project)
    stage.submit(worker, claimed)
    seat = Assignment.objects.get(pk=claimed["id"])
    paying.accept(seat=seat)
    return seat


def unguarded() -> None:
    """Take the ledger's triggers away until the end of the test, so that lies can be told in it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # No table is altered while its deferred constraints still wait.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE crowd_ledgerentry DISABLE TRIGGER USER")
            return
        for name in ("the_ledger_is_never_changed", "the_ledger_forgets_nothing"):
            cursor.execute(f"DROP TRIGGER {name}")


def not_paid(seat: Assignment) -> None:
    unguarded()
    LedgerEntry.objects.all().delete()


def paid_twice(seat: Assignment) -> None:
    unguarded()
    LedgerEntry.objects.filter(assignment=seat).update(amount_micros=200)


def paid_to_another(seat: Assignment) -> None:
    unguarded()
    LedgerEntry.objects.filter(assignment=seat).update(worker=cast.user("Will"))


def moved_without_a_word(seat: Assignment) -> None:
    Assignment.objects.filter(pk=seat.pk).update(status=Seat.SUBMITTED)


def logged_a_leap(seat: Assignment) -> None:
    Transition.objects.filter(assignment=seat, to_status=Seat.SUBMITTED).delete()


def too_many_seats(seat: Assignment) -> None:
    Batch.objects.update(policy=stage.policy_of(seat) | {"max_redundancy": 1})


def a_seat_lost(seat: Assignment) -> None:
    Transition.objects.filter(assignment__status=Seat.OPEN).delete()
    Assignment.objects.filter(status=Seat.OPEN).delete()


def over_budget(seat: Assignment) -> None:
    Batch.objects.update(policy=stage.policy_of(seat) | {"budget_micros": 199})


def open_at_a_done_task(seat: Assignment) -> None:
    Task.objects.update(status=TaskStatus.DONE, done_at=Now())


def paid_out_what_was_not_earned(seat: Assignment) -> None:
    who = {"worker": seat.worker, "project_id": seat.project_id, "currency": "EUR"}
    LedgerEntry.objects.create(kind="payout", amount_micros=-101, reference="TW1", **who)


def cancelled_by_hand(seat: Assignment) -> None:
    Batch.objects.update(status="cancelled")


LIES = {
    not_paid: "an accepted submission is paid once, and nothing else is",
    paid_twice: "an accepted submission is paid once, and nothing else is",
    paid_to_another: "who worked is who is paid",
    moved_without_a_word: "the log ends where the seat is",
    logged_a_leap: "the log has no gaps",
    too_many_seats: "a task has no more seats than were asked for",
    a_seat_lost: "no seat of an open task was lost",
    over_budget: "the budget is never passed",
    open_at_a_done_task: "seats are open at open tasks alone",
    paid_out_what_was_not_earned: "a balance is below zero only by a recorded debt",
    cancelled_by_hand: "a batch that is over gives out nothing",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_is_found(lie: object) -> None:
    seat = worked()
    assert broken() == {}
    lie(seat)  # type: ignore[operator]
    assert LIES[lie] in broken()  # type: ignore[index]


def test_the_command_says_what_is_not_true_and_fails() -> None:
    seat = worked()
    out = StringIO()
    call_command("invariants", stdout=out)
    assert f"All {len(INVARIANTS)}" in out.getvalue()
    not_paid(seat)
    with pytest.raises(CommandError, match="1 of"):
        call_command("invariants", stdout=out)
    assert seat.pk in out.getvalue()
