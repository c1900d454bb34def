"""Exports that went through other hands: zipped anew on another system, with other line ends, one folder deeper."""

from __future__ import annotations

import codecs
import io
import zipfile

import pytest

from annotation.core.packing import digest
from annotation.core.tracks import Tracks
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.choosing import Wanted
from annotation.formats.content import Content, Video
from annotation.formats.reading import read_as
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, content, scene, written

TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)
OTHER = "another name"
TEXTS = (".txt", ".csv", ".xml", ".json", ".ini", ".yaml", ".pbtxt")


def beside(name: str) -> str:
    folders, _, file = name.rpartition("/")
    return "/".join(["__MACOSX", *filter(None, [folders]), "._" + file])


HANDS = {
    "macos": lambda name, data: [(name, data), (beside(name), b"\0\5\x16\7")] if data else [(name, data)],
    "resource forks alone": lambda name, data: [(name, data), (beside(name).removeprefix("__MACOSX/"), b"\0\5\x16\7")],
    "backslashes": lambda name, data: [(name.replace("/", "\\"), data)],
    "a folder deeper": lambda name, data: [("export/" + name, data)],
    "leading out": lambda name, data: [("../../" + name, data)],
    "absolute": lambda name, data: [("/" + name, data)],
    "line ends": lambda name, data: [(name, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))],
    "byte order marks": lambda name, data: [(name, codecs.BOM_UTF8 + data)],
}


def handed_on(data: bytes, how: str) -> bytes:
    out, given = io.BytesIO(), zipfile.ZipFile(io.BytesIO(data))
    only_texts = how in ("line ends", "byte order marks")
    with zipfile.ZipFile(out, "w") as made:
        for name in given.namelist():
            as_is = only_texts and not name.endswith(TEXTS)
            for as_named, body in [(name, given.read(name))] if as_is else HANDS[how](name, given.read(name)):
                made.writestr(as_named, body)
    return out.getvalue()


@pytest.mark.parametrize("name", [VIDEO.name, OTHER])
@pytest.mark.parametrize("how", sorted(HANDS))
@pytest.mark.parametrize("format", sorted(FORMATS))
def test_a_zip_that_went_through_other_hands_says_the_same(format: str, how: str, name: str) -> None:
    data = written(FORMATS[format].write, content(scene()))  # its manifest knows no videos
    if format == "coco" and name == OTHER:
        name = VIDEO.name  # the document says whose it is
    again = read_as(format, handed_on(data, how), Wanted(name), TARGET)
    assert digest(again) == digest(read_as(format, data, Wanted(VIDEO.name), TARGET)) and again.tracks


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_of_two_videos_none_is_read_for_a_third_nor_both(format: str) -> None:
    named = zip(("a", "b"), scene().tracks, strict=True)
    videos = [content(Tracks(0, 40, (t,)), Video(name, 40, 640, 480)).videos[0] for name, t in named]
    data = written(FORMATS[format].write, Content(LABELS, videos))
    with pytest.raises(InvalidFile):
        read_as(format, data, Wanted("c"), TARGET)
