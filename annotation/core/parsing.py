"""Tracks and intervals from JSON that somebody sent, checked against an ontology and a range of frames.

Everything that is wrong is reported at once, with JSON pointers; nothing is guessed or mended. Unknown keys are
ignored, so that a consensus (which carries confidence and support as well) can be sent back as an amendment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.core.keyframes import Bounds, frame_problem, keyframe_problems, read_keyframes
from annotation.core.ontology import Attribute, Label, Ontology, label_problem
from annotation.core.problems import Invalid, Problems, shown, step
from annotation.core.tracks import Interval, Track, Tracks, make_track
from annotation.core.values import boolean_problem, name_problem, number_problem, text_problem

ANY_ATTRIBUTES = 100


class InvalidTracks(Invalid):
    """The tracks or intervals break a rule; nothing of them is stored."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may hold."""

    tracks: int = 5_000
    keyframes: int = 200_000
    intervals: int = 10_000


def parse_tracks(
    data: object,
    *,
    ontology: Ontology | None,
    start: int,
    stop: int,
    width: float | None = None,
    height: float | None = None,
    frame_step: int = 1,
    limits: Limits | None = None,
    allow_empty: bool = False,
) -> Tracks:
    """The tracks and intervals of the frames `[start, stop)` that JSON (already loaded) says.

    Without an ontology every label and attribute is taken. `allow_empty` lets tracks without keyframes through.
    InvalidTracks lists up to a hundred problems; no other exception whatever the JSON.
    """
    reader = _Reader(Problems(), ontology, Bounds(start, stop, width, height, frame_step), allow_empty)
    tracks: list[Track] = []
    intervals: list[Interval] = []
    with reader.problems.raising(InvalidTracks):
        tracks.extend(reader.tracks(data, limits or Limits()))
        intervals = reader.intervals(data, {t.id for t in tracks}, limits or Limits())
    return Tracks(start, stop, tuple(tracks), tuple(intervals))


@dataclass(slots=True)
class _Reader:
    problems: Problems
    ontology: Ontology | None
    bounds: Bounds
    allow_empty: bool

    def tracks(self, data: object, limits: Limits) -> Iterator[Track]:
        items = self._list(data, "tracks", limits.tracks, required=True)
        total = sum(len(k) for k in (_keyframes(item) for item in items) if isinstance(k, list))
        if total > limits.keyframes:
            self.problems.add("/tracks", f"hold {total} keyframes; at most {limits.keyframes} are allowed")
            return
        seen: dict[str, int] = {}
        for i, item in enumerate(items):
            track = self.track(item, f"/tracks/{i}")
            if track is None:
                continue
            if track.id in seen:
                self.problems.add(f"/tracks/{i}/id", f"track {seen[track.id]} has the id {shown(track.id)} already")
            seen.setdefault(track.id, i)
            yield track

    def track(self, item: Any, at: str) -> Track | None:
        """One track, or None where it is no object; with problems noted the result is only good for looking on."""
        if not isinstance(item, dict):
            self.problems.add(at, f"must be an object, not {shown(item)}")
            return None
        label = self._label(item.get("label"), f"{at}/label", drawn=True)
        attributes = self._attributes(item.get("attributes"), f"{at}/attributes", label, mutable=False)
        track_id, label_name = self._id(item.get("id"), f"{at}/id"), _said(item.get("label"))
        keyframes = item.get("keyframes")
        if not isinstance(keyframes, list) or not (keyframes or self.allow_empty):
            self.problems.add(f"{at}/keyframes", "a track needs a list of one keyframe or more")
            keyframes = []
        arrays = read_keyframes(keyframes, self.bounds) if keyframes else None
        if arrays is None:
            self._explain(keyframes, f"{at}/keyframes")
        changes = self._changes(keyframes, f"{at}/keyframes", label)
        if arrays is None:
            return _empty_track(track_id, label_name, attributes)
        if arrays.outside.all() and not self.allow_empty:
            self.problems.add(f"{at}/keyframes", "the track is outside on all its keyframes; one must be visible")
        return Track(
            track_id, label_name, arrays.frames, arrays.points, arrays.outside, arrays.occluded, attributes, changes
        )

    def _explain(self, keyframes: list[Any], at: str) -> None:
        known = len(self.problems.found)
        for below, message in keyframe_problems(keyframes, self.bounds):
            self.problems.add(at + below, message)
        if keyframes and len(self.problems.found) == known:
            self.problems.add(at, "the keyframes cannot be read")

    def _changes(self, keyframes: list[Any], at: str, label: Label | None) -> dict[int, Mapping[str, Any]]:
        changes: dict[int, Mapping[str, Any]] = {}
        for i, keyframe in enumerate(keyframes):
            given = keyframe.get("attributes") if isinstance(keyframe, dict) else None
            if given is None or given == {}:
                continue
            attributes = self._attributes(given, f"{at}/{i}/attributes", label, mutable=True)
            if attributes and frame_problem(keyframe.get("frame"), self.bounds) is None:
                changes[keyframe["frame"]] = attributes
        return changes

    def intervals(self, data: object, tracks: set[str], limits: Limits) -> list[Interval]:
        items = self._list(data, "intervals", limits.intervals, required=False)
        found = (self.interval(item, f"/intervals/{i}", tracks) for i, item in enumerate(items))
        return [interval for interval in found if interval is not None]

    def interval(self, item: Any, at: str, tracks: set[str]) -> Interval | None:
        if not isinstance(item, dict):
            self.problems.add(at, f"must be an object, not {shown(item)}")
            return None
        label = self._label(item.get("label"), f"{at}/label")
        attributes = self._attributes(item.get("attributes"), f"{at}/attributes", label, mutable=None)
        start, stop, track = item.get("start"), item.get("stop"), item.get("track")
        self._range(start, stop, at)
        if track is not None:
            track = self._id(track, f"{at}/track")
            if track not in tracks:
                self.problems.add(f"{at}/track", f"there is no track {shown(track)}")
        return Interval(_said(item.get("label")), start, stop, track, attributes)  # type: ignore[arg-type]

    def _range(self, start: Any, stop: Any, at: str) -> None:
        for name, value in (("start", start), ("stop", stop)):
            if isinstance(value, bool) or not isinstance(value, int):
                self.problems.add(f"{at}/{name}", f"must be a whole number, not {shown(value)}")
                return
        if not self.bounds.start <= start < self.bounds.stop:
            inside = f"{self.bounds.start} to {self.bounds.stop - 1}"
            self.problems.add(f"{at}/start", f"frame {shown(start)} is outside the frames {inside}")
        elif not start < stop <= self.bounds.stop:
            self.problems.add(f"{at}/stop", f"must be after the start and at most {self.bounds.stop}")

    def _list(self, data: object, key: str, at_most: int, *, required: bool) -> list[Any]:
        if not isinstance(data, dict):
            if required:
                self.problems.add("", f"must be an object with tracks, not {shown(data)}")
            return []
        items = data.get(key)
        if items is None and not required:
            return []
        if not isinstance(items, list):
            self.problems.add(f"/{key}", f"must be a list, not {shown(items)}" if key in data else "is missing")
            return []
        if len(items) > at_most:
            self.problems.add(f"/{key}", f"has {len(items)} entries; at most {at_most} are allowed")
            return []
        return items

    def _id(self, value: Any, at: str) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
            return str(value)
        if problem := name_problem(value):
            self.problems.add(at, problem)
        return _said(value)

    def _label(self, name: Any, at: str, *, drawn: bool = False) -> Label | None:
        """The label of that name; a `drawn` one has a place in the picture."""
        problem = name_problem(name)
        if problem is None and self.ontology is not None:
            problem = label_problem(name, self.ontology, drawn=drawn)
        if problem:
            self.problems.add(at, problem)
            return None
        return self.ontology.by_name[name] if self.ontology else None

    def _attributes(self, given: Any, at: str, label: Label | None, *, mutable: bool | None) -> dict[str, Any]:
        """Attributes that fit the label; `mutable` says which kind belongs here, None that both do."""
        if given is None:
            return {}
        if not isinstance(given, dict) or len(given) > ANY_ATTRIBUTES:
            self.problems.add(at, f"must be an object of at most {ANY_ATTRIBUTES} attributes")
            return {}
        for name, value in given.items():
            if label is not None:
                problem = _attribute_problem(label.by_name.get(name), name, value, mutable)
            elif self.ontology is None:
                problem = name_problem(name) or _scalar_problem(value)
            else:  # the label is unknown, which was said already
                problem = None
            if problem:
                self.problems.add(at + step(name), problem)
        return dict(given)


def _said(value: object) -> str:
    return value if isinstance(value, str) else shown(value)


def _keyframes(item: object) -> object:
    return item.get("keyframes") if isinstance(item, dict) else None


def _attribute_problem(attribute: Attribute | None, name: str, value: Any, mutable: bool | None) -> str | None:
    if attribute is None:
        return f"the label has no attribute {shown(name)}"
    if mutable is not None and attribute.mutable is not mutable:
        return "may change within a track: set it on keyframes" if not mutable else "belongs to the track as a whole"
    return attribute.problem(value)


def _scalar_problem(value: Any) -> str | None:
    if isinstance(value, str):
        return text_problem(value)
    return None if boolean_problem(value) is None else number_problem(value)


def _empty_track(track_id: str, label: str, attributes: Mapping[str, Any]) -> Track:
    return make_track(track_id, label, [], [], attributes=attributes)
