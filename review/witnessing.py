"""What is known around a segment: an object that goes on in a neighbour, over the frames that both have, is no chance.

A neighbour that was decided says what was decided; of another one that has its submissions, what these make together
with no regard to its own neighbours, so that no two segments confirm each other in a circle and the order in which they
are made does not matter. Ghosts were shown, and are no witness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q

from annotation import recording
from annotation.core.tracks import Tracks
from crowd import completing
from crowd.lifecycle import TaskStatus
from crowd.models import Assignment, Task
from crowd.seating import policy_of

JUDGED = (TaskStatus.FILLED, TaskStatus.IN_REVIEW, TaskStatus.DONE)

Alone = Callable[[Task, list[Assignment]], Tracks | None]


@dataclass(frozen=True)
class Around:
    """The tracks of the neighbours, and the names of what these are made of: a decided TrackSet, or submissions."""

    tracks: tuple[Tracks, ...] = ()
    sources: tuple[str, ...] = ()


def around(task: Task, alone: Alone) -> Around:
    """What there is now; `alone` makes an undecided neighbour's tracks of its submissions (None: too few of them)."""
    beside = _neighbours(task)
    found = (
        recording.load(neighbour.outcome) if neighbour.outcome else alone(neighbour, seats)
        for neighbour, seats in beside
    )
    return Around(tuple(tracks for tracks in found if tracks is not None), _names(beside))


def sources_around(task: Task) -> tuple[str, ...]:
    """The names of what would be heard around a task now."""
    return _names(_neighbours(task))


def _names(beside: list[tuple[Task, list[Assignment]]]) -> tuple[str, ...]:
    return tuple(sorted(n for t, seats in beside for n in ([t.outcome_id] if t.outcome_id else [s.pk for s in seats])))


def _neighbours(task: Task) -> list[tuple[Task, list[Assignment]]]:
    """Those that were decided, and those whose seats are all filled with their submissions, two at least."""
    if policy_of(task.batch).ghosts:
        return []
    here = task.segment
    beside = Task.objects.filter(segment__cut=here.cut_id, segment__index__in=[here.index - 1, here.index + 1])
    known = beside.filter(Q(outcome__isnull=False) | Q(status__in=JUDGED)).exclude(status=TaskStatus.CANCELLED)
    rows = known.select_related("segment", "batch", "project", "outcome").order_by("segment__index")
    found = [(row, [] if row.outcome_id else completing.submissions_of(row)) for row in rows]
    return [(row, seats) for row, seats in found if row.outcome_id or len(seats) > 1]
