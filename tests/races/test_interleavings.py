"""Pairs of transactions that meet at the same rows, in every order that can matter; after each the invariants hold."""

from __future__ import annotations

import pytest
from django.db import transaction

from crowd import claiming, sanctioning
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Task
from tests import cast
from tests.crowd import stage
from tests.races.explorer import Explorer
from tests.races.world import World, explore, naive_submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


def test_two_workers_claim_the_last_seat(explorer: Explorer, world: World, request: pytest.FixtureRequest) -> None:
    walt = cast.user("Walt")
    outcomes = explore(
        explorer,
        (world.claim(world.will), world.claim(walt)),
        lambda a, b: sorted((a, b)) == ["fresh", "nothing"] and world.seats(Seat.HELD) == 2,
        request,
    )
    assert {a for a, _ in outcomes} == {"fresh", "nothing"}


def test_one_worker_claims_twice_at_once(explorer: Explorer, request: pytest.FixtureRequest) -> None:
    batch = stage.launched(frames=40)
    world = World(batch, batch.project, cast.user("Wanda"), cast.user("Will"), cast.user("Mona"), "")
    explore(
        explorer,
        (world.claim(world.wanda), world.claim(world.wanda)),
        lambda a, b: sorted((a, b)) == ["fresh", "held"] and world.seats(Seat.HELD) == 1,
        request,
    )


def test_a_claim_ends_a_lapsed_seat_while_the_sweep_does(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    stage.lapse({"id": world.seat})
    explore(
        explorer,
        (world.claim(world.wanda), world.sweep),
        lambda a, b: world.seats(Seat.EXPIRED) == 1 and world.seats(Seat.OPEN) == 2,
        request,
    )


def test_a_submission_meets_the_end_of_its_lease(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    def right(submitted: str, swept: str) -> bool:
        if submitted == "ok":
            return world.seats(Seat.SUBMITTED) == 1 and world.seats(Seat.EXPIRED) == 0
        return submitted == "LeaseIsOver" and world.seats(Seat.EXPIRED) == 1 and hasattr(world.row(), "late_body")

    outcomes = explore(explorer, (world.submit(), world.lapse_and_sweep), right, request)
    assert {a for a, _ in outcomes} == {"ok", "LeaseIsOver"}


def test_a_submission_that_arrives_twice_is_stored_once(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    explore(
        explorer,
        (world.submit(), world.submit()),
        lambda a, b: sorted((a, b)) == ["SeatIsOver", "ok"] and world.seats(Seat.SUBMITTED) == 1,
        request,
    )


def test_reading_checking_and_writing_is_caught(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    twice = (lambda: naive_submit(world.seat, world.wanda), lambda: naive_submit(world.seat, world.wanda))
    with pytest.raises(AssertionError, match="in the order"):
        explore(explorer, twice, lambda a, b: sorted((a, b)) == ["SeatIsOver", "ok"], request)
    explorer.run(twice, min)  # one after the other even this does what it should


def test_the_last_two_submissions_of_a_task_fill_it(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        other = claiming.claim(worker=world.will, project=world.project)
    assert other is not None
    explore(
        explorer,
        (world.submit(), world.submit(other.seat.pk, world.will)),
        lambda a, b: (a, b) == ("ok", "ok") and Task.objects.get(batch=world.batch).status == TaskStatus.FILLED,
        request,
    )


def test_a_submission_meets_a_ban(explorer: Explorer, world: World, request: pytest.FixtureRequest) -> None:
    def right(submitted: str, banned: str) -> bool:
        state = world.row().status
        return banned == "ok" and (submitted, state) in (("ok", "submitted"), ("LeaseIsOver", "revoked"))

    outcomes = explore(explorer, (world.submit(), world.ban), right, request)
    assert {a for a, _ in outcomes} == {"ok", "LeaseIsOver"}


def test_a_claim_meets_a_ban_and_the_sweep_ends_what_slipped_through(
    explorer: Explorer, request: pytest.FixtureRequest
) -> None:
    batch = stage.launched(frames=40)
    world = World(batch, batch.project, cast.user("Wanda"), cast.user("Will"), cast.user("Mona"), "")

    def right(claimed: str, banned: str) -> bool:
        sanctioning.revoke_again()
        return banned == "ok" and claimed in ("fresh", "NotAllowedToWork", "nothing") and not world.seats(Seat.HELD)

    explore(explorer, (world.claim(world.wanda), world.ban), right, request)
