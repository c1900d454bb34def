"""Suspected copies have one voice together: who submitted first is heard, and what others copied counts no second time.

So a copy changes neither what exists, nor where it is, nor how sure that is. It is still scored, and paid, like any
other submission.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crowd import suspecting
from crowd.models import Assignment, Task
from review.core.consensus import Submission


@dataclass(frozen=True)
class Voices:
    """`echoes` are ids of submissions that say again what another one of their group says; `group` those of each."""

    echoes: frozenset[str]
    group: dict[str, frozenset[str]]

    def heard(self, given: Sequence[Submission]) -> list[Submission]:
        return [s for s in given if s.id not in self.echoes]

    def others(self, given: Sequence[Submission], one: Submission) -> list[Submission]:
        """Who is heard beside a submission and has a voice apart from its own."""
        own = self.group.get(one.id, frozenset((one.id,)))
        return [s for s in self.heard(given) if s.id not in own]


def listen(*, task: Task, seats: Sequence[Assignment]) -> Voices:
    """Who of a task's submissions speaks for whom."""
    groups = suspecting.voices(task=task, seats=seats)
    echoes = frozenset(seat for group in groups for seat in group[1:])
    return Voices(echoes, {seat: frozenset(group) for group in groups for seat in group})
