"""Pascal VOC: an XML for each frame, in the layout of VOC's development kit.

Coordinates stay the video's float pixels from 0 (VOC itself counts pixels from 1). The track's id and the attributes
in force go into `attributes`, as CVAT and datumaro write them; what lies partly outside the picture is `truncated`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from annotation.formats.columns import Choice, Column, Fixed, Whole, render_rows
from annotation.formats.content import Content, Rows, Video, VideoTracks, folder_names
from annotation.formats.parting import rows_in_parts
from annotation.formats.per_frame import by_frame, frame_stem
from annotation.formats.xml_output import xml_text
from annotation.formats.zipping import ZipWriter

LOSES = ("intervals", "confidence", "which attributes may change", "coordinates beyond six decimal places")

BEFORE_TRACK = b"      <attribute>\n        <name>track_id</name>\n        <value>"


def write_voc(archive: ZipWriter, content: Content) -> None:
    """A zip with `Annotations/`, `ImageSets/Main/<video name, - for _>.txt`, `labelmap.txt` and `manifest.json`."""
    archive.add("JPEGImages/", b"")
    labels = [xml_text(n).encode() for n in content.ontology.names]
    folders = folder_names(v.video for v in content.videos)
    # In VOC a list with an underscore in its name is of one class (`car_train.txt`), which readers pass over.
    lists = folder_names(
        replace(v.video, name=n.replace("_", "-")) for v, n in zip(content.videos, folders, strict=True)
    )
    for i, (name, video) in enumerate(zip(folders, content.videos, strict=True)):
        _write_frames(archive, i, name, video, labels)
        with archive.open(f"ImageSets/Main/{lists[i]}.txt") as member:
            for frame in video.video.frames(0, video.video.frame_count):
                member.write(frame_stem(name, frame).encode() + b"\n")
    archive.add("labelmap.txt", "".join(f"{n}:::\n" for n in content.ontology.names).encode())


def _write_frames(archive: ZipWriter, index: int, name: str, video: VideoTracks, labels: list[bytes]) -> None:
    facts = video.video
    head, tail = f"<annotation>\n  <folder>{xml_text(name)}</folder>\n  <filename>", _tail(facts)
    for rows in rows_in_parts(archive, f"{index}:rows", video):
        for frame, objects in by_frame(rows, *_objects(rows, facts, labels), facts):
            stem = frame_stem(name, frame)
            text = (f"{head}{xml_text(stem)}.{facts.picture}{tail}").encode() + objects + b"</annotation>\n"
            archive.add(f"Annotations/{stem}.xml", text)


def voc_picture(index: int, folder: str, video: Video, frame: int) -> str:
    return f"JPEGImages/{frame_stem(folder, frame)}.{video.picture}"


def _tail(video: Video) -> str:
    size = f"<width>{video.width}</width>\n    <height>{video.height}</height>\n    <depth>3</depth>"
    return (
        "</filename>\n  <source>\n    <database>trackweave</database>\n  </source>\n"
        f"  <size>\n    {size}\n  </size>\n  <segmented>0</segmented>\n"
    )


def _objects(rows: Rows, video: Video, labels: list[bytes]) -> tuple[bytes, Any]:
    x1, y1, x2, y2 = rows.boxes.T
    beyond = (x1 < 0) | (y1 < 0) | (x2 > video.width) | (y2 > video.height)
    attributes = [_attributes(a) for a in rows.attributes]
    columns: list[Column] = [
        *(
            b"  <object>\n    <name>",
            Choice(labels, rows.labels),
            b"</name>\n    <pose>Unspecified</pose>\n    <truncated>",
        ),
        *(Whole(beyond.astype(np.int64)), b"</truncated>\n    <difficult>0</difficult>\n    <occluded>"),
        *(Whole(rows.occluded.astype(np.int64)), b"</occluded>\n    <bndbox>\n      <xmin>", Fixed(x1)),
        *(
            b"</xmin>\n      <ymin>",
            Fixed(y1),
            b"</ymin>\n      <xmax>",
            Fixed(x2),
            b"</xmax>\n      <ymax>",
            Fixed(y2),
        ),
        *(
            b"</ymax>\n    </bndbox>\n    <attributes>\n" + BEFORE_TRACK,
            Whole(rows.numbers),
            b"</value>\n      </attribute>\n",
        ),
        *(Choice(attributes, rows.states), b"    </attributes>\n  </object>\n"),
    ]
    return render_rows(len(rows), columns)


def _attributes(attributes: Mapping[str, Any]) -> bytes:
    return "".join(
        f"      <attribute>\n        <name>{xml_text(n)}</name>\n        <value>{xml_text(v)}</value>\n"
        "      </attribute>\n"
        for n, v in attributes.items()
    ).encode()
