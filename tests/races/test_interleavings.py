"""Pairs of transactions that meet at the same rows, in every order that can matter; after each the invariants hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from annotation import recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import Project, User
from crowd import claiming, completing, holding, paying, publishing, sanctioning, seating, submitting
from crowd.errors import SeatIsOver
from crowd.invariants import broken
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Batch, LedgerEntry, Task, Transition
from tests import cast
from tests.crowd import stage
from tests.races.explorer import DEADLOCK, Explorer, Verb

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
SAMPLE = 12
Check = Callable[[Any, Any], bool]


@dataclass
class World:
    """A batch of one segment, in which Wanda holds a seat, and what people do there."""

    batch: Batch
    project: Project
    wanda: User
    will: User
    mona: User
    seat: str

    def row(self) -> Assignment:
        return Assignment.objects.select_related("batch", "task").get(pk=self.seat)

    def claim(self, worker: User) -> Verb:
        def verb() -> str:
            claim = claiming.claim(worker=worker, project=self.project)
            return "nothing" if claim is None else ("fresh" if claim.fresh else "held")

        return verb

    def submit(self, pk: str | None = None, by: User | None = None) -> Verb:
        return lambda: _submit(pk or self.seat, by or self.wanda)

    def release(self) -> None:
        seat = self.row()
        holding.release(seat=seat, token=seat.token or "", worker=self.wanda)

    def sweep(self) -> None:
        for seat in Assignment.objects.filter(seating.lapsed()):
            seating.expire(seat)

    def lapse_and_sweep(self) -> None:
        """The lease runs out at any moment, and the sweep finds it. Time waits for nobody, and holds no lock."""
        with elsewhere() as cursor:
            cursor.execute(
                "UPDATE crowd_assignment SET lease_until = now() - interval '1 s' WHERE id = (SELECT id FROM "
                "crowd_assignment WHERE id = %s AND status = 'held' FOR UPDATE SKIP LOCKED)",
                [self.seat],
            )
        self.sweep()

    def ban(self) -> None:
        sanctioning.ban(project=self.project, worker=self.wanda, by=self.mona, reason="sloppy")

    def accept(self) -> str:
        return "ok" if paying.accept(seat=self.row(), by=self.mona, reason="good") else "first"

    def accept_by_rule(self) -> str:
        return "ok" if paying.accept(seat=self.row()) else "first"

    def reject(self) -> None:
        paying.reject(seat=self.row(), by=self.mona, reason="bad")

    def finish(self) -> None:
        completing.finish(task=seating.lock_task(Task.objects.get(batch=self.batch).pk))

    def cancel(self) -> None:
        publishing.cancel(batch=Batch.objects.get(pk=self.batch.pk), by=self.mona)

    def seats(self, status: str) -> int:
        return Assignment.objects.filter(batch=self.batch, status=status).count()


@contextmanager
def elsewhere() -> Iterator[Any]:
    """A connection of its own that commits at once."""
    how = connection.get_connection_params()
    names = ("host", "port", "user", "dbname", "password")
    with psycopg.connect(**{k: v for k, v in how.items() if k in names}, autocommit=True) as other:
        yield other.cursor()


def _submit(pk: str, by: User) -> None:
    seat = Assignment.objects.select_related("batch", "task__segment").get(pk=pk)
    segment = seat.task.segment
    empty = Tracks(segment.start, segment.stop)
    submitting.submit(seat=seat, token=seat.token or "", tracks=empty, body="{}", worker=by)


def naive_submit(pk: str, by: User) -> None:
    """How not to do it: read the state, check it, then write. Kept so that it is seen to be caught."""
    seat = Assignment.objects.select_related("task__segment__video").get(pk=pk)
    if seat.status != Seat.HELD:
        raise SeatIsOver
    segment = seat.task.segment
    empty = Tracks(segment.start, segment.stop)
    work = recording.store(tracks=empty, video=segment.video, source=Source.WORKER, author=by)
    Transition.objects.create(
        assignment=seat, project_id=seat.project_id, from_status=seat.status, to_status="submitted"
    )
    seat.status, seat.track_set, seat.slot, seat.lease_until = Seat.SUBMITTED, work, None, None
    seat.submitted_at = Now()
    seat.save()


@pytest.fixture
def world(transactional_db: None) -> World:
    batch = stage.launched(frames=20, reward_micros=100, budget_micros=300)
    wanda, will, mona = (cast.user(name) for name in ("Wanda", "Will", "Mona"))
    with transaction.atomic():
        claim = claiming.claim(worker=wanda, project=batch.project)
    assert claim is not None
    return World(batch, batch.project, wanda, will, mona, claim.seat.pk)


def explore(
    explorer: Explorer, verbs: tuple[Verb, Verb], right: Check, request: pytest.FixtureRequest
) -> list[tuple[Any, Any]]:
    """All schedules with --long, else the serial ones and a fixed sample of the others."""
    explorer.remember()
    schedules = list(explorer.schedules(verbs))
    if not request.config.getoption("--long") and len(schedules) > SAMPLE:
        schedules = schedules[:1] + random.Random(7).sample(schedules[1:], SAMPLE)
    outcomes = []
    for first, k, l in schedules:  # noqa: E741
        outcome = explorer.run(verbs, first, k, l)
        outcomes.append(outcome)
        told = f"verb {first} took {k} statements, the other one {l}: {outcome}"
        assert DEADLOCK not in outcome, told
        assert right(*outcome), told
        assert broken() == {}, told
    return outcomes


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
    with pytest.raises(AssertionError, match="took . statements"):
        explore(explorer, twice, lambda a, b: sorted((a, b)) == ["SeatIsOver", "ok"], request)
    explorer.run(twice, 0, 100, 0)  # one after the other even this does what it should


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


@pytest.fixture
def submitted(world: World) -> World:
    with transaction.atomic():
        _submit(world.seat, world.wanda)
    return world


def ledger() -> list[tuple[str, int]]:
    return sorted(LedgerEntry.objects.values_list("kind", "amount_micros"))


def test_two_managers_decide_at_once(explorer: Explorer, submitted: World, request: pytest.FixtureRequest) -> None:
    def right(accepted: str, rejected: str) -> bool:
        total = sum(amount for _, amount in ledger())
        return total == (100 if submitted.row().status == Seat.ACCEPTED else 0)

    outcomes = explore(explorer, (submitted.accept, submitted.reject), right, request)
    assert ("ok", "WrongState") in outcomes and ("first", "ok") in outcomes


def test_an_acceptance_is_reversed_while_it_is_made_again(
    explorer: Explorer, submitted: World, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        submitted.accept()

    def right(accepted: str, rejected: str) -> bool:
        if accepted == "ok":  # after the reversal
            return ledger() == [("accrual", 100), ("accrual", 100), ("reversal", -100)]
        return ledger() == [("accrual", 100), ("reversal", -100)]

    explore(explorer, (submitted.accept, submitted.reject), right, request)


def test_the_rule_and_a_manager_accept_at_once(
    explorer: Explorer, submitted: World, request: pytest.FixtureRequest
) -> None:
    explore(
        explorer,
        (submitted.accept, submitted.accept_by_rule),
        lambda a, b: sorted((a, b)) == ["first", "ok"] and ledger() == [("accrual", 100)],
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
