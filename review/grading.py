"""How well submissions fit what became of their task, on the frames on which nobody was shown anything."""

from __future__ import annotations

from annotation import recording
from annotation.core.matching import track_soft_f
from annotation.core.tracks import Tracks, fill
from crowd import ghosting
from crowd.models import Assignment, Task


def scores_with(*, task: Task, seats: list[Assignment], tracks: Tracks) -> dict[str, float]:
    """The soft track F of each submission with `tracks`, by assignment id."""
    start, stop = ghosting.unseen(task=task, seats=seats)
    return {s.pk: soft_f(recording.load(s.track_set), tracks, start, stop) for s in seats if s.track_set is not None}


def soft_f(a: Tracks, b: Tracks, start: int, stop: int) -> float:
    """Soft track F of two sources on `[start, stop)`."""
    return float(track_soft_f(fill(a.tracks, start, stop), fill(b.tracks, start, stop)))
