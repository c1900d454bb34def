"""From the fused arrays of a segment to consensus tracks: labels, attributes, occlusion, disputes and keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.core.clipping import states_at
from annotation.core.tracks import Bools, Floats, Ints, Track
from review.core.fusing import runs, vote
from review.core.intervals import vote_attributes
from review.core.stacking import Stack
from review.core.thinning import choose_keyframes

Changes = dict[int, dict[str, Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Objects:
    """The objects of a segment: k of them, t tracks of w submissions, n frames.

    `member` (t, n) is the object that each track shows on each frame, -1 for none; `boxes` (k, n, 4), `present` and
    `disputed` (k, n), `votes` (k, w), `confidences` (k,).
    """

    member: Ints
    boxes: Floats
    present: Bools
    disputed: Bools
    votes: Bools
    confidences: Floats


def draw_tracks(stack: Stack, objects: Objects, weights: Floats, ids: Sequence[str]) -> tuple[Track, ...]:
    """One thinned track per object, in the order given; `weights` (w,) and `ids` are of the submissions."""
    occluded = _occluded(stack, objects, weights)
    named = [_named(stack, objects, k, mine, weights) for k, mine in enumerate(_rows(objects))]
    changes = [_changes(stack, objects, k, alike, weights) for k, (_, alike) in enumerate(named)]
    forced = np.zeros(objects.present.shape, bool)
    forced[:, 1:] = occluded[:, 1:] != occluded[:, :-1]
    for k, by_frame in enumerate(changes):
        forced[k, [f - stack.start for f in by_frame]] = True
    keys = choose_keyframes(objects.boxes, objects.present, forced)
    tracks = []
    for k, (label, alike) in enumerate(named):
        attributes = vote_attributes(
            [stack.tracks[r].attributes for r in alike], _said(stack, objects, k, alike, weights)
        )
        at, points, gone, hidden = _keyframes(keys[k], objects.present[k], objects.boxes[k], occluded[k], stack.start)
        support = tuple(sorted(ids[w] for w in np.flatnonzero(objects.votes[k]).tolist()))
        disputes = tuple((a + stack.start, b + stack.start) for a, b in runs(objects.disputed[k]))
        confidence = float(objects.confidences[k])
        said = (attributes, changes[k], confidence, support, disputes)
        tracks.append(Track(str(k + 1), label, at, points, gone, hidden, *said))
    return tuple(tracks)


def _rows(objects: Objects) -> list[list[int]]:
    """The tracks that show each object on some frame."""
    rows: list[list[int]] = [[] for _ in range(len(objects.boxes))]
    for row, path in enumerate(objects.member):
        for k in np.unique(path[path >= 0]).tolist():
            rows[k].append(row)
    return rows


def _named(stack: Stack, objects: Objects, k: int, rows: Sequence[int], weights: Floats) -> tuple[str, list[int]]:
    """An object's label by vote, and those of the tracks that show it which have that label: what the others say of
    it are attributes of another thing."""
    labels = [stack.tracks[r].label for r in rows]
    label = str(vote(labels, _said(stack, objects, k, rows, weights)))
    return label, [r for r, given in zip(rows, labels, strict=True) if given == label]


def _said(stack: Stack, objects: Objects, k: int, rows: Sequence[int], weights: Floats) -> list[float]:
    """The weight of each track's word on an object: its worker's, for every frame on which it shows it."""
    mine = list(rows)
    return ((objects.member[mine] == k).sum(axis=1) * weights[stack.owners[mine]]).tolist()


def _occluded(stack: Stack, objects: Objects, weights: Floats) -> Bools:
    """By vote of those who drew the object on a frame; a tie is not occluded."""
    shape = objects.present.shape
    if not stack.occluded.any():
        return np.zeros(shape, bool)
    row, frame = np.nonzero(objects.member >= 0)
    at = objects.member[row, frame] * shape[1] + frame
    sign = np.where(stack.occluded[row, frame], 1.0, -1.0) * weights[stack.owners[row]]
    return (np.bincount(at, weights=sign, minlength=shape[0] * shape[1]).reshape(shape) > 1e-9) & objects.present


def _changes(stack: Stack, objects: Objects, k: int, rows: Sequence[int], weights: Floats) -> Changes:
    """Mutable attributes by vote on each frame where somebody's change, or where the object comes back."""
    if not any(stack.tracks[r].changes for r in rows):
        return {}
    present, n = objects.present[k], objects.present.shape[1]
    events = {a for a, _ in runs(present)}
    events |= {f - stack.start for r in rows for f in stack.tracks[r].changes if 0 <= f - stack.start < n}
    events |= {a for r in rows for a, _ in runs(objects.member[r] == k)}
    out: Changes = {}
    shown: dict[str, Any] = {}
    asked = sorted(f for f in events if present[f])
    states = {r: states_at(stack.tracks[r].changes, (f + stack.start for f in asked)) for r in rows}
    for i, at in enumerate(asked):
        here = [r for r in rows if objects.member[r, at] == k]
        won = vote_attributes([states[r][i] for r in here], [float(weights[stack.owners[r]]) for r in here])
        new = {name: value for name, value in won.items() if name not in shown or shown[name] != value}
        if new:
            out[at + stack.start] = new
            shown |= new
    return out


def _keyframes(keys: Bools, present: Bools, boxes: Floats, occluded: Bools, start: int) -> tuple[Any, ...]:
    """Columns of a track: its keyframes, and an `outside` one on the first frame of every later absence."""
    gone = np.zeros(len(keys), bool)
    gone[1:] = present[:-1] & ~present[1:]
    at = np.flatnonzero(keys | gone)
    points = np.where(gone[at, None], np.nan, boxes[at])
    return at + start, points, gone[at], occluded[at] & ~gone[at]
