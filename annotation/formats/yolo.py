"""Ultralytics YOLO: a text for each frame, `class cx cy w h` in shares of the picture.

The layout is that of docs.ultralytics.com/datasets/detect. Ultralytics refuses coordinates outside 0 to 1, so boxes
are cut at the picture's edges; what of a box has no area inside the picture is left out. A frame without boxes has an
empty file: looked at, and nothing there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from annotation.formats.columns import Fixed, Whole, render_rows
from annotation.formats.content import Content, Rows, Video, folder_names
from annotation.formats.parting import rows_in_parts
from annotation.formats.per_frame import by_frame, frame_stem
from annotation.formats.texts import quoted_text
from annotation.formats.zipping import ZipWriter

LOSES = ("tracks' identities", "occlusion", "attributes", "intervals", "confidence", "what lies outside the picture")
PLACES = 9  # of a share: a millionth of a pixel in a picture of 1000


def write_yolo(archive: ZipWriter, content: Content) -> None:
    """A zip with `data.yaml`, `labels/train/` and an empty `images/train/`."""
    names = "".join(f"  {i}: {quoted_text(n)}\n" for i, n in enumerate(content.ontology.names))
    archive.add("data.yaml", f"path: .\ntrain: images/train\nval: images/train\nnames:\n{names}".encode())
    archive.add("images/train/", b"")
    folders = folder_names(v.video for v in content.videos)
    for i, (name, video) in enumerate(zip(folders, content.videos, strict=True)):
        for rows in rows_in_parts(archive, f"{i}:rows", video):
            inside = _inside(rows, video.video)
            for frame, text in by_frame(inside, *_lines(inside, video.video), video.video):
                archive.add(f"labels/train/{frame_stem(name, frame)}.txt", text)


def yolo_picture(index: int, folder: str, video: Video, frame: int) -> str:
    return f"images/train/{frame_stem(folder, frame)}.{video.picture}"


def _inside(rows: Rows, video: Video) -> Rows:
    limit = np.array([video.width, video.height] * 2, float)
    boxes = np.clip(rows.boxes, 0.0, limit)
    kept = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
    cut = replace(rows, boxes=boxes)
    return cut if kept.all() else cut.only(kept)


def _lines(rows: Rows, video: Video) -> tuple[bytes, Any]:
    x1, y1, x2, y2 = rows.boxes.T
    shares = (
        (x1 + x2) / 2 / video.width,
        (y1 + y2) / 2 / video.height,
        (x2 - x1) / video.width,
        (y2 - y1) / video.height,
    )
    columns: list[Any] = [Whole(rows.labels)]
    for share in shares:
        columns += [b" ", Fixed(share, PLACES, 6)]
    return render_rows(len(rows), [*columns, b"\n"])
