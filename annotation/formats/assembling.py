"""Tracks from boxes that a file lists one by one, with errors that name its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.core.keyframes import Bounds, box_problem
from annotation.core.ontology import Label, Ontology, label_problem
from annotation.core.problems import Problems, shown
from annotation.core.tracks import Bools, Floats, Ints, Track, Tracks, make_track
from annotation.core.values import name_problem
from annotation.formats.archives import AT, InvalidFile

# Sums of two decimal fractions are rounded here, so that x + w gives back the x2 that was written.
PLACES = 9


@dataclass(frozen=True, eq=False, slots=True)
class Boxes:
    """Boxes in any order: columns of one length. `keys` number the tracks from 0, `ids` and `labels` name them.

    `lines` says where each box was found, after the word `where` ("line 7"). `states` are indexes into `attributes`,
    the sets of attributes that boxes have (none without it).
    """

    frames: Ints
    keys: Ints
    boxes: Floats
    occluded: Bools
    lines: Ints
    ids: Sequence[str]
    labels: Sequence[str]
    where: str = "line"
    states: Ints | None = None
    attributes: Sequence[Mapping[str, Any]] = ({},)

    def place(self, row: int | np.integer[Any]) -> str:
        return f"{self.where} {self.lines[row]}"


@dataclass(frozen=True, slots=True)
class Target:
    """What a file is read for: the video's frames and picture, the project's ontology, and the video's place among
    those of the file, from 0; None is not known."""

    frame_count: int | None = None
    width: int | None = None
    height: int | None = None
    ontology: Ontology | None = None
    place: int | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """The labels that boxes can have, in the order in which formats number them."""
        return self.ontology.drawn.names if self.ontology is not None else None

    def problem_of(self, label: str) -> str | None:
        """Why a box cannot have that label, or None."""
        return None if self.ontology is None else label_problem(label, self.ontology, drawn=True)

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
        _check(found, bounds, target, problems)
        _check_ids(found, problems)
        check_attributes(found, target.ontology, problems)
    order = np.lexsort((found.frames, found.keys))
    keys = found.keys[order]
    edges = np.searchsorted(keys, np.arange(len(found.ids) + 1))
    tracks = [
        _track(found, key, order[edges[key] : edges[key + 1]], bounds.stop, target.ontology)
        for key in range(len(found.ids))
        if edges[key] < edges[key + 1]
    ]
    return Tracks(0, bounds.stop, tuple(tracks))


def _track(found: Boxes, key: int, at: Ints, stop: int, ontology: Ontology | None) -> Track:
    frames = found.frames[at]
    after = frames + 1
    ends = (after < stop) & np.append(frames[1:] != after[:-1], True)
    gone = after[ends]
    attributes, changes = divide(found, at, ontology)
    return make_track(
        found.ids[key],
        found.labels[key],
        np.concatenate([frames, gone]),
        np.concatenate([found.boxes[at], np.full((len(gone), 4), np.nan)]),
        outside=np.concatenate([np.zeros(len(at), bool), np.ones(len(gone), bool)]),
        occluded=np.concatenate([found.occluded[at], np.zeros(len(gone), bool)]),
        attributes=attributes,
        changes=changes,
    )


def _check(found: Boxes, bounds: Bounds, target: Target, problems: Problems) -> None:
    for i in np.flatnonzero((found.frames < bounds.start) | (found.frames >= bounds.stop)):
        problems.add(AT, f"{found.place(i)}: frame {found.frames[i]} (from 0) is outside the video's {bounds.stop}")
    for i in _suspects(found.boxes, bounds):
        if problem := box_problem(found.boxes[i].tolist(), bounds):
            problems.add(AT, f"{found.place(i)}: {problem}")
    order = np.lexsort((found.lines, found.frames, found.keys))
    same = (np.diff(found.frames[order]) == 0) & (np.diff(found.keys[order]) == 0)
    for i in np.sort(order[1:][same]):
        problems.add(AT, f"{found.place(i)}: track {found.ids[found.keys[i]]} is on frame {found.frames[i]} twice")
    for label in sorted(set(found.labels)):
        if problem := target.problem_of(label):
            problems.add(AT, problem)


def _check_ids(found: Boxes, problems: Problems) -> None:
    """Note ids that could not be handed in with a submission, as pre-labels have to be."""
    for key, track in enumerate(found.ids):
        if problem := name_problem(track):
            place = found.place(np.argmax(found.keys == key))
            problems.add(AT, f"{place}: the track's id {shown(track)} {problem}")


def _suspects(boxes: Floats, bounds: Bounds) -> Ints:
    """Boxes that need a closer look."""
    with np.errstate(invalid="ignore"):
        x1, y1, x2, y2 = boxes.T
        fine = np.all(np.abs(boxes) < 1e6, axis=1) & (x2 - x1 > 0.01) & (y2 - y1 > 0.01) & (x2 > 0) & (y2 > 0)
        if bounds.width is not None and bounds.height is not None:
            fine &= (x1 < bounds.width) & (y1 < bounds.height)
    return np.flatnonzero(~fine)


def check_attributes(found: Boxes, ontology: Ontology | None, problems: Problems) -> None:
    """Note attributes that a label does not have, values that do not fit, and fixed ones that change on a track."""
    if found.states is None or ontology is None:
        return
    fixed: dict[tuple[int, str], Any] = {}
    pairs, rows = np.unique(np.stack([found.keys, found.states], axis=1), axis=0, return_index=True)
    for (key, state), row in zip(pairs.tolist(), rows.tolist(), strict=True):
        label = ontology.by_name.get(found.labels[key])
        if label is None:
            continue
        for name, value in found.attributes[state].items():
            problem = _attribute_problem(label, name, value)
            if problem is None and not label.by_name[name].mutable and fixed.setdefault((key, name), value) != value:
                problem = f"the attribute {shown(name)} of track {found.ids[key]} changes, and is not mutable"
            if problem:
                problems.add(AT, f"{found.place(row)}: {problem}")


def _attribute_problem(label: Label, name: str, value: Any) -> str | None:
    attribute = label.by_name.get(name)
    if attribute is None:
        return f"the label {shown(label.name)} has no attribute {shown(name)}"
    return attribute.problem(value)


def divide(found: Boxes, at: Ints, ontology: Ontology | None) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """The attributes of a track whose boxes are the rows `at`: those of the whole, and those that change, by frame.

    Without an ontology what is the same on every box is taken to be the whole track's.
    """
    if found.states is None:
        return {}, {}
    states = found.states[at]
    turns = np.flatnonzero(np.append(True, np.diff(states) != 0))
    sets = [found.attributes[s] for s in states[turns]]
    label = ontology.by_name.get(found.labels[found.keys[at[0]]]) if ontology else None
    if label is None:
        fixed = {n for n, v in sets[0].items() if all(n in s and s[n] == v for s in sets)}
    else:
        fixed = {a.name for a in label.attributes if not a.mutable}
    whole = {n: v for s in sets for n, v in s.items() if n in fixed}
    current: dict[str, Any] = {}
    changes: dict[int, dict[str, Any]] = {}
    for frame, values in zip(found.frames[at][turns].tolist(), sets, strict=True):
        fresh = {n: v for n, v in values.items() if n not in fixed and (n not in current or current[n] != v)}
        current |= fresh
        if fresh:
            changes[frame] = fresh
    return whole, changes
