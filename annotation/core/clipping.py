"""A piece of what a source says, as if it had been asked for that piece alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from annotation.core.tracks import Ints, Track, Tracks, fill_track


def clip_to(tracks: Tracks, start: int, stop: int, *, absent: bool = False) -> Tracks:
    """What a source says about `[start, stop)` alone: the same boxes on every frame of it, and no frame outside.

    A track that is under way at `start` gets a keyframe there; one that is absent throughout is left out, and so are
    intervals of it. With `absent` these stay, and such a track has one keyframe, `outside`.
    """
    named = {i.track for i in tracks.intervals if absent and i.start < stop and i.stop > start}
    cut = ((t, _clip_track(t, start, stop)) for t in tracks.tracks)
    kept = tuple(part or _away(t, start) for t, part in cut if part is not None or t.id in named)
    ids = {t.id for t in kept}
    intervals = tuple(
        replace(i, start=max(i.start, start), stop=min(i.stop, stop))
        for i in tracks.intervals
        if i.start < stop and i.stop > start and (i.track is None or i.track in ids)
    )
    return Tracks(start, stop, kept, intervals)


def _clip_track(track: Track, start: int, stop: int) -> Track | None:
    # Of a long video's tracks most are elsewhere, and a video is cut into many pieces.
    if not len(track.frames) or track.frames[0] >= stop or (track.outside[-1] and track.frames[-1] <= start):
        return None
    inside = (track.frames >= start) & (track.frames < stop)
    edges = [f for f in dict.fromkeys((start, stop - 1)) if f not in track.frames[inside]]
    boxes, present, occluded = fill_track(track, start, stop)
    if not present.any():
        return None
    # The last frame needs a keyframe only where the box still moves there, the first only where there is one.
    edges = [f for f in edges if present[f - start] and (f == start or _moves_past(track, f))]
    at = np.concatenate([np.array(edges, np.int64), track.frames[inside]])
    points = np.concatenate([boxes[[f - start for f in edges]].reshape(-1, 4), track.points[inside]])
    outside = np.concatenate([np.zeros(len(edges), bool), track.outside[inside]])
    hidden = np.concatenate([occluded[[f - start for f in edges]], track.occluded[inside]])
    order = np.argsort(at, kind="stable")
    changes = {f: c for f, c in track.changes.items() if start <= f < stop}
    begin = int(at.min())
    if carried := states_at(track.changes, (begin,))[0]:
        changes[begin] = carried
    return replace(
        track,
        frames=at[order],
        points=points[order],
        outside=outside[order],
        occluded=hidden[order],
        changes=changes,
        disputes=tuple((max(a, start), min(b, stop)) for a, b in track.disputes if a < stop and b > start),
    )


def _away(track: Track, start: int) -> Track:
    """The track where nothing is to be seen of it."""
    frames, nowhere, yes = np.array([start], np.int64), np.full((1, 4), np.nan), np.ones(1, bool)
    return replace(track, frames=frames, points=nowhere, outside=yes, occluded=~yes, changes={}, disputes=())


def on_steps(tracks: Tracks, step: int) -> Tracks:
    """What a source says on every `step`-th frame of the video: the same there, and keyframes on no other frame.

    A track that is on none of them is left out, and so are intervals of it.
    """
    if step == 1:
        return tracks
    found = [_on_steps(t, np.arange(-(-tracks.start // step) * step, tracks.stop, step), step) for t in tracks.tracks]
    kept = tuple(t for t in found if t is not None)
    ids = {None, *(t.id for t in kept)}
    return replace(tracks, tracks=kept, intervals=tuple(i for i in tracks.intervals if i.track in ids))


def _on_steps(track: Track, shown: Ints, step: int) -> Track | None:
    """On either side of each keyframe, so that what is between is on the same lines."""
    late = -(-track.frames // step) * step
    at = np.intersect1d(np.concatenate([track.frames // step * step, late]), shown)
    if not len(at):
        return None
    boxes, present, occluded = (filled[at - at[0]] for filled in fill_track(track, int(at[0]), int(at[-1]) + 1))
    first = int(present.argmax())
    if not present[first]:
        return None
    changes: dict[int, dict[str, Any]] = {}
    for frame in sorted(track.changes):
        place = max(-(-frame // step) * step, int(at[first]))
        changes[place] = changes.get(place, {}) | dict(track.changes[frame])
    return replace(
        track,
        frames=at[first:],
        points=boxes[first:],
        outside=~present[first:],
        occluded=occluded[first:],
        changes={frame: change for frame, change in changes.items() if frame <= at[-1]},
    )


def _moves_past(track: Track, frame: int) -> bool:
    """Whether the box is under way from one visible keyframe to another on this frame."""
    after = int(np.searchsorted(track.frames, frame, side="right"))
    return 0 < after < len(track.frames) and not track.outside[after] and not track.outside[after - 1]


def states_at(changes: Mapping[int, Mapping[str, Any]], frames: Iterable[int]) -> list[dict[str, Any]]:
    """The mutable attributes in force on each of some frames, which ascend, if they change so.

    >>> states_at({3: {"pose": "sits"}, 8: {"pose": "walks"}}, (0, 5, 8))
    [{}, {'pose': 'sits'}, {'pose': 'walks'}]
    """
    out, state = [], dict[str, Any]()
    following = sorted(changes, reverse=True)
    for frame in frames:
        while following and following[-1] <= frame:
            state = {**state, **changes[following.pop()]}
        out.append(state)
    return out
