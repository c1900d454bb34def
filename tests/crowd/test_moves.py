"""The table of moves, the code and the database's constraints say the same: one seat in every state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from crowd import paying, seating
from crowd.lifecycle import SEAT_MOVES, Seat
from crowd.models import Assignment, Transition
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db
HOLDING = {"token": "t", "slot": 0, "claimed_at": Now(), "lease_until": Now() + timedelta(hours=1)}
NO_LEASE = {"slot": None, "lease_until": None}


def entering(status: str, seat: Assignment) -> dict[str, Any]:
    """The columns that a move into a state sets."""
    if status == Seat.HELD:
        return HOLDING | {"worker": cast.user("Wanda")}
    if status == Seat.SUBMITTED:
        return NO_LEASE | {"track_set": stage.drawn(seat), "submitted_at": Now()}
    if status in (Seat.EXPIRED, Seat.RELEASED, Seat.REVOKED):
        return NO_LEASE | {"ended_at": Now()}
    return {}


def a_seat(status: str) -> Assignment:
    """A seat that got into its state by the shortest way of the table."""
    ways: dict[str, list[str]] = {Seat.OPEN: []}
    while status not in ways:
        ways |= {to: [*way, to] for at, way in list(ways.items()) for to in SEAT_MOVES[at] if to not in ways}
    batch = stage.launched(frames=20)
    seat = Assignment.objects.filter(batch=batch).order_by("pk")[0]
    for to in ways[status]:
        assert seating.move(seat, to=to, reason="test", **entering(to, seat))
    seat.refresh_from_db()
    return seat


@pytest.mark.breaks_invariants
@pytest.mark.parametrize("status", list(Seat))
def test_a_seat_moves_as_the_table_says_and_no_other_way(status: str) -> None:
    seat = a_seat(status)
    assert seat.status == status
    for to in Seat:
        if to in SEAT_MOVES[status]:
            continue
        with pytest.raises(ValueError, match="does not move"):
            seating.move(seat, to=to)
    assert Transition.objects.filter(assignment=seat).latest("pk").to_status == status


@pytest.mark.breaks_invariants
@pytest.mark.parametrize("status", list(Seat))
def test_the_database_refuses_a_state_without_what_belongs_to_it(status: str) -> None:
    """A bare change of the word alone is refused wherever the two states need different columns."""
    needs = {Seat.OPEN: "none", Seat.WITHDRAWN: "none", Seat.HELD: "lease"}
    needs |= dict.fromkeys((Seat.SUBMITTED, Seat.ACCEPTED, Seat.REJECTED), "work")
    needs |= dict.fromkeys((Seat.EXPIRED, Seat.RELEASED, Seat.REVOKED), "end")
    seat = a_seat(status)
    for to in Seat:
        bare = Assignment.objects.filter(pk=seat.pk)
        if needs[to] == needs[status]:
            continue
        with pytest.raises(IntegrityError, match="a_seat_is_in_one_possible_state"), transaction.atomic():
            bare.update(status=to, reason="because")


@pytest.mark.breaks_invariants
@pytest.mark.parametrize("status", list(Seat))
def test_only_what_is_submitted_can_be_accepted_by_rule(status: str) -> None:
    assert paying.accept(seat=a_seat(status)) is (status == Seat.SUBMITTED)


@pytest.mark.breaks_invariants
def test_a_move_from_a_state_that_is_no_longer_true_changes_nothing() -> None:
    seat = a_seat(Seat.SUBMITTED)
    stale = Assignment.objects.get(pk=seat.pk)
    assert seating.move(seat, to=Seat.REJECTED, actor=cast.user("Mona"), reason="empty")
    assert paying.accept(seat=stale, by=cast.user("Mona"), reason="good") is False
    assert Assignment.objects.get(pk=seat.pk).status == Seat.REJECTED
