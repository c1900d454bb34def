"""YOLO: whose labels a zip holds, and what its classes are called."""

from __future__ import annotations

import io
import zipfile

import pytest

from annotation.core.ontology import plain_ontology
from annotation.core.tracks import Tracks, make_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.content import Content, Video
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, content, written

TARGET = Target(40, 640, 480, plain_ontology(["person", "car"]))
FIRST = "0 0.5 0.5 0.1 0.1\n"
read = FORMATS["yolo"].read


def zipped(names: str | None, **files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        if names is not None:
            made.writestr("data.yaml", names)
        for stem, text in (files or {"a_000001": FIRST}).items():
            made.writestr(f"labels/{stem}.txt", text)
    return out.getvalue()


def labels_of(tracks: Tracks) -> list[str]:
    return [t.label for t in tracks.tracks]


@pytest.mark.parametrize(
    "names",
    [
        "names: {0: car, 1: person}\n",
        "nc: 2\nnames: # two\n  0: car  # with wheels\n\n  1: person\n",
        "names:\n  1: person\n  0: car\npath: .\n",
        "names: ['car',\n  \"person\", ]\n",
        "names:\r\n  0: car\r\n  1: person\r\n",
        "names:\n- car\n- 'person'\nnc: 2\n",
    ],
)
def test_classes_are_called_what_the_data_file_says_however_it_is_written(names):
    assert labels_of(read(zipped(names), TARGET)) == ["car"]


@pytest.mark.parametrize(
    "names", ["names: *those\n", "names: [[car], person]\n", "names:\n  1: car\n  2: person\n", "names: {a: 0}\n"]
)
def test_names_that_cannot_be_read_are_refused_and_not_taken_to_be_the_project_s(names):
    with pytest.raises(InvalidFile, match="names must be|cannot be read"):
        read(zipped(names), TARGET)


def test_without_a_data_file_classes_are_the_project_s():
    assert labels_of(read(zipped(None), TARGET)) == ["person"]


@pytest.mark.parametrize("names", ["names:" + " " * 100_000 + "x\n", "names: [" + "a, " * 100_000])
def test_a_data_file_of_more_than_thousands_of_classes_is_refused_unread(names):
    with pytest.raises(InvalidFile, match="longer than 100000 characters"):
        read(zipped(names), TARGET)


def test_a_video_whose_name_begins_another_one_s_gets_its_own_boxes_alone():
    car = Tracks(0, 40, (make_track("1", "car", [3], [[0, 0, 50, 50]]),))
    parts = [content(t, Video(n, 40, 640, 480)).videos[0] for n, t in (("walk", Tracks(0, 40)), ("walk_2", car))]
    raw = written(FORMATS["yolo"].write, Content(LABELS, parts))
    target = Target(40, 640, 480, LABELS)
    assert labels_of(read(raw, target, video="walk")) == []
    assert labels_of(read(raw, target, video="walk_2")) == ["car"] * 37


def test_files_of_one_video_are_its_labels_whatever_they_are_called():
    assert labels_of(read(zipped(None, img_000001=FIRST), TARGET, video="walk.mp4")) == ["person"]


def test_files_of_several_other_videos_or_none_are_refused_and_not_read_as_no_boxes():
    with pytest.raises(InvalidFile, match="of several videos"):
        read(zipped(None, a_000001=FIRST, b_000001=FIRST), TARGET, video="walk.mp4")
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(InvalidFile, match="no text"):
        read(empty.getvalue(), TARGET, video="walk.mp4")
