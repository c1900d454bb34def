"""Payouts and what happens meanwhile to the money in them, in every order that can matter."""

from __future__ import annotations

import pytest
from django.db import transaction

from crowd import paying_out
from crowd.lifecycle import EntryKind, PayoutStatus
from crowd.models import LedgerEntry, Payout, PayoutItem, PayoutLine
from tests.races.explorer import Explorer
from tests.races.world import REWARD, World, explore

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


@pytest.fixture
def drafted(world: World) -> World:
    """Wanda has earned a coin, and there is a draft of a payout."""
    with transaction.atomic():
        world.submit()()
        world.accept()
        paying_out.draft(project=world.project, by=world.mona)
    return world


@pytest.fixture
def sent(drafted: World) -> World:
    with transaction.atomic():
        drafted.lock_payout()
        drafted.send_payout()
    return drafted


def held() -> set[str]:
    """The kinds of entry that a live payout holds."""
    return set(PayoutItem.objects.filter(live=True).values_list("entry__kind", flat=True))


def owed() -> int:
    return sum(LedgerEntry.objects.values_list("amount_micros", flat=True))


def test_what_a_payout_holds_is_reversed_while_it_is_locked(
    explorer: Explorer, drafted: World, request: pytest.FixtureRequest
) -> None:
    def right(locked: str, reversed_: str) -> bool:
        lines = list(PayoutLine.objects.values_list("amount_micros", flat=True))
        if locked == "ok":  # the reversal waits as a debt
            return reversed_ == "ok" and lines == [REWARD] and held() == {EntryKind.ACCRUAL}
        return (locked, reversed_) == ("NothingToPay", "ok") and lines == [] and held() == set() and owed() == 0

    outcomes = explore(explorer, (drafted.lock_payout, drafted.reject), right, request)
    assert {locked for locked, _ in outcomes} == {"ok", "NothingToPay"}


def test_what_is_being_paid_is_reversed(explorer: Explorer, sent: World, request: pytest.FixtureRequest) -> None:
    explore(
        explorer,
        (sent.settle_payout, sent.reject),
        lambda a, b: (a, b) == ("settled 1", "ok") and owed() == -REWARD and sent.payout().status == PayoutStatus.PAID,
        request,
    )


def test_a_payout_is_locked_twice_at_once(explorer: Explorer, drafted: World, request: pytest.FixtureRequest) -> None:
    explore(
        explorer,
        (drafted.lock_payout, drafted.lock_payout),
        lambda a, b: sorted((a, b)) == ["WrongState", "ok"] and PayoutLine.objects.count() == 1,
        request,
    )


def test_two_payouts_are_locked_at_once(explorer: Explorer, drafted: World, request: pytest.FixtureRequest) -> None:
    other = paying_out.draft(project=drafted.project, by=drafted.mona).pk
    first = Payout.objects.exclude(pk=other).get().pk

    def lock(pk: str) -> None:
        paying_out.lock(payout=Payout.objects.get(pk=pk), by=drafted.mona)

    explore(
        explorer,
        (lambda: lock(first), lambda: lock(other)),
        lambda a, b: sorted((a, b)) == ["NothingToPay", "ok"] and PayoutLine.objects.count() == 1,
        request,
    )


def test_a_payout_is_sent_while_it_is_cancelled(
    explorer: Explorer, drafted: World, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        drafted.lock_payout()

    def right(sent: str, cancelled: str) -> bool:
        if sent == "ok":
            return cancelled == "WrongState" and held() == {EntryKind.ACCRUAL}
        return (sent, cancelled) == ("WrongState", "ok") and held() == set()

    outcomes = explore(explorer, (drafted.send_payout, drafted.cancel_payout), right, request)
    assert {sent for sent, _ in outcomes} == {"ok", "WrongState"}


def test_a_payout_is_settled_twice_at_once(explorer: Explorer, sent: World, request: pytest.FixtureRequest) -> None:
    explore(
        explorer,
        (sent.settle_payout, sent.settle_payout),
        lambda a, b: sorted((a, b)) == ["settled 0", "settled 1"] and owed() == 0,
        request,
    )
