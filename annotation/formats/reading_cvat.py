"""CVAT for video 1.1, from here or from CVAT."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.core.keyframes import box_problem, frame_problem
from annotation.core.problems import Problems, shown
from annotation.core.tracks import Track, Tracks, make_track
from annotation.core.values import name_problem
from annotation.formats.archives import AT, InvalidFile, the_member
from annotation.formats.assembling import Target
from annotation.formats.typed import typed_attributes
from annotation.formats.xml_input import read_xml

OTHER_SHAPES = {"polygon", "polyline", "points", "ellipse", "cuboid", "skeleton", "mask"}
MOST_FRAMES = 2**31


def read_cvat(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from `annotations.xml`, or from a zip with it (`video` names the folder of one of several).

    Boxes that are no keyframes are left to interpolation, as in CVAT. Rotated boxes and other shapes are refused.
    InvalidFile names the lines that are wrong.
    """
    target = target or Target()
    reader = _Reader(target, Problems())
    with reader.problems.raising(InvalidFile):
        read_xml(the_member(data, "annotations.xml", video), reader)
        return reader.finished()


@dataclass(slots=True)
class _Box:
    line: int
    frame: int
    points: tuple[float, ...]
    outside: bool
    occluded: bool
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Reader:
    """Takes the document's elements one after the other."""

    target: Target
    problems: Problems
    tracks: list[Track] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    track: dict[str, str] | None = None
    boxes: list[_Box] = field(default_factory=list)
    box: _Box | None = None
    attribute: str | None = None
    size: int | None = None
    root: str | None = None

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.root = self.root or name
        if name == "image":
            self.problems.add(AT, f"line {line}: this is CVAT for images; export it from CVAT as CVAT for video 1.1")
        elif name == "track":
            self.track, self.boxes = attributes | {"line": str(line)}, []
        elif self.track is not None and name == "box":
            self.box = self._box(attributes, line)
        elif self.track is not None and name in OTHER_SHAPES:
            self.problems.add(AT, f"line {line}: a {name} is no box")
        elif self.box is not None and name == "attribute":
            self.attribute = attributes.get("name", "")

    def end(self, name: str, text: str, line: int) -> None:
        if name == "size" and text.strip().isdecimal() and self.track is None:
            self.size = int(text.strip()[:9])
        elif name == "attribute" and self.box is not None and self.attribute is not None:
            self.box.texts[self.attribute] = text
            self.attribute = None
        elif name == "box" and self.box is not None:
            self.boxes.append(self.box)
            self.box = None
        elif name == "track" and self.track is not None:
            self._finish_track(self.track)
            self.track = None

    def finished(self) -> Tracks:
        if self.root != "annotations":
            self.problems.add(AT, f"the document's root is {shown(self.root)}, not 'annotations'")
        last = max((int(t.frames[-1]) for t in self.tracks), default=-1)
        stop = self.target.frame_count if self.target.frame_count is not None else max(self.size or 0, last + 1)
        return Tracks(0, stop, tuple(self.tracks))

    def _box(self, attributes: dict[str, str], line: int) -> _Box | None:
        """A keyframe, or None."""
        if attributes.get("keyframe", "1") != "1":
            return None
        outside, bounds = attributes.get("outside", "0") == "1", self.target.bounds(MOST_FRAMES)
        try:
            frame = int(attributes["frame"])
            points = tuple(float(attributes[n]) for n in ("xtl", "ytl", "xbr", "ybr"))
            turned = float(attributes.get("rotation", 0)) != 0
        except (KeyError, ValueError) as error:
            self.problems.add(AT, f"line {line}: a box needs numbers frame, xtl, ytl, xbr, ybr: {shown(str(error))}")
            return None
        problem = frame_problem(frame, bounds) or (None if outside else box_problem(points, bounds))
        if problem is None and turned:
            problem = "rotated boxes are not read"
        if problem:
            self.problems.add(AT, f"line {line}: {problem}")
            return None
        return _Box(line, frame, points, outside, attributes.get("occluded", "0") == "1")

    def _finish_track(self, track: dict[str, str]) -> None:
        line, label = track["line"], track.get("label", "")
        if problem := self.target.problem_of(label):
            self.problems.add(AT, f"line {line}: {problem}")
        track_id = track.get("id", "").strip()
        if name_problem(track_id) or track_id in self.ids:
            self.problems.add(AT, f"line {line}: the track's id {shown(track_id)} is missing, no id or there twice")
        self.ids.add(track_id)
        frames = [b.frame for b in self.boxes]
        if not frames or len(set(frames)) < len(frames):
            self.problems.add(AT, f"line {line}: the track has two keyframes on one frame, or none at all")
            return
        if all(b.outside for b in self.boxes):
            self.problems.add(AT, f"line {line}: the track is outside on all its keyframes; one must be visible")
        points = [(np.nan,) * 4 if b.outside else b.points for b in self.boxes]
        whole, changes = self._divided(label)
        flags: dict[str, Any] = {
            "outside": [b.outside for b in self.boxes],
            "occluded": [b.occluded for b in self.boxes],
        }
        self.tracks.append(make_track(track_id, label, frames, points, attributes=whole, changes=changes, **flags))

    def _divided(self, label: str) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
        """Attributes of the track as a whole, and those that keyframes set anew."""
        known = self.target.ontology.by_name.get(label) if self.target.ontology else None
        whole: dict[str, Any] = {}
        current: dict[str, Any] = {}
        changes: dict[int, dict[str, Any]] = {}
        for box in sorted(self.boxes, key=lambda b: b.frame):
            values = typed_attributes(box.texts, label, self.target.ontology)
            for name, value in values.items():
                attribute = known.by_name.get(name) if known else None
                if known and (problem := attribute.problem(value) if attribute else "the label has no such attribute"):
                    self.problems.add(AT, f"line {box.line}: attribute {shown(name)}: {problem}")
                elif attribute and not attribute.mutable:
                    whole.setdefault(name, value)
                elif name not in current or current[name] != value:
                    changes.setdefault(box.frame, {})[name] = current[name] = value
        return whole, changes
