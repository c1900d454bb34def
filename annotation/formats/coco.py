"""COCO instances JSON (cocodataset.org/#format-data): a box for each frame on which a track is present.

Beyond COCO's own keys an annotation carries `track_id`, and an image `video_id` and `frame_id` (0-based), as other
video data sets in this form do; `attributes` hold `occluded` and the attributes in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from annotation.formats.columns import Choice, Column, Fixed, Whole, render
from annotation.formats.content import Content, Rows, Video, VideoTracks, folder_names
from annotation.formats.parting import rows_in_parts
from annotation.formats.texts import json_bytes, shares
from annotation.formats.zipping import ZipWriter

LOSES = ("intervals", "which attributes may change", "coordinates beyond six decimal places")
PATH = "annotations/instances_default.json"
IMAGES = 10_000


def write_coco(archive: ZipWriter, content: Content) -> None:
    """A zip with `annotations/instances_default.json`, an empty `images/` (readers look for it)."""
    archive.add("images/", b"")
    with archive.open(PATH) as member:
        for text in coco_json(archive, content):
            member.write(text)


def coco_picture(index: int, folder: str, video: Video, frame: int) -> str:
    """An image's `file_name`, under `images/`."""
    return f"images/{folder}/frame_{frame:06}.{video.picture}"


def coco_json(archive: ZipWriter, content: Content) -> Iterator[bytes]:
    """The JSON, bit by bit."""
    folders = folder_names(v.video for v in content.videos)
    categories = [{"id": i, "name": name, "supercategory": ""} for i, name in enumerate(content.ontology.names, 1)]
    videos = [{"id": i, "name": v.video.name, "fps": v.video.fps} for i, v in enumerate(content.videos, 1)]
    yield b'{"info":{"description":"trackweave"},"licenses":[],"categories":' + json_bytes(categories)
    yield b',"videos":' + json_bytes(videos) + b',"images":['
    first_image, offsets = 1, []
    for i, (folder, video) in enumerate(zip(folders, content.videos, strict=True), 1):
        offsets.append(first_image)
        yield from _images(folder, video, i, first_image)
        first_image += video.video.frame_count
    yield b'],"annotations":['
    for i, (offset, video) in enumerate(zip(offsets, content.videos, strict=True)):
        for rows in rows_in_parts(archive, f"{i}:rows", video):
            text = _annotations(rows, offset, archive.passed)
            yield text if archive.passed else text[1:]  # every row begins with a comma
    yield b"]}"


def _images(folder: str, video: VideoTracks, video_id: int, first: int) -> Iterator[bytes]:
    facts = video.video
    size = f',"width":{facts.width},"height":{facts.height},"video_id":{video_id},"frame_id":'.encode()
    name = b',"file_name":' + json_bytes(folder)[:-1] + b"/frame_"
    for start in range(0, facts.frame_count, IMAGES):
        frames = np.array(facts.frames(start, min(start + IMAGES, facts.frame_count)), np.int64)
        columns: list[Column] = [
            b',{"id":',
            Whole(frames + first),
            name,
            Whole(frames, 6),
            f'.{facts.picture}"'.encode(),
            size,
            Whole(frames),
            b"}",
        ]
        text = render(len(frames), columns)
        yield text[1:] if first == 1 and not start else text


def _annotations(rows: Rows, first_image: int, done: int) -> bytes:
    x1, y1, x2, y2 = np.round(rows.boxes, 6).T
    wide, high, comma = x2 - x1, y2 - y1, b","
    attributes = [json_bytes(_attributes(a, occluded)) for a in rows.attributes for occluded in (False, True)]
    columns: list[Column] = [
        *(
            b',{"id":',
            Whole(np.arange(done + 1, done + 1 + len(rows))),
            b',"image_id":',
            Whole(rows.frames + first_image),
        ),
        *(b',"category_id":', Whole(rows.labels + 1), b',"track_id":', Whole(rows.numbers), b',"bbox":['),
        *(_short(x1), comma, _short(y1), comma, _short(wide), comma, _short(high), b'],"area":', _short(wide * high)),
        *(b',"iscrowd":0,"segmentation":[]', shares(rows.confidence, b',"confidence":'), b',"attributes":'),
        *(Choice(attributes, rows.states * 2 + rows.occluded), b"}"),
    ]
    return render(len(rows), columns)


def _attributes(attributes: Any, occluded: bool) -> dict[str, Any]:
    return {**attributes, "occluded": occluded}


def _short(values: Any) -> Fixed:
    return Fixed(values, 6, 1)
