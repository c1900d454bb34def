"""What the submissions of one task say, as it is compared with each other: where nobody was shown anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annotation import recording
from annotation.core.clipping import clip_to
from annotation.core.likeness import inside
from annotation.core.piling import without_heaps
from annotation.core.tracks import Dense, Interval, Tracks, fill
from crowd import ghosting, prelabelling
from crowd.core.comparing import Compared, compare
from crowd.core.echoing import Marked
from crowd.models import Assignment, Task

EVENTS = 30  # of one submission that are compared with all others, the first ones


@dataclass(frozen=True)
class Given:
    """What one submission says where nobody was shown what a neighbour had drawn; events from the range's start on."""

    drawn: Dense
    events: Sequence[Interval] = ()

    @property
    def things(self) -> int:
        return len(self.drawn.ids) + len(self.events)


def given_by(task: Task, seats: Sequence[Assignment]) -> list[Given]:
    """Of what is heaped up in one place some: all are compared with all."""
    start, stop = ghosting.unseen(task=task, seats=seats)
    given = []
    for seat in seats:
        said = recording.load(seat.track_set)
        events = sorted(_from(start, stop, said), key=lambda e: (e.start, e.stop, e.label))[:EVENTS]
        given.append(Given(without_heaps(fill(said.tracks, start, stop)), events))
    return given


def compared(task: Task, workers: Sequence[str], given: Sequence[Given]) -> tuple[Compared, Marked]:
    """Everybody's boxes with everybody's, and everybody's events, with gold and what all were given beside them."""
    drawn, shown = [one.drawn for one in given], prelabelling.pre_labels_for(task)
    gold = recording.load(task.gold.track_set) if task.gold else None
    start, stop = drawn[0].start, drawn[0].stop
    before, right = (one and fill(clip_to(one, start, stop).tracks, start, stop) for one in (shown, gold))
    known = [_from(start, stop, one) for one in (shown, gold) if one]
    boxes = compare(drawn, given=before if before and before.ids else None, gold=right)
    return boxes, Marked(task.pk, 0, stop - start, workers, [one.events for one in given], known)


def _from(start: int, stop: int, said: Tracks) -> list[Interval]:
    """Events in a range, from its start on."""
    return [replace(e, start=e.start - start, stop=e.stop - start) for e in inside(said.intervals, start, stop)]
