"""Ghosts: what was decided of the neighbouring segments, shown on the shared frames to whom draws here.

They carry an object's identity over a border, but who was shown a box may copy it: each showing is a row, and the
frames that anybody of a task was shown are left out where work is measured.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from annotation import recording
from annotation.core.clipping import clip_to
from annotation.core.tracks import Track, Tracks, make_track
from annotation.models import TrackSet
from crowd.models import Assignment, Ghost, Task
from crowd.seating import policy_of

BEFORE, AFTER = -1, 1
# An extra seat's segment was decided long ago, as were its neighbours: it is shown what one of the latest was shown.
LATEST = 50
_chance = random.SystemRandom()


def keep_outcome(*, task: Task, track_set: TrackSet) -> None:
    """Remember what was decided of a task, for its neighbours."""
    Task.objects.filter(pk=task.pk).update(outcome=track_set)


def show(*, seat: Assignment) -> None:
    """Fix what a worker who has just sat down is shown: what is decided later does not change what they see."""
    if not policy_of(seat.batch).ghosts:
        return
    here = seat.task.segment
    sides = _sides_of_others(seat) if seat.extra else {BEFORE, AFTER}
    decided = Task.objects.filter(
        segment__cut=here.cut_id, segment__index__in=[here.index + side for side in sides], outcome__isnull=False
    )
    ghosts = []
    for task in decided.select_related("segment"):
        start, stop = max(here.start, task.segment.start), min(here.stop, task.segment.stop)
        if start < stop:
            side = BEFORE if task.segment.index < here.index else AFTER
            ghosts.append(Ghost(assignment=seat, side=side, track_set_id=task.outcome_id, start=start, stop=stop))
    Ghost.objects.bulk_create(ghosts)


def _sides_of_others(seat: Assignment) -> set[int]:
    """The sides of which a recent real seat of the batch was shown something, drawn at random."""
    real = Assignment.objects.filter(batch=seat.batch_id, extra=False, claimed_at__isnull=False)
    latest = list(real.order_by("-claimed_at").values_list("pk", flat=True)[:LATEST])
    if not latest:
        return set()
    return set(Ghost.objects.filter(assignment=_chance.choice(latest)).values_list("side", flat=True))


def shown_to(seat: Assignment) -> Tracks | None:
    """What a worker was shown of the neighbours; None where nothing was."""
    segment = seat.task.segment
    tracks: list[Track] = []
    for ghost in seat.ghosts.select_related("track_set").order_by("side"):
        part = clip_to(recording.load(ghost.track_set), ghost.start, ghost.stop)
        name = "before" if ghost.side == BEFORE else "after"
        tracks += [_alone(track, f"{name}-{track.id}", ghost.stop, segment.stop) for track in part.tracks]
    return Tracks(segment.start, segment.stop, tuple(tracks), ()) if tracks else None


def _alone(track: Track, name: str, until: int, stop: int) -> Track:
    """A track that says nothing of who drew it, and ends with the frames that are shown."""
    frames, points = track.frames, track.points
    outside, occluded = track.outside, track.occluded
    if until < stop and not outside[-1]:
        frames, points = np.append(frames, until), np.vstack([points, points[-1:]])
        outside, occluded = np.append(outside, True), np.append(occluded, False)
    return make_track(
        name,
        track.label,
        frames,
        points,
        outside=outside,
        occluded=occluded,
        attributes=track.attributes,
        changes=track.changes,
    )


def unseen(*, task: Task, seats: Sequence[Assignment]) -> tuple[int, int]:
    """The frames `[start, stop)` of a task on which none of these seats was shown anything."""
    start, stop = task.segment.start, task.segment.stop
    if not policy_of(task.batch).ghosts:
        return start, stop
    for ghost in Ghost.objects.filter(assignment__in=seats):
        if ghost.side == BEFORE:
            start = max(start, ghost.stop)
        else:
            stop = min(stop, ghost.start)
    return start, stop
