"""What CVAT's API gives (`GET /api/jobs/…/annotations`): shapes of one frame, and tracks with keyframes.

Labels and attributes are numbers there; what they mean is in `GET /api/labels`. Both go into one zip
(`annotations.json`, `labels.json`), or the labels into the document, as `labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.core.json_input import InvalidJson, load_json
from annotation.core.keyframes import Bounds, box_problem, frame_problem
from annotation.core.problems import Problems, shown
from annotation.core.tracks import Track, Tracks, make_track
from annotation.core.values import name_problem
from annotation.formats.archives import AT, MAX_BYTES, Archive, InvalidFile, is_zip, refuse
from annotation.formats.assembling import Target
from annotation.formats.typed import typed_attributes

MOST_FRAMES = 2**31
MAX_CONTAINERS = 20_000_000


def read_cvat_json(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a job's (or a task's) annotations; a shape is a track of one frame, tags are left out.

    Of a document that holds several jobs, `{"job": {"51": …}}`, the one that `video` names is read. Other shapes than
    rectangles are refused. InvalidFile names shapes and tracks by their places in the lists, from 0.
    """
    target = target or Target()
    document, labels = _documents(data)
    reader = _Reader(target, _labels(labels), Problems())
    with reader.problems.raising(InvalidFile):
        reader.take(_chosen(document, video))
    last = max((int(t.frames[-1]) for t in reader.tracks), default=-1)
    stop = target.frame_count if target.frame_count is not None else last + 1
    return Tracks(0, stop, tuple(t for t in reader.tracks if t.frames[0] < stop))


def _documents(data: bytes) -> tuple[Any, Any]:
    if not is_zip(data):
        document = _loaded(data)
        return document, document.get("labels") if isinstance(document, dict) else None
    archive = Archive(data)
    found = [archive.find(name) for name in ("annotations.json", "labels.json")]
    if [len(f) for f in found] != [1, 1]:
        raise refuse("the zip must hold one annotations.json and one labels.json")
    document, labels = (_loaded(archive.read(names[0])) for names in found)
    return document, labels


def _loaded(data: bytes) -> Any:
    try:
        return load_json(data, MAX_BYTES, max_containers=MAX_CONTAINERS)
    except InvalidJson as error:
        raise refuse(error.errors[0].message) from None


def _chosen(document: Any, video: str | None) -> Mapping[str, Any]:
    if isinstance(document, dict) and ("shapes" in document or "tracks" in document):
        return document
    jobs = document.get("job", document.get("task")) if isinstance(document, dict) else None
    named = jobs if isinstance(jobs, dict) else {}
    chosen = named.get(video or "") or (next(iter(named.values())) if len(named) == 1 else None)
    if not isinstance(chosen, dict):
        raise refuse(f"it must hold shapes and tracks, or jobs, one of which is the video's: {shown(sorted(named))}")
    return chosen


def _labels(said: Any) -> dict[int, tuple[str, dict[int, str]]]:
    """Each label's name and its attributes' names, by CVAT's numbers."""
    listed = said.get("results") if isinstance(said, dict) else said
    if not isinstance(listed, list):
        raise refuse("the labels' names are missing: send a zip with annotations.json and labels.json")
    try:
        return {x["id"]: (str(x["name"]), {a["id"]: str(a["name"]) for a in x["attributes"]}) for x in listed}
    except (KeyError, TypeError):
        raise refuse("labels.json is no list of labels with id, name and attributes") from None


@dataclass(slots=True)
class _Reader:
    target: Target
    labels: Mapping[int, tuple[str, Mapping[int, str]]]
    problems: Problems
    tracks: list[Track] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def take(self, document: Mapping[str, Any]) -> None:
        for kind in ("shapes", "tracks"):
            items = document.get(kind, [])
            for i, item in enumerate(items if isinstance(items, list) else [items]):
                try:
                    self._take(kind, item)
                except (KeyError, TypeError, ValueError, OverflowError) as error:
                    self.problems.add(AT, f"{kind[:-1]} {i}: {shown(str(error))}")

    def _take(self, kind: str, item: Any) -> None:
        label, names = self.labels[item["label_id"]]
        if problem := self.target.problem_of(label):
            raise ValueError(problem)
        bounds = self.target.bounds(MOST_FRAMES)
        shapes = item["shapes"] if kind == "tracks" else [item]
        keyframes = [_keyframe(shape, bounds) for shape in sorted(shapes, key=lambda s: int(s["frame"]))]
        if all(outside for _, _, outside, _ in keyframes):
            raise ValueError("it is outside on all its keyframes; one must be visible")
        whole = self._values(item if kind == "tracks" else {"attributes": []}, names, label)
        changes = {
            k[0]: v for k, s in zip(keyframes, _sorted(shapes), strict=True) if (v := self._values(s, names, label))
        }
        if kind == "shapes" and keyframes[0][0] + 1 < bounds.stop:
            keyframes.append((keyframes[0][0] + 1, (np.nan,) * 4, True, False))
        whole, changes = self._divided(label, whole, changes)
        frames, points, outside, occluded = zip(*keyframes, strict=True)
        flags: dict[str, Any] = {"outside": outside, "occluded": occluded, "attributes": whole, "changes": changes}
        number = f"{kind[:-1]}-{item['id']}" if item.get("id") is not None else f"{kind[:-1]}-{len(self.tracks)}"
        if problem := name_problem(number) or ("is there twice" if number in self.ids else None):
            raise ValueError(f"the id {shown(number)} {problem}")
        self.ids.add(number)
        self.tracks.append(make_track(number, label, frames, points, **flags))

    def _values(self, item: Mapping[str, Any], names: Mapping[int, str], label: str) -> dict[str, Any]:
        texts = {names[a["spec_id"]]: str(a["value"]) for a in item["attributes"]}
        return typed_attributes(texts, label, self.target.ontology)

    def _divided(
        self, label: str, whole: dict[str, Any], changes: dict[int, dict[str, Any]]
    ) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
        """Attributes of the track as a whole, and those of keyframes, where the project has them apart. ValueError."""
        known = self.target.ontology.by_name.get(label) if self.target.ontology else None
        for name, value in [pair for said in (whole, *changes.values()) for pair in said.items()] if known else ():
            attribute = known.by_name.get(name) if known else None
            if problem := attribute.problem(value) if attribute else "the label has no such attribute":
                raise ValueError(f"attribute {name}: {problem}")
        if known is None:
            return whole, changes
        fixed = {a.name for a in known.attributes if not a.mutable}
        for said in changes.values():
            whole = {n: v for n, v in said.items() if n in fixed} | whole
        rest = {f: {n: v for n, v in said.items() if n not in fixed} for f, said in changes.items()}
        return whole, {f: said for f, said in rest.items() if said}


def _sorted(shapes: list[Any]) -> list[Any]:
    return sorted(shapes, key=lambda s: int(s["frame"]))


def _keyframe(shape: Mapping[str, Any], bounds: Bounds) -> tuple[int, tuple[float, ...], bool, bool]:
    """Frame, box, outside and occluded of a rectangle. ValueError, KeyError, TypeError."""
    if shape["type"] != "rectangle" or shape.get("rotation"):
        raise ValueError(f"a {'rotated ' * bool(shape.get('rotation'))}{shape['type']} is no box")
    frame, outside = shape["frame"], shape.get("outside") is True
    points = tuple(float(p) for p in shape["points"])
    if len(points) != 4:
        raise ValueError("a rectangle has four numbers")
    if problem := frame_problem(frame, bounds) or (None if outside else box_problem(points, bounds)):
        raise ValueError(problem)
    return frame, points, outside, shape.get("occluded") is True
