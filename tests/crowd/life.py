"""The whole life of seats and of the money for them, in plain Python: what should be so, and nothing of rows."""

from __future__ import annotations

from collections import Counter

from crowd.lifecycle import PayoutStatus, Seat

REWARD = 12_000
COIN = 10_000  # what is less than one is not paid out
Sat = tuple[str, int]


class Payout:
    def __init__(self, status: PayoutStatus, lines: dict[str, int] | None = None) -> None:
        self.status, self.lines = status, lines or {}


class Model:
    """`sat[worker, task]` is what became of a worker's seat there; `free` is what no payout holds of their earnings."""

    def __init__(self) -> None:
        self.open = Counter({0: 2, 1: 2})
        self.withdrawn: Counter[int] = Counter()
        self.sat: dict[Sat, str] = {}
        self.lapsed: set[str] = set()
        self.late: set[Sat] = set()
        self.standing: dict[str, str] = {}
        self.over: set[int] = set()
        self.cancelled = False
        self.free: Counter[str] = Counter()
        self.earned: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.payouts: list[Payout] = []
        self.disputed: set[Sat] = set()
        self.declined: set[Sat] = set()

    # Seats

    def held(self, worker: str) -> int | None:
        return next((t for (w, t), state in self.sat.items() if w == worker and state == Seat.HELD), None)

    def holders(self) -> list[str]:
        return sorted(worker for (worker, _), state in self.sat.items() if state == Seat.HELD)

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

    # Money

    def earn(self, worker: str, micros: int) -> None:
        self.free[worker] += micros
        self.earned[worker] += micros

    def decide(self, sat: Sat, to: str) -> None:
        before, self.sat[sat] = self.sat[sat], to
        self.earn(sat[0], REWARD * ((to == Seat.ACCEPTED) - (before == Seat.ACCEPTED)))
        self.declined.discard(sat)
        if to == Seat.ACCEPTED:
            self.disputed.discard(sat)

    def lock(self, payout: Payout) -> bool:
        """Give the draft its lines. False: nobody is owed a coin, and it stays a draft."""
        coins = {worker: micros // COIN * COIN for worker, micros in self.free.items() if micros >= COIN}
        if coins:
            payout.lines, payout.status = coins, PayoutStatus.LOCKED
            self.free.subtract(coins)
        return bool(coins)

    def fail(self, payout: Payout) -> None:
        if payout.status != PayoutStatus.DRAFT:
            self.free.update(payout.lines)
        payout.status = PayoutStatus.FAILED

    def pay(self, payout: Payout) -> None:
        self.paid.update(payout.lines)
        payout.status = PayoutStatus.PAID

    def balances(self) -> dict[str, tuple[int, int, int]]:
        """Earned, free and paid of everybody who has any."""
        people = self.earned.keys() | self.free.keys() | self.paid.keys()
        found = {w: (self.earned[w], self.free[w], self.paid[w]) for w in people}
        return {worker: sums for worker, sums in found.items() if any(sums)}
