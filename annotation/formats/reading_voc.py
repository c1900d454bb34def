"""Pascal VOC: the XML of one frame, or a zip of many."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from annotation.core.problems import Problems, shown
from annotation.core.tracks import Tracks
from annotation.formats.archives import AT, Archive, InvalidFile, is_zip, lines_of, refuse
from annotation.formats.assembling import Target, assemble
from annotation.formats.gathering import Gathered
from annotation.formats.per_frame import frame_of, own_paths, stem_of
from annotation.formats.typed import typed_attributes
from annotation.formats.xml_input import read_xml

CORNERS = ("xmin", "ymin", "xmax", "ymax")
NOT_ATTRIBUTES = {"track_id", "keyframe", "outside", "occluded", "rotation"}


def read_voc(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks from a zip with an XML for each frame in `Annotations/`, numbered from 0 by the last number in its name.

    A box without an attribute `track_id` is a track of one frame. `video` takes only the frames of its name, else those
    that `ImageSets/Main/<video>.txt` lists, else all, if they are of one video. InvalidFile names files and lines.
    """
    if not is_zip(data):
        raise refuse("a zip with Annotations/ is needed: an XML alone does not say which frame it is")
    archive, problems, target = Archive(data), Problems(), target or Target()
    found = Gathered("box")
    with problems.raising(InvalidFile):
        for name in _members(archive, video):
            frame = frame_of(name.rsplit("/", 1)[-1])
            if frame is None:
                problems.add(AT, f"{name}: there is no frame number in its name")
                continue
            read_xml(archive.read(name), _Frame(name, frame, found, target, problems))
    return assemble(found.boxes(), target)


def _members(archive: Archive, video: str | None) -> list[str]:
    names = [n for n in archive.names if n.endswith(".xml") and "Annotations" in n.split("/")[:-1]]
    if own := [n for n in names if video is not None and re.fullmatch(f"{re.escape(video)}_[0-9]+", stem_of(n))]:
        return own
    lists = archive.find(f"ImageSets/Main/{video}.txt") if video is not None else []
    if lists:
        wanted = set(lines_of(archive.read(lists[0]), lists[0]))
        names = [n for n in names if stem_of(n) in wanted]
    if not names:
        raise refuse("there is no XML in Annotations/ for the video")
    return names if lists else own_paths(names, video, "the XMLs in Annotations/")


@dataclass(slots=True)
class _Frame:
    """Takes one file's elements."""

    name: str
    frame: int
    found: Gathered
    target: Target
    problems: Problems
    path: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    attribute: str = ""

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.path.append(name)
        if len(self.path) == 1 and name != "annotation":
            raise refuse(f"{self.name}: the document's root is {shown(name)}, not 'annotation'")
        if self.path[1:] == ["object"]:
            self.texts, self.attributes = {}, {}

    def end(self, name: str, text: str, line: int) -> None:
        place, _ = tuple(self.path[1:]), self.path.pop()
        if place[:2] == ("object", "attributes") and len(place) == 4:
            if name == "name":
                self.attribute = text
            elif name == "value":
                self.attributes[self.attribute] = text
        elif place[:1] == ("object",) and len(place) in (2, 3):
            self.texts["/".join(place[1:])] = text.strip()
        elif place == ("object",):
            self._add(line)

    def _add(self, line: int) -> None:
        try:
            box = tuple(float(self.texts[f"bndbox/{c}"]) for c in CORNERS)
            label = self.texts["name"]
        except (KeyError, ValueError) as error:
            self.problems.add(AT, f"{self.name} line {line}: an object needs a name and numbers {CORNERS}: {error}")
            return
        own = {n: v for n, v in self.attributes.items() if n not in NOT_ATTRIBUTES}
        track = self.attributes.get("track_id", "").strip() or None
        values = typed_attributes(own, label, self.target.ontology)
        number = len(self.found.frames)
        self.found.add(number, self.frame, track, label, box, self.texts.get("occluded") == "1", values)
