"""The connection dies after any statement of a request, or after its COMMIT; the client asks again with its key.

What is stored in the end must be what is stored when nothing dies, for every place to die.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from annotation.models import IdempotencyKey, Job, TrackSet
from crowd.invariants import broken
from crowd.models import Assignment, LateBody, LedgerEntry, Transition
from tests import cast
from tests.crowd import stage
from tests.races.explorer import Explorer, remember, restore

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
Ask = Callable[[], Any]
KEY = {"Idempotency-Key": "once"}


class Died(BaseException):
    """The process is gone; no handler of any error sees this."""


class Reaper:
    """Counts what is sent to the database, and cuts the connection after the n-th."""

    def __init__(self, after: int | None = None) -> None:
        self.after, self.count = after, 0

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        self.step()
        return answer

    def step(self) -> None:
        self.count += 1
        if self.count == self.after:
            connection.connection.close()
            raise Died


def begin_anew() -> None:
    """As a new process would: whatever state the old connection was in, it is forgotten."""
    if connection.connection is not None:
        connection.connection.close()
    connection.connect()


@contextmanager
def reaping(reaper: Reaper, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    commit = BaseDatabaseWrapper._commit

    def commit_and_maybe_die(self: BaseDatabaseWrapper) -> None:
        commit(self)
        reaper.step()

    with monkeypatch.context() as patch, connection.execute_wrapper(reaper):
        patch.setattr(BaseDatabaseWrapper, "_commit", commit_and_maybe_die)
        yield


def stored() -> dict[str, list[Any]]:
    """All that a request may leave behind, without what is random or a time."""
    seats = Assignment.objects.values_list("status", "worker__username", "slot", "renewals", "extra", "reason")
    moves = Transition.objects.values_list("from_status", "to_status", "actor__username", "reason")
    return {
        "seats": sorted(map(repr, seats)),
        "moves": sorted(map(repr, moves)),
        "drawn": sorted(TrackSet.objects.values_list("sha256", flat=True)),
        "money": sorted(LedgerEntry.objects.values_list("kind", "round", "amount_micros")),
        "jobs": sorted(Job.objects.values_list("kind", "status")),
        "late": sorted(LateBody.objects.values_list("body", flat=True)),
        "keys": sorted(IdempotencyKey.objects.values_list("path", "status")),
    }


def dies_anywhere(ask: Ask, status: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often it died; every place led to what the quiet run led to.

    The way through a claim is drawn by lot, so now and then a run is a statement shorter, and nothing dies in it.
    """
    remember(Explorer.TABLES)
    assert ask().status_code == status  # what is read once per process is known from here on
    restore(Explorer.TABLES)
    counter, deaths = Reaper(), 0
    with reaping(counter, monkeypatch):
        assert ask().status_code == status
    quiet = stored()
    for place in range(1, counter.count + 1):
        restore(Explorer.TABLES)
        try:
            with reaping(Reaper(place), monkeypatch):
                ask()
        except (Died, DatabaseError, InterfaceError):
            deaths += 1
        begin_anew()
        assert ask().status_code == status, f"after statement {place} of {counter.count}"
        assert stored() == quiet, f"after statement {place} of {counter.count}"
        assert broken() == {}
    assert deaths >= counter.count - 3
    return deaths


def decide(seat_id: str, verb: str) -> Ask:
    mona = cast.client("Mona")
    return lambda: mona.post(f"{stage.API}/submissions/{seat_id}/{verb}/", {"reason": "looked"}, headers=KEY)


def test_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage.launched(frames=20)
    wanda = cast.client("Wanda")
    ask = lambda: wanda.post(f"{stage.API}/assignments/claim/", {"project": batch.project_id}, headers=KEY)  # noqa: E731
    assert dies_anywhere(ask, 201, monkeypatch) >= 10


def test_a_claim_that_first_ends_a_lapsed_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage.launched(frames=38)
    wanda = cast.client("Wanda")
    stage.lapse(stage.claim(wanda, batch.project))
    ask = lambda: wanda.post(f"{stage.API}/assignments/claim/", {"project": batch.project_id}, headers=KEY)  # noqa: E731
    assert dies_anywhere(ask, 201, monkeypatch) >= 10


def test_a_submission(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage.launched(frames=20)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    assert dies_anywhere(lambda: stage.submit(wanda, seat, headers=KEY), 200, monkeypatch) >= 10


def test_a_submission_that_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage.launched(frames=20)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.lapse(seat)
    assert dies_anywhere(lambda: stage.submit(wanda, seat, headers=KEY), 410, monkeypatch) >= 10


def submitted() -> str:
    batch = stage.launched(frames=20, reward_micros=100, budget_micros=300)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.submit(wanda, seat)
    return seat["id"]


def test_an_acceptance(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dies_anywhere(decide(submitted(), "accept"), 200, monkeypatch) >= 8


def test_a_reversal(monkeypatch: pytest.MonkeyPatch) -> None:
    seat = submitted()
    assert cast.client("Mona").post(f"{stage.API}/submissions/{seat}/accept/", {"reason": "good"}).status_code == 200
    assert dies_anywhere(decide(seat, "reject"), 200, monkeypatch) >= 8


def test_an_acceptance_after_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    seat = submitted()
    assert cast.client("Mona").post(f"{stage.API}/submissions/{seat}/reject/", {"reason": "bad"}).status_code == 200
    assert dies_anywhere(decide(seat, "accept"), 200, monkeypatch) >= 8
