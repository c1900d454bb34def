from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from annotation import queue
from annotation.core.problems import Invalid
from annotation.models import Project
from crowd import clearing, paying, paying_out
from crowd.errors import NothingToPay, WrongState
from crowd.lifecycle import PayoutStatus
from crowd.models import Assignment, LedgerEntry, Payout, PayoutItem, PayoutLine
from crowd.providers.files import FileProvider
from crowd.providers.interface import Outcome
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def earned(name: str = "Wanda", *, reward: int = 1_500_000, project: Project | None = None) -> Assignment:
    """An accepted submission of a worker, in a project of its own unless one is given."""
    if project is None:
        project = stage.launched(reward_micros=reward).project
    worker = cast.client(name)
    seat = stage.claim(worker, project)
    stage.submit(worker, seat)
    row = Assignment.objects.get(pk=seat["id"])
    paying.accept(seat=row)
    return row


def locked(project: Project) -> Payout:
    payout = paying_out.draft(project=project, by=cast.user("Mona"))
    with transaction.atomic():
        paying_out.lock(payout=payout, by=cast.user("Mona"))
    return payout


def sent(project: Project) -> Payout:
    payout = locked(project)
    paying_out.send(payout=payout, by=cast.user("Mona"))
    paying_out.delivered(payout=payout, outcomes=paying_out.hand_over(payout=payout))
    return payout


def told(payout: Payout, paid: bool, reason: str = "") -> list[Outcome]:
    return [Outcome(line.reference, paid, reason, line=2) for line in payout.lines.all()]


def clear(payout: Payout, paid: bool, reason: str = "") -> clearing.Cleared:
    return clearing.clear_outcomes(payout=payout, outcomes=told(payout, paid, reason), by=cast.user("Mona"))


def now(payout: Payout) -> str:
    return Payout.objects.get(pk=payout.pk).status


def bonus(project: Project, micros: int, name: str = "Wanda") -> LedgerEntry:
    who = {"worker": cast.user(name), "by": cast.user("Mona")}
    return paying.give_bonus(project=project, amount_micros=micros, currency="EUR", reason="well done", **who)


def test_what_is_earned_is_paid_once() -> None:
    project = earned().project
    payout = sent(project)
    (line,) = payout.lines.all()
    assert (line.amount_micros, line.currency, now(payout)) == (1_500_000, "EUR", "sending")
    assert clear(payout, True) == clearing.Cleared(paid=1, failed=0, unchanged=0)
    assert clear(payout, True) == clearing.Cleared(paid=0, failed=0, unchanged=1)
    assert now(payout) == "paid"
    assert paying.paid_micros(cast.user("Wanda")) == paying.earned_micros(cast.user("Wanda")) == 1_500_000
    with pytest.raises(NothingToPay):
        locked(project)


def test_an_entry_is_in_one_payout_at_a_time() -> None:
    project = earned().project
    first = locked(project)
    second = paying_out.draft(project=project, by=None)
    with pytest.raises(NothingToPay), transaction.atomic():
        paying_out.lock(payout=second, by=None)
    item = PayoutItem.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutItem.objects.create(line=first.lines.get(), entry=item.entry)
    assert now(second) == "draft"


def test_a_failed_line_frees_its_entries_for_the_next_payout() -> None:
    project = earned().project
    first = sent(project)
    clear(first, False, "no such account")
    assert (now(first), first.lines.get().reason) == ("failed", "no such account")
    second = sent(project)
    assert second.lines.get().reference != first.lines.get().reference
    clear(second, True)
    assert paying.paid_micros(cast.user("Wanda")) == 1_500_000


def test_a_reversal_after_a_payout_is_a_debt_that_later_pay_nets() -> None:
    seat = earned(reward=1_000_000)
    clear(sent(seat.project), True)
    paying.reject(seat=seat, by=cast.user("Mona"), reason="copied")
    with pytest.raises(NothingToPay):
        locked(seat.project)
    bonus(seat.project, 400_000)
    with pytest.raises(NothingToPay):
        locked(seat.project)
    bonus(seat.project, 700_000)
    assert locked(seat.project).lines.get().amount_micros == 100_000


def test_only_whole_coins_are_paid_and_the_rest_is_carried_over() -> None:
    project = earned(reward=1_234_567).project
    payout = sent(project)
    assert payout.lines.get().amount_micros == 1_230_000
    clear(payout, True)
    assert paying.earned_micros(cast.user("Wanda")) == 1_234_567
    assert paying.paid_micros(cast.user("Wanda")) == 1_230_000
    bonus(project, 5_433)
    assert locked(project).lines.get().amount_micros == 10_000


def test_a_failed_line_loses_no_rest() -> None:
    project = earned(reward=1_234_567).project
    clear(sent(project), False)
    bonus(project, 5_433)
    assert locked(project).lines.get().amount_micros == 1_240_000


def test_unknown_is_left_by_reconciliation_alone() -> None:
    project = earned().project
    payout = sent(project)
    paying_out.lose_sight(payout=payout, reason="the line went dead")
    assert (now(payout), payout.lines.get().status) == ("unknown", "unknown")
    for verb in (paying_out.lock, paying_out.send):
        with pytest.raises(WrongState):
            verb(payout=payout, by=None)
    with pytest.raises(WrongState):
        paying_out.cancel(payout=payout, by=None, reason="never mind")
    with pytest.raises(NothingToPay):
        locked(project)
    clear(payout, True)
    assert now(payout) == "paid"


def test_orders_of_which_the_provider_says_nothing_are_unknown_after_three_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Dead(FileProvider):
        def send(self, orders: object) -> Sequence[Outcome]:
            raise ConnectionResetError("the line went dead")

    monkeypatch.setitem(paying_out.PROVIDERS, "file", Dead())
    payout = locked(earned().task.project)
    paying_out.send(payout=payout, by=cast.user("Mona"))
    for _ in range(3):
        queue.want("send_payout", payout.pk)
        assert queue.run(f"send_payout:{payout.pk}")
    assert now(payout) == "unknown"
    assert "the line went dead" in payout.lines.get().reason


def test_what_a_final_statement_does_not_name_is_unknown() -> None:
    project = earned().project
    earned("Will", project=project)
    payout = sent(project)
    first, second = told(payout, True)
    clearing.clear_outcomes(payout=payout, outcomes=[first], by=None, final=True)
    assert sorted(payout.lines.values_list("status", flat=True)) == ["paid", "unknown"]
    clearing.clear_outcomes(payout=payout, outcomes=[first, second], by=None)
    assert now(payout) == "paid"


def test_a_payout_whose_lines_all_fail_has_failed_and_else_is_paid() -> None:
    project = earned().project
    earned("Will", project=project)
    payout = sent(project)
    first, second = told(payout, True)
    clearing.clear_outcomes(payout=payout, outcomes=[first], by=None)
    assert now(payout) == "sending"
    clearing.clear_outcomes(payout=payout, outcomes=[Outcome(second.reference, False)], by=None)
    assert now(payout) == "paid"


def test_nothing_of_a_statement_with_a_mistake_counts() -> None:
    payout = sent(earned().project)
    (good,) = told(payout, True)
    line = payout.lines.get()
    wrong = [
        good,
        Outcome("TWNOBODY", True, line=3),
        Outcome(line.reference, True, amount_micros=1, line=4),
        Outcome(line.reference, True, currency="USD", line=5),
    ]
    with pytest.raises(Invalid) as caught:
        clearing.clear_outcomes(payout=payout, outcomes=wrong, by=None)
    assert [e.message.split(":")[0] for e in caught.value.errors] == ["line 3", "line 4", "line 5"]
    assert now(payout) == "sending" and not LedgerEntry.objects.filter(kind="payout").exists()


def test_a_statement_does_not_change_what_was_settled() -> None:
    payout = sent(earned().project)
    clear(payout, True)
    with pytest.raises(Invalid, match="paid already"):
        clear(payout, False)


def test_a_draft_has_no_statement() -> None:
    project = earned().project
    with pytest.raises(WrongState):
        clearing.clear_outcomes(payout=locked(project), outcomes=[], by=None)


def test_every_move_happens_once() -> None:
    project = earned().project
    payout = paying_out.draft(project=project, by=None)
    stale = [Payout.objects.get(pk=payout.pk) for _ in range(3)]
    paying_out.lock(payout=payout, by=None)
    with pytest.raises(WrongState):
        paying_out.lock(payout=stale[0], by=None)
    stale[1].refresh_from_db()
    paying_out.send(payout=payout, by=None)
    with pytest.raises(WrongState):
        paying_out.send(payout=stale[1], by=None)
    with pytest.raises(WrongState):
        paying_out.cancel(payout=payout, by=None, reason="too late")
    assert PayoutLine.objects.count() == 1


def test_a_cancelled_payout_frees_what_it_held() -> None:
    project = earned().project
    payout = locked(project)
    paying_out.cancel(payout=payout, by=cast.user("Mona"), reason="wrong month")
    assert (now(payout), payout.lines.get().status) == (PayoutStatus.FAILED, PayoutStatus.FAILED)
    assert locked(project).lines.count() == 1


def test_a_job_hands_a_payout_over_and_twice_is_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class AtOnce:
        calls: list[str] = []

        def send(self, orders):
            self.calls += [o.reference for o in orders]
            return [Outcome(o.reference, True) for o in orders] + [Outcome("TWSTRANGER", True)]

    monkeypatch.setitem(paying_out.PROVIDERS, "bank", AtOnce())
    project = earned().project
    payout = paying_out.draft(project=project, by=None, provider="bank")
    paying_out.lock(payout=payout, by=None)
    paying_out.send(payout=payout, by=None)
    outcomes = paying_out.hand_over(payout=payout)
    assert paying_out.hand_over(payout=payout) == outcomes
    for _ in range(2):
        paying_out.delivered(payout=payout, outcomes=outcomes)
    assert len(set(AtOnce.calls)) == 1 and now(payout) == "paid"
    assert paying.paid_micros(cast.user("Wanda")) == 1_500_000


def test_a_bonus_is_taken_back_once() -> None:
    project = earned().project
    given = bonus(project, 300_000)
    paying.take_back(entry=given, by=cast.user("Mona"), reason="the wrong person")
    assert paying.earned_micros(cast.user("Wanda")) == 1_500_000
    with pytest.raises(WrongState):
        paying.take_back(entry=given, by=cast.user("Mona"), reason="again")
    with pytest.raises(WrongState, match="reject"):
        paying.take_back(entry=LedgerEntry.objects.get(kind="accrual"), by=cast.user("Mona"), reason="no")


@pytest.mark.parametrize("how", ["update", "delete"])
def test_the_database_itself_keeps_the_ledger(how: str) -> None:
    earned()
    rows = LedgerEntry.objects.all()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(amount_micros=1) if how == "update" else rows._raw_delete("default")
    assert rows.get().amount_micros == 1_500_000
