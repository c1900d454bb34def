"""How far an evaluation is, for somebody who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from review.core.cases import Case, Task


@dataclass(frozen=True, slots=True)
class Step:
    """What is done next, and where: the `case`-th of the cases and its name, the `task`-th of its tasks.

    Numbers are from 1, and 0 where something is done over all cases or all tasks at once.
    """

    doing: str
    name: str = ""
    case: int = 0
    cases: int = 0
    task: int = 0
    tasks: int = 0


Told = Callable[[Step], None]


def nobody(step: Step) -> None:
    """Listens to no step."""


def step_at(cases: Sequence[Case], c: int, doing: str, task: int = 0) -> Step:
    """A step of the case at the index `c`."""
    return Step(doing, cases[c].name, c + 1, len(cases), task, len(cases[c].tasks))


def tasks_of(cases: Sequence[Case], c: int, doing: str, told: Told) -> Iterator[tuple[int, Task]]:
    """The tasks of the case at the index `c`, with theirs, each told before it comes."""
    for i, task in enumerate(cases[c].tasks):
        told(step_at(cases, c, doing, i + 1))
        yield i, task


def all_tasks(cases: Sequence[Case], doing: str, told: Told) -> Iterator[tuple[int, int, Task]]:
    """The tasks of all cases, with the indices of both, each told before it comes."""
    for c in range(len(cases)):
        yield from ((c, i, task) for i, task in tasks_of(cases, c, doing, told))
