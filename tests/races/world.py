"""A small project under way, what people do there, and what must be so after any order of two of them."""

from __future__ import annotations

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
from crowd import (
    claiming,
    clearing,
    completing,
    holding,
    paying,
    paying_out,
    publishing,
    sanctioning,
    seating,
    submitting,
)
from crowd.errors import SeatIsOver
from crowd.invariants import broken
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, Payout, Task, Transition
from crowd.providers.interface import Outcome
from tests import cast
from tests.crowd import stage
from tests.races import orders
from tests.races.explorer import DEADLOCK, Explorer, Verb

SAMPLE = 10
REWARD = 10_000  # a coin: what is less than one is not paid out
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
        with connection.cursor() as cursor:  # the lease runs out when this session's turn has come
            cursor.execute("SELECT 1 -- time goes by")
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

    def ask_more(self) -> None:
        completing.reopen(task=seating.lock_task(self.row().task_id), seats=1)

    def payout(self) -> Payout:
        return Payout.objects.get(project=self.project)

    def lock_payout(self) -> None:
        paying_out.lock(payout=self.payout(), by=self.mona)

    def send_payout(self) -> None:
        paying_out.send(payout=self.payout(), by=self.mona)

    def cancel_payout(self) -> None:
        paying_out.cancel(payout=self.payout(), by=self.mona, reason="not now")

    def settle_payout(self) -> str:
        payout = self.payout()
        told = [Outcome(reference, paid=True) for reference in payout.lines.values_list("reference", flat=True)]
        return f"settled {clearing.clear_outcomes(payout=payout, outcomes=told, by=self.mona).paid}"

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
        assignment=seat, project_id=seat.project_id, from_status=seat.status, to_status="submitted", actor=by
    )
    seat.status, seat.track_set, seat.slot, seat.lease_until = Seat.SUBMITTED, work, None, None
    seat.submitted_at = Now()
    seat.save()


@pytest.fixture
def world(transactional_db: None) -> World:
    batch = stage.launched(frames=20, reward_micros=REWARD, budget_micros=3 * REWARD)
    wanda, will, mona = (cast.user(name) for name in ("Wanda", "Will", "Mona"))
    with transaction.atomic():
        claim = claiming.claim(worker=wanda, project=batch.project)
    assert claim is not None
    return World(batch, batch.project, wanda, will, mona, claim.seat.pk)


def explore(
    explorer: Explorer, verbs: tuple[Verb, Verb], right: Check, request: pytest.FixtureRequest
) -> list[tuple[Any, Any]]:
    """Every order with --long, else one after the other and a fixed sample. After each all is right."""
    explorer.remember()
    outcomes = []
    tried = orders.every(explorer, verbs) if request.config.getoption("--long") else None
    for order, outcome in tried or orders.some(explorer, verbs, SAMPLE):
        outcomes.append(outcome)
        told = f"in the order {''.join(map(str, order))}: {outcome}"
        assert DEADLOCK not in outcome, told
        assert right(*outcome), told
        assert broken() == {}, told
    print(f"{len(outcomes)} orders of {request.node.name}")
    return outcomes
