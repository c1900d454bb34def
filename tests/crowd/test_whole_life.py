"""The whole life of seats and of the money for them as a machine that does anything in any order, beside a model.

The model (`life`) is plain Python and knows nothing of rows. After every step the database says the same, and after
every run the invariants hold. The world is made once; every run is rolled back.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from annotation import ids
from annotation.core.problems import Invalid
from crowd import (
    clearing,
    completing,
    disputing,
    models,
    paying,
    paying_out,
    publishing,
    sanctioning,
    seating,
    submitting,
)
from crowd.lifecycle import PayoutStatus, Seat, Standing, TaskStatus
from crowd.models import Batch, Dispute
from crowd.providers.interface import Outcome
from tests.crowd.life import Payout
from tests.crowd.living import Workers, World, anybody_sat, deal_ids, nothing, picks, tasks, workers
from tests.races.explorer import as_request

P = PayoutStatus


def anything_to_pay(machine: Life) -> bool:
    return bool(machine.payouts)


class Life(Workers):
    """What managers do, with seats and with money."""

    def begin(self) -> None:
        self.payouts: list[str] = []

    @rule(worker=workers, kind=st.sampled_from([Standing.PAUSED, Standing.BANNED]))
    def sanction(self, worker: str, kind: Standing) -> None:
        verb = sanctioning.ban if kind == Standing.BANNED else sanctioning.pause
        who = self.world.people[worker]
        as_request(lambda: verb(project=self.world.project, worker=who, by=self.world.mona, reason="x"))
        new = self.model.standing.get(worker) != kind
        self.model.standing[worker] = kind
        if kind == Standing.BANNED and new and self.model.held(worker) is not None:
            self.model.end(worker, Seat.REVOKED)

    @precondition(lambda self: bool(self.model.standing))
    @rule(worker=workers)
    def restore(self, worker: str) -> None:
        who = self.world.people[worker]
        lifted = sanctioning.restore(project=self.world.project, worker=who, by=self.world.mona, reason="y")
        assert lifted is (self.model.standing.pop(worker, None) is not None)

    @precondition(anybody_sat)
    @rule(pick=picks, person=st.booleans())
    def accept(self, pick: int, person: bool) -> None:
        sat, state = self.one_of(pick)
        done = paying.accept(seat=self.world.seat(sat), by=self.world.mona if person else None, reason="good")
        assert done is (state == Seat.SUBMITTED or (person and state == Seat.REJECTED))
        if done:
            self.model.decide(sat, Seat.ACCEPTED)

    @precondition(anybody_sat)
    @rule(pick=picks)
    def reject(self, pick: int) -> None:
        sat, state = self.one_of(pick)
        told = as_request(lambda: paying.reject(seat=self.world.seat(sat), by=self.world.mona, reason="bad"))
        assert told == ("ok" if state in (Seat.SUBMITTED, Seat.ACCEPTED) else "WrongState")
        if told == "ok":
            self.model.decide(sat, Seat.REJECTED)

    @precondition(lambda self: bool(self.model.disputed))
    @rule(pick=picks, right=st.booleans())
    def answer_a_dispute(self, pick: int, right: bool) -> None:
        disputed = sorted(self.model.disputed)
        sat = disputed[pick % len(disputed)]
        dispute = Dispute.objects.get(assignment=self.world.seat(sat), status="open")
        answer = disputing.uphold if right else disputing.decline
        assert as_request(lambda: answer(dispute=dispute, by=self.world.mona, answer="looked again")) == "ok"
        self.model.disputed.discard(sat)
        if right:
            self.model.decide(sat, Seat.ACCEPTED)
        else:
            self.model.declined.add(sat)
            time.sleep(0.002)  # SQLite tells moments apart by milliseconds: a later decision is later

    @precondition(anybody_sat)
    @rule(pick=picks)
    def salvage(self, pick: int) -> None:
        sat, state = self.one_of(pick)
        seat = self.world.seat(sat)
        how = {"tracks": nothing(seat), "by": self.world.mona, "reason": "it was the bus"}
        told = as_request(lambda: submitting.salvage(seat=seat, **how))
        possible = sat in self.model.late and state in (Seat.EXPIRED, Seat.REVOKED)
        assert told == ("ok" if possible else "SeatIsOver")
        if possible:
            self.model.late.discard(sat)
            self.model.sat[sat] = Seat.SUBMITTED
            if self.model.open[sat[1]]:
                self.model.open[sat[1]] -= 1
                self.model.withdrawn[sat[1]] += 1

    @rule(task=tasks, seats=st.integers(1, 2))
    def ask_more(self, task: int, seats: int) -> None:
        row = seating.lock_task(self.world.tasks[task])
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
        done = completing.finish(task=seating.lock_task(self.world.tasks[task]))
        assert done is (task not in self.model.over)
        if done:
            self.model.close(task)

    @precondition(lambda self: not self.model.cancelled and len(self.model.over) < 2)
    @rule(really=st.integers(0, 9))
    def cancel(self, really: int) -> None:
        if really:
            return
        publishing.cancel(batch=Batch.objects.get(pk=self.world.batch.pk), by=self.world.mona)
        self.model.cancelled = True
        for task in (0, 1):
            self.model.close(task)

    @rule(worker=workers, micros=st.sampled_from([1, 8_000, 10_000]))
    def give_bonus(self, worker: str, micros: int) -> None:
        how = {"amount_micros": micros, "currency": "EUR", "by": self.world.mona, "reason": "fast"}
        paying.give_bonus(project=self.world.project, worker=self.world.people[worker], **how)
        self.model.earn(worker, micros)

    @rule()
    def draft_and_lock(self) -> None:
        made = paying_out.draft(project=self.world.project, by=self.world.mona)
        payout = Payout(P.DRAFT)
        told = as_request(lambda: bool(paying_out.lock(payout=models.Payout.objects.get(pk=made.pk), by=None)))
        assert told == (True if self.model.lock(payout) else "NothingToPay")
        self.payouts.append(made.pk)
        self.model.payouts.append(payout)

    @precondition(anything_to_pay)
    @rule(pick=picks)
    def send(self, pick: int) -> None:
        row, payout = self._payout(pick)
        told = as_request(lambda: paying_out.send(payout=row, by=None))
        assert told == ("ok" if payout.status == P.LOCKED else "WrongState")
        if told == "ok":
            payout.status = P.SENDING

    @precondition(anything_to_pay)
    @rule(pick=picks)
    def cancel_a_payout(self, pick: int) -> None:
        row, payout = self._payout(pick)
        told = as_request(lambda: paying_out.cancel(payout=row, by=None, reason="not now"))
        assert told == ("ok" if payout.status in (P.DRAFT, P.LOCKED) else "WrongState")
        if told == "ok":
            self.model.fail(payout)

    @precondition(anything_to_pay)
    @rule(pick=picks)
    def lose_sight(self, pick: int) -> None:
        row, payout = self._payout(pick)
        as_request(lambda: paying_out.lose_sight(payout=row, reason="no answer"))
        if payout.status == P.SENDING:
            payout.status = P.UNKNOWN

    @precondition(anything_to_pay)
    @rule(pick=picks, paid=st.booleans())
    def settle(self, pick: int, paid: bool) -> None:
        row, payout = self._payout(pick)
        told = [Outcome(reference, paid=paid) for reference in row.lines.values_list("reference", flat=True)]
        said = as_request(lambda: _cleared(row, told))
        if payout.status in (P.DRAFT, P.LOCKED):
            assert said == "WrongState"
        elif payout.status in (P.SENDING, P.UNKNOWN):
            assert said == (str(len(payout.lines)) if paid else "0")
            (self.model.pay if paid else self.model.fail)(payout)
        else:
            assert said == "0" if not told or paid is (payout.status == P.PAID) else "Invalid"

    def _payout(self, pick: int) -> tuple[models.Payout, Payout]:
        at = pick % len(self.payouts)
        return models.Payout.objects.get(pk=self.payouts[at]), self.model.payouts[at]

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        found, model = self.world.state(), self.model
        seats = Counter((self.index(task), worker, status) for task, worker, status, *_ in found["seat"])
        assert seats == model.rows()
        states = {self.index(task): status for task, _, status, *_ in found["task"]}
        assert all(states[t] == TaskStatus.FILLED for t in (0, 1) if t not in model.over and not model.live(t))
        disputed = {(worker, self.index(task)) for task, worker, *_ in found.get("dispute", [])}
        assert disputed == model.disputed
        payouts = {pk: status for pk, _, status, *_ in found.get("payout", [])}
        assert [payouts[pk] for pk in self.payouts] == [payout.status for payout in model.payouts]
        money = Counter({(worker, what): micros for _, worker, what, _, micros in found.get("money", [])})
        balances = {}
        for worker in {worker for worker, _ in money}:
            free, bound, paid = (money[worker, what] for what in ("free", "bound", "paid"))
            if sums := (free + bound, free, -paid):
                balances[worker] = sums
        assert {w: sums for w, sums in balances.items() if any(sums)} == model.balances()


def _cleared(payout: models.Payout, told: list[Outcome]) -> str:
    try:
        return str(clearing.clear_outcomes(payout=payout, outcomes=told, by=None).paid)
    except Invalid:  # it says otherwise than an earlier statement
        return "Invalid"


@pytest.mark.django_db
@pytest.mark.timeout(3600)
def test_the_whole_life_of_seats(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "secrets", ids.secrets)
    deal_ids(100)
    examples, steps = (200, 40) if request.config.getoption("--long") else (15, 25)
    Life.world = World()
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Life, settings=how)
