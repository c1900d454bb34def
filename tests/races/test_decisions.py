"""Verdicts, money and the ends of tasks and batches, in every order that can matter."""

from __future__ import annotations

import pytest
from django.db import transaction

from crowd.lifecycle import Seat
from crowd.models import LedgerEntry
from tests.races.explorer import Explorer
from tests.races.world import REWARD, World, explore

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


@pytest.fixture
def submitted(world: World) -> World:
    with transaction.atomic():
        world.submit()()
    return world


def ledger() -> list[tuple[str, int]]:
    return sorted(LedgerEntry.objects.values_list("kind", "amount_micros"))


def test_two_managers_decide_at_once(explorer: Explorer, submitted: World, request: pytest.FixtureRequest) -> None:
    def right(accepted: str, rejected: str) -> bool:
        total = sum(amount for _, amount in ledger())
        return total == (REWARD if submitted.row().status == Seat.ACCEPTED else 0)

    outcomes = explore(explorer, (submitted.accept, submitted.reject), right, request)
    assert ("ok", "WrongState") in outcomes and ("first", "ok") in outcomes


def test_an_acceptance_is_reversed_while_it_is_made_again(
    explorer: Explorer, submitted: World, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        submitted.accept()

    def right(accepted: str, rejected: str) -> bool:
        if accepted == "ok":  # after the reversal
            return ledger() == [("accrual", REWARD), ("accrual", REWARD), ("reversal", -REWARD)]
        return ledger() == [("accrual", REWARD), ("reversal", -REWARD)]

    explore(explorer, (submitted.accept, submitted.reject), right, request)


def test_what_was_rejected_is_accepted_while_its_task_asks_for_more(
    explorer: Explorer, submitted: World, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        submitted.reject()
    explore(
        explorer,
        (submitted.accept, submitted.ask_more),
        lambda a, b: (a, b) == ("ok", "ok") and submitted.seats(Seat.OPEN) == 2 and ledger() == [("accrual", REWARD)],
        request,
    )


def test_the_rule_and_a_manager_accept_at_once(
    explorer: Explorer, submitted: World, request: pytest.FixtureRequest
) -> None:
    explore(
        explorer,
        (submitted.accept, submitted.accept_by_rule),
        lambda a, b: sorted((a, b)) == ["first", "ok"] and ledger() == [("accrual", REWARD)],
        request,
    )


def test_a_seat_is_given_back_while_its_task_is_decided(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    explore(
        explorer,
        (world.release, world.finish),
        lambda a, b: (a, b) == ("ok", "ok") and world.seats(Seat.OPEN) == 0 and world.seats(Seat.RELEASED) == 1,
        request,
    )


def test_a_batch_is_cancelled_while_its_last_task_is_decided(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    def right(finished: str, cancelled: str) -> bool:
        return (finished, cancelled) in (("ok", "ok"), ("ok", "WrongState")) and world.seats(Seat.OPEN) == 0

    explore(explorer, (world.finish, world.cancel), right, request)


def test_a_batch_is_cancelled_while_somebody_submits(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    explore(
        explorer,
        (world.submit(), world.cancel),
        lambda a, b: (a, b) == ("ok", "ok") and world.seats(Seat.SUBMITTED) == 1 and world.seats(Seat.OPEN) == 0,
        request,
    )


def test_a_batch_is_cancelled_while_a_seat_is_given_back(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    explore(
        explorer,
        (world.release, world.cancel),
        lambda a, b: (a, b) == ("ok", "ok") and world.seats(Seat.RELEASED) == 1 and world.seats(Seat.OPEN) == 0,
        request,
    )
