"""Exports with frames' pictures or segments' clips alongside."""

from __future__ import annotations

import json
import zipfile
from contextlib import nullcontext
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from annotation.media.barcodes import read_barcode
from annotation.media.errors import FrameUndecodable, LimitReached
from annotation.models import Clip
from review import exporting
from review.core.selection import Selection
from tests.review.test_exports import archive_of, made, released
from tests.review.test_results import download, labelled

pytestmark = [pytest.mark.django_db, pytest.mark.once]


LAYOUT = {
    "mot": "street.mp4/img1/000004.jpg",
    "coco": "images/street.mp4/frame_000003.jpg",
    "cvat": "images/frame_000003.jpg",
    "voc": "JPEGImages/street.mp4_000003.jpg",
    "yolo": "images/train/street.mp4_000003.jpg",
    "kitti": "image_02/0000/000003.png",
    "csv": "street.mp4/frames/000003.jpg",
}


def test_frames_lie_where_each_format_expects_them() -> None:
    batch = labelled(frames=20)
    for format, path in LAYOUT.items():
        _, data = download(batch, format, media="frames", frame_step=3)
        archive = archive_of(data)
        assert len([n for n in archive.namelist() if n.endswith((".jpg", ".png"))]) == 7
        shown = np.asarray(Image.open(BytesIO(archive.read(path))).convert("RGB"))
        assert read_barcode(shown) == 3
        assert archive.getinfo(path).compress_type == zipfile.ZIP_STORED


def test_tfrecords_hold_the_pictures_themselves() -> None:
    _, data = download(labelled(frames=20), "tfrecord", media="frames", pictures="png", frame_step=7)
    records = archive_of(data).read("street.mp4.tfrecord")
    assert records.count(b"image/encoded") == records.count(b"\x89PNG") == 3


def test_clips_come_alongside() -> None:
    batch = labelled(frames=38)
    Clip.objects.all().delete()  # they had no files; those of imported tracks are made when they are asked for
    _, data = download(batch, media="clips")
    archive = archive_of(data)
    (video,) = json.loads(archive.read("manifest.json"))["videos"]
    assert len(video["clips"]) == 2 and video["clips"][0]["start"] == 0 and video["clips"][-1]["stop"] == 38
    for clip in video["clips"]:
        assert archive.read(clip["file"])[4:8] == b"ftyp"


def test_a_picture_that_takes_too_long_ends_the_attempt_and_is_not_left_out(monkeypatch: Any) -> None:
    slow = {5}

    class Pool:
        def picture(self, path: Any, frame_map: Any, n: int, *, format: str) -> bytes:
            if n == 3:
                raise FrameUndecodable("damaged")
            if n in slow:
                slow.discard(n)
                raise LimitReached("It took too long.", "time")
            return b"picture %d" % n

    monkeypatch.setattr("annotation.picturing.pool", Pool)
    monkeypatch.setattr("review.composing.local_path", nullcontext)
    monkeypatch.setattr("review.composing.read_frame_map", lambda video: SimpleNamespace(undecodable=(3,)))
    release = released(segments=1)
    selection = Selection(media="frames", frame_step=1)
    row = exporting.export(release=release, format="mot", video=None, by=None, selection=selection)
    with pytest.raises(LimitReached):
        exporting.write_export(export_id=row.pk)
    archive = made(release, media="frames", frame_step=1)
    assert [n[-10:] for n in archive.namelist() if n.endswith(".jpg")] == [
        f"{n + 1:06}.jpg" for n in range(30) if n != 3
    ]
    (video,) = json.loads(archive.read("manifest.json"))["videos"]
    assert video["frames_without_picture"] == [3]
