"""The process dies after any statement of a request, or after its COMMIT; the client asks again with its key.

What is stored in the end must be what is stored when nothing dies, for every place to die. The process is a real one: a
fork that ends without a word to anybody, so PostgreSQL finds out by itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from annotation.models import IdempotencyKey, Job, TrackSet
from crowd.invariants import broken
from crowd.models import Assignment, LateBody, LedgerEntry, Payout, PayoutItem, PayoutLine, PayoutStep, Transition
from tests import cast
from tests.crowd import stage
from tests.races.explorer import Explorer, remember, restore

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.races,
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]
Ask = Callable[[], Any]
KEY = {"Idempotency-Key": "once"}
DIED, LIVED, WRONG = 77, 78, 79
REWARD = 10_000  # a coin: what is less than one is not paid out


class Failpoint:
    """Counts what is done to the database, and ends the process after the n-th."""

    def __init__(self, after: int | None = None) -> None:
        self.after, self.count = after, 0

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        self.step()
        return answer

    def step(self) -> None:
        self.count += 1
        if self.count == self.after:
            os._exit(DIED)


@contextmanager
def counting(failpoint: Failpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    commit = BaseDatabaseWrapper._commit

    def commit_and_maybe_die(self: BaseDatabaseWrapper) -> None:
        commit(self)
        failpoint.step()

    with monkeypatch.context() as patch, connection.execute_wrapper(failpoint):
        patch.setattr(BaseDatabaseWrapper, "_commit", commit_and_maybe_die)
        yield


def in_a_process_that_dies(ask: Ask, failpoint: Failpoint, monkeypatch: pytest.MonkeyPatch) -> int:
    """How a fork ended that asked."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        left = connection.connection  # the parent's: never closed here, which would end it for both
        connection.connection = None
        with counting(failpoint, monkeypatch):
            ask()
        os._exit(LIVED if left else WRONG)
    finally:
        os._exit(WRONG)


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
        "payouts": sorted(Payout.objects.values_list("status", flat=True)),
        "lines": sorted(PayoutLine.objects.values_list("worker__username", "amount_micros", "status")),
        "items": sorted(PayoutItem.objects.values_list("entry__kind", "live")),
        "steps": sorted(PayoutStep.objects.values_list("from_status", "to_status")),
        "late": sorted(LateBody.objects.values_list("body", flat=True)),
        "keys": sorted(IdempotencyKey.objects.values_list("path", "status")),
    }


def dies_anywhere(ask: Ask, status: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Die after each statement and each COMMIT in turn, and ask again; how many places there were."""
    remember(Explorer.TABLES)
    assert ask().status_code == status  # what is read once per process is known from here on
    restore(Explorer.TABLES)
    counter = Failpoint()
    with counting(counter, monkeypatch):
        assert ask().status_code == status
    quiet = stored()
    for place in range(1, counter.count + 1):
        restore(Explorer.TABLES)
        told = f"after statement {place} of {counter.count}"
        assert in_a_process_that_dies(ask, Failpoint(place), monkeypatch) == DIED, told
        assert ask().status_code == status, told
        assert stored() == quiet, told
        assert broken() == {}, told
    print(f"died at {counter.count} places of {counter.count}")
    return counter.count


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
    batch = stage.launched(frames=20, reward_micros=REWARD, budget_micros=3 * REWARD)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.submit(wanda, seat)
    return seat["id"]


def test_an_acceptance(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dies_anywhere(decide(submitted(), "accept"), 200, monkeypatch) >= 8


def test_a_reversal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dies_anywhere(decide(accepted(), "reject"), 200, monkeypatch) >= 8


def test_an_acceptance_after_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    seat = submitted()
    assert cast.client("Mona").post(f"{stage.API}/submissions/{seat}/reject/", {"reason": "bad"}).status_code == 200
    assert dies_anywhere(decide(seat, "accept"), 200, monkeypatch) >= 8


def test_a_draft_of_a_payout(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Assignment.objects.get(pk=accepted()).project_id
    mona = cast.client("Mona")
    assert dies_anywhere(lambda: mona.post(f"{stage.API}/projects/{project}/payouts/", headers=KEY), 201, monkeypatch)


def test_a_payout_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dies_anywhere(step(drafted(), "lock"), 200, monkeypatch) >= 10


def test_a_payout_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    payout = drafted()
    assert step(payout, "lock")().status_code == 200
    IdempotencyKey.objects.all().delete()
    assert dies_anywhere(step(payout, "send"), 200, monkeypatch) >= 10


def test_a_statement_settles_a_payout(monkeypatch: pytest.MonkeyPatch) -> None:
    payout, mona = drafted(), cast.client("Mona")
    for verb in ("lock", "send"):
        assert step(payout, verb)().status_code == 200
    told = f"reference,status,currency,amount\n{PayoutLine.objects.get().reference},paid,EUR,0.01\n".encode()

    def ask() -> Any:
        file = SimpleUploadedFile("statement.csv", told)
        path = f"{stage.API}/payouts/{payout}/statement/"
        return mona.post(path, {"file": file}, format="multipart", headers=KEY)

    IdempotencyKey.objects.all().delete()
    assert dies_anywhere(ask, 200, monkeypatch) >= 10
    assert PayoutLine.objects.get().status == "paid"
    assert sorted(LedgerEntry.objects.values_list("amount_micros", flat=True)) == [-REWARD, REWARD]


def accepted() -> str:
    seat = submitted()
    assert cast.client("Mona").post(f"{stage.API}/submissions/{seat}/accept/", {"reason": "good"}).status_code == 200
    return seat


def drafted() -> str:
    project = Assignment.objects.get(pk=accepted()).project_id
    return cast.client("Mona").post(f"{stage.API}/projects/{project}/payouts/").json()["id"]


def step(payout: str, verb: str) -> Ask:
    mona = cast.client("Mona")
    return lambda: mona.post(f"{stage.API}/payouts/{payout}/{verb}/", headers=KEY)
