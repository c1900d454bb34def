"""What workers, time and the machine do with seats: one half of the machine of `test_whole_life`."""

from __future__ import annotations

import random
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

from django.db import connection, transaction
from django.db.models.functions import Now
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from annotation import ids
from annotation.core.tracks import Tracks
from annotation.models import User
from crowd import claiming, disputing, holding, seating, submitting
from crowd.invariants import broken
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, Task
from tests import cast
from tests.crowd import stage
from tests.crowd.life import REWARD, Model, Sat
from tests.races.explorer import as_request

NAMES = ("Wanda", "Will", "Walt", "Wim")
workers = st.sampled_from(NAMES)
tasks = st.integers(0, 1)
picks = st.integers(0, 7)
STATE = """
    SELECT 'seat', a.task_id, u.username, a.status, 0, 0 FROM crowd_assignment a
        LEFT JOIN annotation_user u ON u.id = a.worker_id WHERE a.project_id = %(project)s
    UNION ALL SELECT 'task', id, NULL, status, 0, 0 FROM crowd_task WHERE project_id = %(project)s
    UNION ALL SELECT 'payout', id, NULL, status, 0, 0 FROM crowd_payout WHERE project_id = %(project)s
    UNION ALL SELECT 'dispute', a.task_id, u.username, d.status, 0, 0 FROM crowd_dispute d
        JOIN crowd_assignment a ON a.id = d.assignment_id JOIN annotation_user u ON u.id = d.worker_id
        WHERE d.project_id = %(project)s AND d.status = 'open'
    UNION ALL SELECT 'money', NULL, u.username,
        CASE WHEN l.kind = 'payout' THEN 'paid' WHEN i.id IS NULL THEN 'free' ELSE 'bound' END, COUNT(*),
        CAST(SUM(l.amount_micros) AS bigint) FROM crowd_ledgerentry l JOIN annotation_user u ON u.id = l.worker_id
        LEFT JOIN crowd_payoutitem i ON i.entry_id = l.id AND i.live WHERE l.project_id = %(project)s
        GROUP BY u.username, 4"""


class World:
    """What all runs begin with."""

    def __init__(self) -> None:
        batch = stage.launched(frames=38, reward_micros=REWARD, max_redundancy=100, lease_s=3600)
        self.batch, self.project = Batch.objects.get(pk=batch.pk), batch.project
        self.tasks = list(Task.objects.filter(batch=batch).order_by("segment__index").values_list("pk", flat=True))
        self.people: dict[str, User] = {name: cast.user(name) for name in NAMES}
        self.mona = cast.user("Mona")

    def seat(self, sat: Sat) -> Assignment:
        found = Assignment.objects.select_related("batch", "project", "task__segment__video")
        return found.get(worker=self.people[sat[0]], task=self.tasks[sat[1]])

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that the model knows too, in one query."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        with connection.cursor() as cursor:
            cursor.execute(STATE, {"project": self.project.pk})
            for kind, *row in cursor.fetchall():
                found.setdefault(kind, []).append(tuple(row))
        return found


def deal_ids(seed: int) -> None:
    """Ids from here on are those of a seed; `test_whole_life` takes that back."""
    ids.secrets = SimpleNamespace(token_bytes=random.Random(seed).randbytes)


def anybody_sat(machine: Workers) -> bool:
    return bool(machine.model.sat)


def anybody_holds(machine: Workers) -> bool:
    return bool(machine.model.holders())


def nothing(seat: Assignment) -> Tracks:
    return Tracks(seat.task.segment.start, seat.task.segment.stop)


class Workers(RuleBasedStateMachine):
    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.model = Model()
        self.begin()

    def begin(self) -> None:
        """What the other half begins with."""

    @initialize(seed=st.integers(0, 99))
    def chance(self, seed: int) -> None:
        """Ids decide which seat a claim finds, so they are dealt: the same steps lead to the same life."""
        deal_ids(seed)

    def teardown(self) -> None:
        try:
            assert broken() == {}
        finally:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    def one_of(self, pick: int) -> tuple[Sat, str]:
        """Somebody's seat, and what became of it."""
        sat = sorted(self.model.sat)
        return sat[pick % len(sat)], self.model.sat[sat[pick % len(sat)]]

    def holder(self, pick: int) -> str:
        holders = self.model.holders()
        return holders[pick % len(holders)]

    def index(self, task_id: str) -> int:
        return self.world.tasks.index(task_id)

    # What workers do

    @rule(worker=workers)
    def claim(self, worker: str) -> None:
        found: list[Any] = []
        who = self.world.people[worker]
        told = as_request(lambda: found.append(claiming.claim(worker=who, project=self.world.project)))
        if worker in self.model.standing:
            # The error takes the ending of lapsed seats back with it; the sweep will come.
            assert told == "NotAllowedToWork"
            return
        self.model.end_if_lapsed(worker)
        claim, held, free = found[0], self.model.held(worker), self.model.free_for(worker)
        if held is not None:
            assert not claim.fresh and self.index(claim.seat.task_id) == held
        elif free:
            task = self.index(claim.seat.task_id)
            assert claim.fresh and task in free
            self.model.open[task] -= 1
            self.model.sat[worker, task] = Seat.HELD
        else:
            assert claim is None

    @precondition(anybody_sat)
    @rule(pick=picks)
    def submit(self, pick: int) -> None:
        sat, state = self.one_of(pick)
        self._submit(sat, state)

    @precondition(anybody_holds)
    @rule(pick=picks)
    def submit_what_is_held(self, pick: int) -> None:
        worker = self.holder(pick)
        task = self.model.held(worker)
        assert task is not None
        self._submit((worker, task), Seat.HELD)

    def _submit(self, sat: Sat, state: str) -> None:
        seat = self.world.seat(sat)
        body = {"token": seat.token or "", "tracks": nothing(seat), "body": '{"tracks":[]}'}
        told = as_request(lambda: submitting.submit(seat=seat, worker=self.world.people[sat[0]], **body))
        if state == Seat.HELD and sat[0] not in self.model.lapsed:
            assert told == "ok"
            self.model.sat[sat] = Seat.SUBMITTED
        elif state in (Seat.HELD, Seat.EXPIRED, Seat.REVOKED):
            assert told == "LeaseIsOver"
            self.model.late.add(sat)
            if state == Seat.HELD:
                self.model.end(sat[0], Seat.EXPIRED)
        else:
            assert told == "SeatIsOver"

    @precondition(anybody_holds)
    @rule(pick=picks)
    def release(self, pick: int) -> None:
        worker = self.holder(pick)
        seat = self.world.seat((worker, self.model.held(worker) or 0))
        who = self.world.people[worker]
        told = as_request(lambda: holding.release(seat=seat, token=seat.token or "", worker=who))
        lapsed = worker in self.model.lapsed
        assert told == ("LeaseIsOver" if lapsed else "ok")
        self.model.end(worker, Seat.EXPIRED if lapsed else Seat.RELEASED)

    @precondition(anybody_holds)
    @rule(pick=picks)
    def renew(self, pick: int) -> None:
        worker = self.holder(pick)
        seat = self.world.seat((worker, self.model.held(worker) or 0))
        before = seat.renewals
        told = as_request(lambda: str(holding.renew(seat=seat, token=seat.token or "") > seat.claimed_at))
        if worker in self.model.lapsed:
            assert told == "LeaseIsOver"
            self.model.end(worker, Seat.EXPIRED)
        else:
            assert told == ("True" if before < 3 else "NoRenewalsLeft")

    @precondition(anybody_sat)
    @rule(pick=picks)
    def dispute(self, pick: int) -> None:
        sat, state = self.one_of(pick)
        seat, who = self.world.seat(sat), self.world.people[sat[0]]
        told = as_request(lambda: disputing.dispute(seat=seat, worker=who, reason="I drew them all").status)
        if state != Seat.REJECTED:
            assert told == "WrongState"
        elif sat in self.model.disputed | self.model.declined:
            assert told == "AlreadyDisputed"
        else:
            assert told == "open"
            self.model.disputed.add(sat)

    # What time and the machine do

    @precondition(anybody_holds)
    @rule(pick=picks)
    def time_goes_by(self, pick: int) -> None:
        worker = self.holder(pick)
        seat = self.world.seat((worker, self.model.held(worker) or 0))
        Assignment.objects.filter(pk=seat.pk).update(lease_until=Now() - timedelta(seconds=1))
        self.model.lapsed.add(worker)

    @precondition(anybody_holds)
    @rule()
    def sweep(self) -> None:
        for seat in Assignment.objects.filter(seating.lapsed()):
            seating.expire(seat)
        for worker in sorted(self.model.lapsed):
            self.model.end(worker, Seat.EXPIRED)
