"""All formats by name: how each is written and read, and what it cannot carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from annotation.core.tracks import Tracks
from annotation.formats import coco, cvat, kitti, mot, parquet, spreadsheet, tfrecord, voc, yolo
from annotation.formats.content import Content
from annotation.formats.contract import write_json
from annotation.formats.drafts import Draft
from annotation.formats.manifest import manifest_text
from annotation.formats.parting import PicturePath, add_media, frame_picture
from annotation.formats.reading_coco import read_coco
from annotation.formats.reading_contract import read_json
from annotation.formats.reading_cvat import read_cvat
from annotation.formats.reading_cvat_json import read_cvat_json
from annotation.formats.reading_detrac import read_detrac
from annotation.formats.reading_tfrecord import read_tfrecord
from annotation.formats.reading_vatic import read_vatic
from annotation.formats.reading_voc import read_voc
from annotation.formats.reading_yolo import read_yolo
from annotation.formats.zipping import ZipWriter, untold


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is written and read. `compose(archive, content)` writes its own members, `read(data, target)` gives
    Tracks; `loses` names what the format cannot say; `picture_path` is where frames' pictures go in its layout (None:
    `compose` embeds them), below a folder for each of several videos if `apart`, and `picture` their usual kind.
    """

    name: str
    extension: str
    media_type: str
    compose: Callable[[ZipWriter, Content], None]
    read: Callable[..., Tracks] | None
    loses: tuple[str, ...]
    picture_path: PicturePath | None = frame_picture
    picture: str = "jpg"
    passes: tuple[str, ...] = ("rows",)
    apart: bool = False

    def phases(self, content: Content) -> list[str]:
        """What `write` goes through, in order: it tells of these."""
        videos = list(enumerate(content.videos))
        media = [
            f"{i}:{name}"
            for i, video in videos
            for name, there in (("pictures", video.pictures and self.picture_path), ("clips", video.clips))
            if there
        ]
        return [f"{i}:{name}" for i, _ in videos for name in self.passes] + media

    def write(
        self,
        out: BinaryIO,
        content: Content,
        *,
        draft: Draft | None = None,
        told: Callable[[str, float], None] | None = None,
    ) -> None:
        """The whole file: the format's members, media alongside, `manifest.json`.

        With a `draft` the file goes on where that stands; `told` hears of each part (see `ZipWriter`).
        """
        with ZipWriter(out, draft, told or untold) as archive:
            # Labels of intervals are no classes of boxes: where there are no intervals, they are not there either.
            boxes = "intervals" in self.loses
            self.compose(archive, replace(content, ontology=content.ontology.drawn) if boxes else content)
            add_media(archive, content, self.picture_path, apart=self.apart)
            with archive.open("manifest.json") as member:
                for text in manifest_text(content.manifest):
                    member.write(text)
            archive.close()


ZIP = ("zip", "application/zip")
BY_TRACK = ("aside", "tracks")

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("mot", *ZIP, mot.write_mot, mot.read_mot, mot.LOSES, mot.mot_picture),
        Format("coco", *ZIP, coco.write_coco, read_coco, coco.LOSES, coco.coco_picture),
        Format("cvat", *ZIP, cvat.write_cvat, read_cvat, cvat.LOSES, cvat.cvat_picture, passes=BY_TRACK, apart=True),
        Format("voc", *ZIP, voc.write_voc, read_voc, voc.LOSES, voc.voc_picture),
        Format("yolo", *ZIP, yolo.write_yolo, read_yolo, yolo.LOSES, yolo.yolo_picture),
        Format("kitti", *ZIP, kitti.write_kitti, kitti.read_kitti, kitti.LOSES, kitti.kitti_picture, "png"),
        Format("tfrecord", *ZIP, tfrecord.write_tfrecord, read_tfrecord, tfrecord.LOSES, None),
        Format("csv", *ZIP, spreadsheet.write_csv, spreadsheet.read_csv, spreadsheet.LOSES),
        Format("json", *ZIP, write_json, read_json, (), passes=BY_TRACK),
        Format("parquet", *ZIP, parquet.write_parquet, parquet.read_parquet, parquet.LOSES),
    )
}

# What is read: all that is written, and what others write.
READERS: dict[str, Callable[..., Tracks]] = {
    **{name: form.read for name, form in FORMATS.items() if form.read is not None},
    "cvat-json": read_cvat_json,
    "detrac": read_detrac,
    "vatic": read_vatic,
}
