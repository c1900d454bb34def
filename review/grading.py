"""How well submissions fit what became of their task, on the frames on which nobody was shown anything."""

from __future__ import annotations

from annotation import recording
from annotation.core.likeness import soft_f
from annotation.core.tracks import Tracks
from crowd import ghosting
from crowd.models import Assignment, Task


def scores_with(*, task: Task, seats: list[Assignment], tracks: Tracks) -> dict[str, float]:
    """How alike each submission is to `tracks` (see `likeness`), by assignment id.

    Intervals count as they do in `agreements`, so that it makes no difference to anybody's pay when they submitted.
    """
    start, stop = ghosting.unseen(task=task, seats=seats)
    given = {s.pk: recording.load(s.track_set) for s in seats if s.track_set is not None}
    return {id: soft_f(drawn, tracks, start, stop, events=True) for id, drawn in given.items()}
