"""CVAT for video 1.1: XML with a `track` for each object and a `box` for each frame (docs.cvat.ai, "XML format").

Every frame on which a track is present has its box, as CVAT itself writes them; boxes that rest between two equal ones
are no keyframes. Where a track ends before the video does, a keyframe with `outside` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from annotation.core.ontology import Attribute, Label, Ontology
from annotation.core.tracks import Bools
from annotation.formats.columns import Choice, Column, Fixed, Whole, render
from annotation.formats.content import Content, Video, VideoTracks, folder_names
from annotation.formats.regrouping import TrackRows, last_rows, resting, tracks_in_parts
from annotation.formats.xml_output import quoted, xml_text
from annotation.formats.zipping import ZipWriter

LOSES = ("intervals", "confidence", "coordinates beyond six decimal places")
FILE = "annotations.xml"
INPUTS = {"select": "select", "number": "number", "text": "text", "boolean": "checkbox"}


def write_cvat(archive: ZipWriter, content: Content) -> None:
    """A zip with `annotations.xml` (in a folder of its own for each video where there are several)."""
    names = folder_names(v.video for v in content.videos)
    for i, (name, video) in enumerate(zip(names, content.videos, strict=True)):
        with archive.open(FILE if len(names) == 1 else f"{name}/{FILE}") as member:
            for text in cvat_xml(archive, f"{i}", video, content.ontology):
                member.write(text)


def cvat_picture(index: int, folder: str, video: Video, frame: int) -> str:
    """Where CVAT has a frame's picture in what it exports; of one of several videos below its folder (`apart`)."""
    return f"images/frame_{frame:06}.{video.picture}"


def cvat_xml(archive: ZipWriter, phase: str, video: VideoTracks, ontology: Ontology) -> Iterator[bytes]:
    """The document, bit by bit."""
    yield _head(video.video, ontology).encode()
    for track in tracks_in_parts(archive, phase, video):
        label = ontology.labels[track.label]
        if track.first:
            yield f'  <track id="{track.number}" label={quoted(label.name)} source="manual">\n'.encode()
        yield from _stretch(track, video.video)
        if track.last:
            yield b"  </track>\n"
    yield b"</annotations>\n"


def _stretch(track: TrackRows, video: Video) -> Iterator[bytes]:
    keys, ends = np.zeros((2, len(track.frames)), bool)
    keys[track.own], ends[track.own] = ~resting(track), last_rows(track, video.frame_count)
    keys[1:] |= np.diff(track.states) != 0
    bodies = [_attributes(a).encode() for a in track.attributes]
    for rows in track.pieces():
        yield _boxes(track, rows, keys, ends, bodies)


def _boxes(track: TrackRows, rows: slice, keys: Bools, ends: Bools, bodies: list[bytes]) -> bytes:
    """Boxes, and after those on which a track ends the same ones again, a step later and outside."""
    gone = np.flatnonzero(ends[rows])
    at = np.insert(np.arange(len(ends))[rows], gone + 1, np.arange(len(ends))[rows][gone])
    outside = np.zeros(len(at), np.int64)
    outside[gone + 1 + np.arange(len(gone))] = 1
    hidden = track.occluded[at] & (outside == 0)
    columns: list[Column] = [
        *(b'    <box frame="', Whole(track.frames[at] + outside * track.step), b'" keyframe="'),
        *(Whole((keys[at] | (outside == 1)).astype(np.int64)), b'" outside="', Whole(outside), b'" occluded="'),
        *(Whole(hidden.astype(np.int64)), b'" xtl="', Fixed(track.boxes[at, 0]), b'" ytl="', Fixed(track.boxes[at, 1])),
        *(b'" xbr="', Fixed(track.boxes[at, 2]), b'" ybr="', Fixed(track.boxes[at, 3]), b'" z_order="0"'),
        Choice(bodies, track.states[at]),
    ]
    return render(len(at), columns)


def _attributes(attributes: Any) -> str:
    if not attributes:
        return "/>\n"
    lines = [f"      <attribute name={quoted(n)}>{xml_text(v)}</attribute>\n" for n, v in attributes.items()]
    return ">\n" + "".join(lines) + "    </box>\n"


def _head(video: Video, ontology: Ontology) -> str:
    labels = "".join(_label(label) for label in ontology.labels)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n'
        f"      <name>{xml_text(video.name)}</name>\n      <size>{video.frame_count}</size>\n"
        "      <mode>interpolation</mode>\n      <overlap>0</overlap>\n      <flipped>False</flipped>\n"
        f"      <start_frame>0</start_frame>\n      <stop_frame>{max(0, video.frame_count - 1)}</stop_frame>\n"
        f"      <frame_filter>{_filter(video)}</frame_filter>\n      <labels>\n{labels}      </labels>\n"
        f"      <original_size>\n        <width>{video.width}</width>\n        <height>{video.height}</height>\n"
        "      </original_size>\n    </task>\n  </meta>\n"
    )


def _filter(video: Video) -> str:
    return f"step={video.step}" if video.step > 1 else ""


def _label(label: Label) -> str:
    color = f"          <color>{label.color}</color>\n" if label.color else ""
    attributes = "".join(_attribute(a) for a in label.attributes)
    return (
        f"        <label>\n          <name>{xml_text(label.name)}</name>\n{color}          <type>rectangle</type>\n"
        f"          <attributes>\n{attributes}          </attributes>\n        </label>\n"
    )


def _attribute(attribute: Attribute) -> str:
    default = "" if attribute.default is None else xml_text(attribute.default)
    values = "\n".join(xml_text(v) for v in attribute.values)
    return (
        f"            <attribute>\n              <name>{xml_text(attribute.name)}</name>\n"
        f"              <mutable>{attribute.mutable}</mutable>\n"
        f"              <input_type>{INPUTS[attribute.kind]}</input_type>\n"
        f"              <default_value>{default}</default_value>\n              <values>{values}</values>\n"
        "            </attribute>\n"
    )
