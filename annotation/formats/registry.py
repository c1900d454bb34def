"""All formats by name: how each is written and read, and what it cannot carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from annotation.core.tracks import Tracks
from annotation.formats.coco import LOSES as COCO_LOSES
from annotation.formats.coco import write_coco
from annotation.formats.content import Content
from annotation.formats.contract import write_json
from annotation.formats.cvat import LOSES as CVAT_LOSES
from annotation.formats.cvat import write_cvat
from annotation.formats.mot import LOSES as MOT_LOSES
from annotation.formats.mot import read_mot, write_mot
from annotation.formats.reading_coco import read_coco
from annotation.formats.reading_contract import read_json
from annotation.formats.reading_cvat import read_cvat


@dataclass(frozen=True, slots=True)
class Format:
    """`write(out, content)` streams, `read(data, target)` gives Tracks; `loses` names what the format cannot say."""

    name: str
    extension: str
    media_type: str
    write: Callable[[BinaryIO, Content], None]
    read: Callable[..., Tracks] | None
    loses: tuple[str, ...]


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("mot", "zip", "application/zip", write_mot, read_mot, MOT_LOSES),
        Format("coco", "zip", "application/zip", write_coco, read_coco, COCO_LOSES),
        Format("cvat", "zip", "application/zip", write_cvat, read_cvat, CVAT_LOSES),
        Format("json", "zip", "application/zip", write_json, read_json, ()),
    )
}
