"""Tracks from boxes that a file lists one by one, with errors that name its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.core.keyframes import Bounds, box_problem
from annotation.core.problems import Problems
from annotation.core.tracks import Bools, Floats, Ints, Track, Tracks, make_track
from annotation.formats.archives import AT, InvalidFile

# Sums of two decimal fractions are rounded here, so that x + w gives back the x2 that was written.
PLACES = 9


@dataclass(frozen=True, eq=False, slots=True)
class Boxes:
    """Boxes in any order: columns of one length. `keys` number the tracks from 0, `ids` and `labels` name them.

    `lines` says where each box was found, in words that follow `where` ("line 7"). `attributes` has an entry for
    each track.
    """

    frames: Ints
    keys: Ints
    boxes: Floats
    occluded: Bools
    lines: Ints
    ids: Sequence[str]
    labels: Sequence[str]
    where: str = "line"
    attributes: Sequence[dict[str, Any]] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Target:
    """The video that a file is read for: its frames and picture (None where not known), and the labels it may use."""

    frame_count: int | None = None
    width: int | None = None
    height: int | None = None
    names: Sequence[str] | None = None

    def bounds(self, last: int) -> Bounds:
        return Bounds(0, self.frame_count if self.frame_count is not None else last + 1, self.width, self.height)


def corners(x: Floats, y: Floats, w: Floats, h: Floats) -> Floats:
    """Boxes (n, 4) from left, top, width and height."""
    return np.stack([x, y, np.round(x + w, PLACES), np.round(y + h, PLACES)], axis=1)


def assemble(found: Boxes, target: Target) -> Tracks:
    """Tracks with a keyframe for every box; a track is absent where a frame has none. InvalidFile with the lines."""
    bounds = target.bounds(int(found.frames.max(initial=-1)))
    problems = Problems()
    with problems.raising(InvalidFile):
        _check(found, bounds, target.names, problems)
    order = np.lexsort((found.frames, found.keys))
    keys = found.keys[order]
    edges = np.searchsorted(keys, np.arange(len(found.ids) + 1))
    tracks = [
        _track(found, key, order[edges[key] : edges[key + 1]], bounds.stop)
        for key in range(len(found.ids))
        if edges[key] < edges[key + 1]
    ]
    return Tracks(0, bounds.stop, tuple(tracks))


def _track(found: Boxes, key: int, at: Ints, stop: int) -> Track:
    frames = found.frames[at]
    after = frames + 1
    ends = (after < stop) & np.append(frames[1:] != after[:-1], True)
    gone = after[ends]
    attributes = found.attributes[key] if found.attributes else {}
    return make_track(
        found.ids[key],
        found.labels[key],
        np.concatenate([frames, gone]),
        np.concatenate([found.boxes[at], np.full((len(gone), 4), np.nan)]),
        outside=np.concatenate([np.zeros(len(at), bool), np.ones(len(gone), bool)]),
        occluded=np.concatenate([found.occluded[at], np.zeros(len(gone), bool)]),
        attributes=attributes,
    )


def _check(found: Boxes, bounds: Bounds, names: Sequence[str] | None, problems: Problems) -> None:
    for i in np.flatnonzero((found.frames < bounds.start) | (found.frames >= bounds.stop)):
        problems.add(AT, f"{_place(found, i)}: frame {found.frames[i]} (from 0) is outside the video's {bounds.stop}")
    for i in _suspects(found.boxes, bounds):
        if problem := box_problem(found.boxes[i].tolist(), bounds):
            problems.add(AT, f"{_place(found, i)}: {problem}")
    order = np.lexsort((found.lines, found.frames, found.keys))
    same = (np.diff(found.frames[order]) == 0) & (np.diff(found.keys[order]) == 0)
    for i in np.sort(order[1:][same]):
        problems.add(AT, f"{_place(found, i)}: track {found.ids[found.keys[i]]} is on frame {found.frames[i]} twice")
    for label in sorted(set(found.labels) - set(names)) if names is not None else ():
        problems.add(AT, f"{label!r} is no label of the project")


def _suspects(boxes: Floats, bounds: Bounds) -> Ints:
    """Boxes that need a closer look."""
    with np.errstate(invalid="ignore"):
        x1, y1, x2, y2 = boxes.T
        fine = np.all(np.abs(boxes) < 1e6, axis=1) & (x2 - x1 > 0.01) & (y2 - y1 > 0.01) & (x2 > 0) & (y2 > 0)
        if bounds.width is not None and bounds.height is not None:
            fine &= (x1 < bounds.width) & (y1 < bounds.height)
    return np.flatnonzero(~fine)


def _place(found: Boxes, row: int) -> str:
    return f"{found.where} {found.lines[row]}"
