"""All formats by name: how each is written and read, and what it cannot carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from annotation.core.tracks import Tracks
from annotation.formats import coco, cvat, kitti, mot, parquet, spreadsheet, tfrecord, voc, yolo
from annotation.formats.content import Content
from annotation.formats.contract import write_json
from annotation.formats.reading_coco import read_coco
from annotation.formats.reading_contract import read_json
from annotation.formats.reading_cvat import read_cvat
from annotation.formats.reading_tfrecord import read_tfrecord
from annotation.formats.reading_voc import read_voc
from annotation.formats.reading_yolo import read_yolo


@dataclass(frozen=True, slots=True)
class Format:
    """`write(out, content)` streams, `read(data, target)` gives Tracks; `loses` names what the format cannot say."""

    name: str
    extension: str
    media_type: str
    write: Callable[[BinaryIO, Content], None]
    read: Callable[..., Tracks] | None
    loses: tuple[str, ...]


ZIP = ("zip", "application/zip")

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("mot", *ZIP, mot.write_mot, mot.read_mot, mot.LOSES),
        Format("coco", *ZIP, coco.write_coco, read_coco, coco.LOSES),
        Format("cvat", *ZIP, cvat.write_cvat, read_cvat, cvat.LOSES),
        Format("voc", *ZIP, voc.write_voc, read_voc, voc.LOSES),
        Format("yolo", *ZIP, yolo.write_yolo, read_yolo, yolo.LOSES),
        Format("kitti", *ZIP, kitti.write_kitti, kitti.read_kitti, kitti.LOSES),
        Format("tfrecord", *ZIP, tfrecord.write_tfrecord, read_tfrecord, tfrecord.LOSES),
        Format("csv", *ZIP, spreadsheet.write_csv, spreadsheet.read_csv, spreadsheet.LOSES),
        Format("json", *ZIP, write_json, read_json, ()),
        Format("parquet", *ZIP, parquet.write_parquet, parquet.read_parquet, parquet.LOSES),
    )
}
