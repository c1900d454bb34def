"""The whole life of seats as a machine that does anything in any order, beside a model in plain Python.

The model knows nothing of rows: for each task how many seats are open and what became of everybody who sat there. After
every step the database says the same, and after every run the invariants hold.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from annotation.core.tracks import Tracks
from crowd import claiming, completing, holding, paying, publishing, sanctioning, seating, submitting
from crowd.invariants import broken
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Batch, Task
from tests import cast
from tests.crowd import stage
from tests.races.explorer import as_request

NAMES = ("Wanda", "Will", "Walt", "Wim")
REWARD = 7
workers = st.sampled_from(NAMES)
tasks = st.integers(0, 1)
ENDED = (Seat.EXPIRED, Seat.RELEASED, Seat.REVOKED)


class Model:
    """What should be so. `sat[worker, task]` is what became of the worker's seat there."""

    def __init__(self) -> None:
        self.open = Counter({0: 2, 1: 2})
        self.withdrawn: Counter[int] = Counter()
        self.sat: dict[tuple[str, int], str] = {}
        self.lapsed: set[str] = set()
        self.late: set[tuple[str, int]] = set()
        self.banned: set[str] = set()
        self.over: set[int] = set()
        self.cancelled = False

    def held(self, worker: str) -> int | None:
        return next((t for (w, t), state in self.sat.items() if w == worker and state == Seat.HELD), None)

    def end(self, worker: str, to: str) -> None:
        task = self.held(worker)
        assert task is not None
        self.sat[worker, task] = to
        self.lapsed.discard(worker)
        if task not in self.over:
            self.open[task] += 1

    def end_if_lapsed(self, worker: str) -> None:
        if worker in self.lapsed:
            self.end(worker, Seat.EXPIRED)

    def free_for(self, worker: str) -> set[int]:
        if self.cancelled:
            return set()
        return {task for task in self.open if self.open[task] and (worker, task) not in self.sat}

    def live(self, task: int) -> bool:
        return self.open[task] > 0 or any(t == task and state == Seat.HELD for (_, t), state in self.sat.items())

    def close(self, task: int) -> None:
        self.over.add(task)
        self.withdrawn[task] += self.open.pop(task, 0)

    def rows(self) -> Counter[tuple[int, str | None, str]]:
        rows = Counter({(task, worker, str(state)): 1 for (worker, task), state in self.sat.items()})
        rows.update({(task, None, "open"): n for task, n in self.open.items() if n})
        rows.update({(task, None, "withdrawn"): n for task, n in self.withdrawn.items() if n})
        return rows

    def earned(self, worker: str) -> int:
        return REWARD * sum(w == worker and state == Seat.ACCEPTED for (w, _), state in self.sat.items())


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        batch = stage.launched(frames=38, reward_micros=REWARD, max_redundancy=100, lease_s=3600)
        self.batch, self.project = Batch.objects.get(pk=batch.pk), batch.project
        self.tasks = list(Task.objects.filter(batch=batch).order_by("segment__index").values_list("pk", flat=True))
        self.people = {name: cast.user(name) for name in NAMES}
        self.mona = cast.user("Mona")
        self.model = Model()

    def teardown(self) -> None:
        try:
            assert broken() == {}
        finally:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    def seat(self, worker: str, task: int) -> Assignment:
        rows = Assignment.objects.select_related("batch", "task__segment__video")
        return rows.get(worker=self.people[worker], task=self.tasks[task])

    def index(self, task_id: str) -> int:
        return self.tasks.index(task_id)

    @rule(worker=workers)
    def claim(self, worker: str) -> None:
        found: list[Any] = []
        told = as_request(lambda: found.append(claiming.claim(worker=self.people[worker], project=self.project)))
        if worker in self.model.banned:
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

    @rule(worker=workers, task=tasks)
    def submit(self, worker: str, task: int) -> None:
        state = self.model.sat.get((worker, task))
        if state is None:
            return
        seat = self.seat(worker, task)
        segment = seat.task.segment
        body = {"token": seat.token or "", "tracks": Tracks(segment.start, segment.stop), "body": '{"tracks":[]}'}
        told = as_request(lambda: submitting.submit(seat=seat, worker=self.people[worker], **body))
        if state == Seat.HELD and worker not in self.model.lapsed:
            assert told == "ok"
            self.model.sat[worker, task] = Seat.SUBMITTED
        elif state in (Seat.HELD, Seat.EXPIRED, Seat.REVOKED):
            assert told == "LeaseIsOver"
            self.model.late.add((worker, task))
            if state == Seat.HELD:
                self.model.end(worker, Seat.EXPIRED)
        else:
            assert told == "SeatIsOver"

    @rule(worker=workers)
    def release(self, worker: str) -> None:
        task = self.model.held(worker)
        if task is None:
            return
        seat = self.seat(worker, task)
        told = as_request(lambda: holding.release(seat=seat, token=seat.token or "", worker=self.people[worker]))
        lapsed = worker in self.model.lapsed
        assert told == ("LeaseIsOver" if lapsed else "ok")
        self.model.end(worker, Seat.EXPIRED if lapsed else Seat.RELEASED)

    @rule(worker=workers)
    def renew(self, worker: str) -> None:
        task = self.model.held(worker)
        if task is None:
            return
        seat = self.seat(worker, task)
        before = seat.renewals
        told = as_request(lambda: str(holding.renew(seat=seat, token=seat.token or "") > seat.claimed_at))
        if worker in self.model.lapsed:
            assert told == "LeaseIsOver"
            self.model.end(worker, Seat.EXPIRED)
        else:
            assert told == ("True" if before < 3 else "NoRenewalsLeft")

    @rule(worker=workers)
    def time_goes_by(self, worker: str) -> None:
        task = self.model.held(worker)
        if task is not None:
            past = Now() - timedelta(seconds=1)
            Assignment.objects.filter(pk=self.seat(worker, task).pk).update(lease_until=past)
            self.model.lapsed.add(worker)

    @rule()
    def sweep(self) -> None:
        for seat in Assignment.objects.filter(seating.lapsed()):
            seating.expire(seat)
        for worker in sorted(self.model.lapsed):
            self.model.end(worker, Seat.EXPIRED)

    @rule(worker=workers)
    def ban(self, worker: str) -> None:
        as_request(lambda: sanctioning.ban(project=self.project, worker=self.people[worker], by=self.mona, reason="x"))
        self.model.banned.add(worker)
        if self.model.held(worker) is not None:
            self.model.end(worker, Seat.REVOKED)

    @rule(worker=workers)
    def restore(self, worker: str) -> None:
        lifted = sanctioning.restore(project=self.project, worker=self.people[worker], by=self.mona, reason="y")
        assert lifted is (worker in self.model.banned)
        self.model.banned.discard(worker)

    @rule(worker=workers, task=tasks, person=st.booleans())
    def accept(self, worker: str, task: int, person: bool) -> None:
        state = self.model.sat.get((worker, task))
        if state is None:
            return
        seat = self.seat(worker, task)
        done = paying.accept(seat=seat, by=self.mona if person else None, reason="good")
        assert done is (state == Seat.SUBMITTED or (person and state == Seat.REJECTED))
        if done:
            self.model.sat[worker, task] = Seat.ACCEPTED

    @rule(worker=workers, task=tasks)
    def reject(self, worker: str, task: int) -> None:
        state = self.model.sat.get((worker, task))
        if state is None:
            return
        told = as_request(lambda: paying.reject(seat=self.seat(worker, task), by=self.mona, reason="bad"))
        assert told == ("ok" if state in (Seat.SUBMITTED, Seat.ACCEPTED) else "WrongState")
        if told == "ok":
            self.model.sat[worker, task] = Seat.REJECTED

    @rule(worker=workers, task=tasks)
    def salvage(self, worker: str, task: int) -> None:
        state = self.model.sat.get((worker, task))
        if state is None:
            return
        seat = self.seat(worker, task)
        segment = seat.task.segment
        empty = Tracks(segment.start, segment.stop)
        told = as_request(lambda: submitting.salvage(seat=seat, tracks=empty, by=self.mona, reason="it was the bus"))
        possible = (worker, task) in self.model.late and state in (Seat.EXPIRED, Seat.REVOKED)
        assert told == ("ok" if possible else "SeatIsOver")
        if possible:
            self.model.late.discard((worker, task))
            self.model.sat[worker, task] = Seat.SUBMITTED
            if self.model.open[task]:
                self.model.open[task] -= 1
                self.model.withdrawn[task] += 1

    @rule(task=tasks, seats=st.integers(1, 2))
    def ask_more(self, task: int, seats: int) -> None:
        row = seating.lock_task(self.tasks[task])
        row.batch.refresh_from_db()
        opened = completing.reopen(task=row, seats=seats)
        reopens = not self.model.cancelled and row.batch.status != "done"
        assert opened == (seats if reopens else 0)
        if opened:
            self.model.over.discard(task)
            self.model.open[task] += seats

    @precondition(lambda self: not self.model.cancelled)
    @rule(task=tasks)
    def finish(self, task: int) -> None:
        done = completing.finish(task=seating.lock_task(self.tasks[task]))
        assert done is (task not in self.model.over)
        if done:
            self.model.close(task)

    @precondition(lambda self: not self.model.cancelled and len(self.model.over) < 2)
    @rule(really=st.integers(0, 9))
    def cancel(self, really: int) -> None:
        if really:
            return
        publishing.cancel(batch=Batch.objects.get(pk=self.batch.pk), by=self.mona)
        self.model.cancelled = True
        for task in (0, 1):
            self.model.close(task)

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        rows = Assignment.objects.values_list("task", "worker__username", "status")
        assert Counter((self.index(task), worker, status) for task, worker, status in rows) == self.model.rows()

    @invariant()
    def everybody_earned_what_was_accepted(self) -> None:
        for name in NAMES:
            assert paying.earned_micros(self.people[name]) == self.model.earned(name)

    @invariant()
    def a_task_is_filled_when_nobody_may_sit_down(self) -> None:
        for task, row in enumerate(Task.objects.filter(batch=self.batch).order_by("segment__index")):
            if task not in self.model.over and not self.model.live(task):
                assert row.status == TaskStatus.FILLED


@pytest.mark.django_db
@pytest.mark.timeout(3600)
def test_the_whole_life_of_seats(request: pytest.FixtureRequest) -> None:
    examples, steps = (200, 40) if request.config.getoption("--long") else (15, 25)
    how = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Life, settings=how)
