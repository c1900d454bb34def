"""Tracks as arrays: what was drawn, and where it is on every frame.

A track is a label and its keyframes. Between two visible keyframes a box is interpolated linearly in its edges; a
visible keyframe is held up to an `outside` one, and the last one to the end of the range; a track is absent before
its first keyframe and from an `outside` keyframe until the next (CVAT's meaning of `outside`).

Frames are 0-based frames of the source video, ranges half-open, boxes float `x1 y1 x2 y2` in its pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """One object over time. Arrays are sorted by frame and of one length k.

    `points` is (k, 4), NaN where a keyframe is `outside` and came without a box. `changes` holds the mutable
    attributes that a keyframe sets, by frame. `confidence`, `support` (submission ids) and `disputes` (ranges of
    frames) are a consensus track's; elsewhere they are None and empty.
    """

    id: str
    label: str
    frames: Ints
    points: Floats
    outside: Bools
    occluded: Bools
    attributes: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    confidence: float | None = None
    support: tuple[str, ...] = ()
    disputes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """Frames `[start, stop)` with a label: an action, an event, a scene."""

    label: str
    start: int
    stop: int
    track: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Tracks:
    """What one source says about the frames `[start, stop)`: the content of a TrackSet."""

    start: int
    stop: int
    tracks: tuple[Track, ...] = ()
    intervals: tuple[Interval, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Dense:
    """Every track on every frame of `[start, start + n)`.

    `boxes` is (t, n, 4) with NaN where absent; `present` and `occluded` are (t, n).
    """

    start: int
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    boxes: Floats
    present: Bools
    occluded: Bools

    @property
    def stop(self) -> int:
        return self.start + self.present.shape[1]

    def cut(self, at: slice) -> Dense:
        """The frames at these places of the range alone."""
        arrays = self.boxes[:, at], self.present[:, at], self.occluded[:, at]
        return Dense(self.start + at.start, self.ids, self.labels, *arrays)


def make_track(
    id: str,
    label: str,
    frames: Iterable[int],
    points: Any,
    *,
    outside: Any = None,
    occluded: Any = None,
    **more: Any,
) -> Track:
    """A track from plain sequences, sorted by frame. ValueError where a frame comes twice or lengths differ."""
    at = np.asarray(list(frames) if not isinstance(frames, np.ndarray) else frames, dtype=np.int64)
    boxes = np.asarray(points, dtype=np.float64).reshape(len(at), -1) if len(at) else np.zeros((0, 4))
    out = np.zeros(len(at), bool) if outside is None else np.asarray(outside, bool)
    occ = np.zeros(len(at), bool) if occluded is None else np.asarray(occluded, bool)
    if not len(at) == len(out) == len(occ):
        raise ValueError(f"track {id}: {len(at)} frames, {len(out)} outside flags, {len(occ)} occluded flags")
    if np.any(np.diff(at) <= 0):
        order = np.argsort(at, kind="stable")
        at, boxes, out, occ = at[order], boxes[order], out[order], occ[order]
        if np.any(np.diff(at) == 0):
            raise ValueError(f"track {id}: two keyframes on one frame")
    return Track(id, label, at, boxes, out, occ, **more)


def fill_track(track: Track, start: int, stop: int) -> tuple[Floats, Bools, Bools]:
    """One track on the frames `[start, stop)`: boxes (n, 4) with NaN where absent, present (n,), occluded (n,)."""
    dense = fill([track], start, stop)
    return dense.boxes[0], dense.present[0], dense.occluded[0]


def fill(tracks: Iterable[Track], start: int, stop: int) -> Dense:
    """Interpolate tracks to every frame of `[start, stop)`.

    >>> box = make_track("1", "car", [0, 2], [[0, 0, 4, 4], [2, 0, 6, 4]])
    >>> fill([box], 0, 3).boxes[0, 1].tolist()
    [1.0, 0.0, 5.0, 4.0]
    """
    return fill_all([tracks], start, stop)[0]


def fill_all(sets: Iterable[Iterable[Track]], start: int, stop: int) -> list[Dense]:
    """`fill` of several sets of tracks at once, which is quicker where they are small."""
    lists = [list(own) for own in sets]
    tracks = [track for own in lists for track in own]
    boxes, present, occluded = fill_each(tracks, np.full(len(tracks), start), max(0, stop - start))
    dense, first = [], 0
    for own in lists:
        at = slice(first, first := first + len(own))
        names = tuple(t.id for t in own), tuple(t.label for t in own)
        dense.append(Dense(start, *names, boxes[at], present[at], occluded[at]))
    return dense


def fill_each(tracks: Sequence[Track], starts: Ints, n: int) -> tuple[Floats, Bools, Bools]:
    """Interpolate each track to n frames from its own start: boxes (t, n, 4), present (t, n), occluded (t, n)."""
    boxes = np.full((len(tracks), n, 4), np.nan)
    present, occluded = np.zeros((2, len(tracks), n), bool)
    if n and any(len(t.frames) for t in tracks):
        _interpolate(tracks, starts, boxes, present, occluded)
    return boxes, present, occluded


def _interpolate(tracks: Sequence[Track], starts: Ints, boxes: Floats, present: Bools, occluded: Bools) -> None:
    """Write what the keyframes of all tracks say into boxes (t, n, 4), present and occluded (t, n)."""
    n = present.shape[1]
    counts = np.array([len(t.frames) for t in tracks])
    stops = np.cumsum(counts)
    frames, points = np.concatenate([t.frames for t in tracks]), np.concatenate([t.points for t in tracks])
    outside, hidden = np.concatenate([t.outside for t in tracks]), np.concatenate([t.occluded for t in tracks])
    frames = frames - np.repeat(starts, counts)
    gap, move = _moves(frames, points, outside, stops)
    # How many keyframes of its track are at or before each frame; those after the range fall into a last column.
    cell = np.repeat(np.arange(len(tracks)), counts) * (n + 1) + np.clip(frames, 0, n)
    passed = np.bincount(cell, minlength=len(tracks) * (n + 1)).reshape(-1, n + 1)[:, :n].cumsum(axis=1)
    before = (stops - counts)[:, None] + passed - 1
    present[:] = (passed > 0) & ~outside[np.maximum(before, 0)]
    at: slice | Ints = slice(None) if present.all() else np.flatnonzero(present)
    left = before.ravel()[at]
    share = (np.tile(np.arange(n), len(tracks))[at] - frames[left]) / gap[left]
    # points + move · share: this form gives a keyframe's own box back exactly, and a resting box stays at rest.
    there = move.take(left, axis=0)
    there *= share[:, None]
    there += points.take(left, axis=0)
    boxes.reshape(-1, 4)[at] = there
    occluded.reshape(-1)[at] = hidden[left]


def _moves(frames: Ints, points: Floats, outside: Bools, stops: Ints) -> tuple[Ints, Floats]:
    """By how many frames (k,) and how far (k, 4) a box moves from each keyframe to its track's next one.

    A box is held, not moved, towards an `outside` keyframe, and after the last one.
    """
    gap, move = np.ones(len(frames), np.int64), np.zeros((len(frames), 4))
    moves = ~outside[1:]
    moves[stops[(stops > 0) & (stops < len(frames))] - 1] = False
    at = np.flatnonzero(moves)
    gap[at] = frames[at + 1] - frames[at]
    move[at] = points[at + 1] - points[at]
    return gap, move


def to_json(tracks: Tracks) -> dict[str, Any]:
    """The JSON form of the public contract; consensus tracks carry confidence, support and disputes as well."""
    return {
        "tracks": [_track_json(t) for t in tracks.tracks],
        "intervals": [
            {"label": i.label, "start": i.start, "stop": i.stop, "track": i.track, "attributes": dict(i.attributes)}
            for i in tracks.intervals
        ],
    }


def _track_json(track: Track) -> dict[str, Any]:
    keyframes = []
    columns = (track.frames.tolist(), track.points.tolist(), track.outside.tolist(), track.occluded.tolist())
    for frame, points, outside, occluded in zip(*columns, strict=True):
        keyframe = {"frame": frame, "outside": outside, "occluded": occluded}
        keyframe["attributes"] = dict(track.changes.get(frame, {}))
        if points[0] == points[0]:  # NaN: an `outside` keyframe without a box
            keyframe["points"] = points
        keyframes.append(keyframe)
    out: dict[str, Any] = {"id": track.id, "label": track.label, "attributes": dict(track.attributes)}
    out["keyframes"] = keyframes
    if track.confidence is not None:
        out |= {"confidence": track.confidence, "support": list(track.support)}
        out["disputes"] = [list(d) for d in track.disputes]
    return out


def from_json(data: Mapping[str, Any], start: int, stop: int) -> Tracks:
    """Tracks from JSON that was validated before (see `parsing`) or that we wrote ourselves."""
    tracks = tuple(_track_from(t) for t in data.get("tracks", ()))
    intervals = tuple(
        Interval(i["label"], i["start"], i["stop"], i.get("track"), i.get("attributes") or {})
        for i in data.get("intervals") or ()
    )
    return Tracks(start, stop, tracks, intervals)


def _track_from(data: Mapping[str, Any]) -> Track:
    keyframes = data["keyframes"]
    no_box = [np.nan] * 4
    points = [k["points"] if k.get("points") is not None else no_box for k in keyframes]
    return make_track(
        str(data["id"]),
        data["label"],
        [k["frame"] for k in keyframes],
        points,
        outside=[bool(k.get("outside")) for k in keyframes],
        occluded=[bool(k.get("occluded")) for k in keyframes],
        attributes=data.get("attributes") or {},
        changes={k["frame"]: k["attributes"] for k in keyframes if k.get("attributes")},
        confidence=data.get("confidence"),
        support=tuple(data.get("support") or ()),
        disputes=tuple((d[0], d[1]) for d in data.get("disputes") or ()),
    )
