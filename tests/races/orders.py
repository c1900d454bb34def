"""All orders in which the statements of two sessions can come, one of each kind of order that can be told apart.

Under READ COMMITTED a session sees nothing of another but what it committed, and waits for nothing but its locks. So
two neighbouring statements may change places unnoticed, unless one of them ends a transaction (or gives locks back), or
both write or lock. `every` goes through all orders up to such changes, each once: a depth-first search with sleep sets
(Godefroid 1996), which runs the verbs anew for each.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.races.explorer import COMMIT, Choose, Explorer, Verb

ENDS = re.compile(rf"{COMMIT}|ROLLBACK|.*time goes by", re.IGNORECASE | re.DOTALL)
READS = re.compile(r"SELECT(?!.*\bFOR (NO KEY )?(UPDATE|SHARE))", re.IGNORECASE | re.DOTALL)


def may_change_places(one: str, other: str) -> bool:
    if ENDS.match(one) or ENDS.match(other):
        return False
    return bool(READS.match(one) or READS.match(other))


@dataclass
class Turn:
    """A place in an order: who could go on, whose turn began an order that is known already, and who went."""

    ready: dict[int, str]
    asleep: frozenset[int]
    taken: int
    tried: set[int] = field(default_factory=set)

    def sleepers(self) -> frozenset[int]:
        """Whose turn, right after the one taken, would lead to an order that is known already."""
        known = (self.asleep | self.tried) - {self.taken}
        return frozenset(i for i in known if may_change_places(self.ready[i], self.ready[self.taken]))

    def take_another(self) -> bool:
        self.tried.add(self.taken)
        left = [i for i in self.ready if i not in self.asleep | self.tried]
        if left:
            self.taken = left[0]
        return bool(left)


class Search:
    """One run after the other, each the next order: `choose` follows `path`, then goes on by itself."""

    def __init__(self) -> None:
        self.path: list[Turn] = []
        self.begin()

    def begin(self) -> None:
        self.depth, self.known = 0, False

    def choose(self, ready: Mapping[int, str]) -> int:
        if self.known:
            return min(ready)
        if self.depth == len(self.path):
            asleep = self.path[-1].sleepers() if self.path else frozenset()
            awake = [i for i in ready if i not in asleep]
            if not awake:
                self.known = True
                return min(ready)
            self.path.append(Turn(dict(ready), asleep & ready.keys(), awake[0]))
        turn = self.path[self.depth]
        assert ready.keys() == turn.ready.keys(), f"the verbs went another way: {turn.ready} became {ready}"
        self.depth += 1
        return turn.taken

    def back(self) -> bool:
        """To the last place where another could go; False: there is none left."""
        while self.path and not self.path[-1].take_another():
            self.path.pop()
        return bool(self.path)


def every(explorer: Explorer, verbs: tuple[Verb, Verb]) -> Iterator[tuple[list[int], tuple[Any, Any]]]:
    """Each order (whose statement came when) with the verbs' outcomes."""
    search = Search()
    while True:
        search.begin()
        outcomes = explorer.run(verbs, search.choose)
        if not search.known:
            yield [turn.taken for turn in search.path], outcomes
        if not search.back():
            return


def some(explorer: Explorer, verbs: tuple[Verb, Verb], count: int) -> Iterator[tuple[list[int], tuple[Any, Any]]]:
    """One after the other, in both orders, and `count` orders by lot, the same in every run."""
    lot = random.Random(7)
    choices: list[Choose] = [min, max, *([lambda ready: lot.choice(sorted(ready))] * count)]
    for choice in choices:
        order: list[int] = []
        yield order, explorer.run(verbs, _noting(choice, order))


def _noting(choice: Choose, order: list[int]) -> Choose:
    def choose(ready: Mapping[int, str]) -> int:
        order.append(choice(ready))
        return order[-1]

    return choose
