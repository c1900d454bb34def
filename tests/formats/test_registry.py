"""What holds for every format alike."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Tracks, fill, make_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.content import Content, Video, folder_names
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, assert_same, content, scene, scenes, written

TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)
NAMES = {"mot", "coco", "cvat", "voc", "yolo", "kitti", "tfrecord", "csv", "json", "parquet"}
every = pytest.mark.parametrize("name", sorted(NAMES))
with_tracks = pytest.mark.parametrize("name", sorted(NAMES - {"yolo"}))
BYTEWISE = {"json": 0.0, "parquet": 0.0, "tfrecord": 640 * 2.0**-22}


def test_all_formats_of_the_contract_are_there():
    assert set(FORMATS) == NAMES


@every
def test_every_export_carries_its_manifest(name):
    archive = zipfile.ZipFile(io.BytesIO(written(FORMATS[name].write, content(scene()))))
    assert archive.testzip() is None
    assert json.loads(archive.read("manifest.json")) == {"project": "p", "release": 1}
    assert FORMATS[name].extension == "zip"


@every
def test_the_same_content_makes_the_same_bytes(name):
    assert written(FORMATS[name].write, content(scene())) == written(FORMATS[name].write, content(scene()))


@pytest.mark.parametrize("name", sorted(NAMES - {"parquet"}))  # whose row groups follow the parts
def test_how_the_content_is_cut_does_not_show(name):
    coarse, fine = content(scene(), part_frames=40), content(scene(), part_frames=3)
    a, b = (zipfile.ZipFile(io.BytesIO(written(FORMATS[name].write, c))) for c in (coarse, fine))
    assert a.namelist() == b.namelist()
    assert all(a.read(n) == b.read(n) for n in a.namelist())


@with_tracks
@settings(max_examples=25)
@given(tracks=scenes())
def test_boxes_ids_and_labels_come_back(name, tracks):
    raw = written(FORMATS[name].write, content(tracks))
    read = FORMATS[name].read(raw, TARGET)
    assert_same(tracks, read, atol=BYTEWISE.get(name, 5.1e-7))


@every
def test_what_is_said_to_be_lost_is_all_that_is_lost(name):
    tracks = FORMATS[name].read(written(FORMATS[name].write, content(scene())), TARGET)
    loses = " ".join(FORMATS[name].loses)
    one = next((t for t in tracks.tracks if t.id == "3"), None)
    if name != "yolo":
        assert ("attributes" in FORMATS[name].loses) or one.attributes == {"sex": "f", "note": '=1+1 <"&>'}
    assert ("intervals" in loses) == (tracks.intervals == ())


@every
def test_a_video_without_tracks_is_written_and_read(name):
    read = FORMATS[name].read(written(FORMATS[name].write, content(Tracks(0, 40))), TARGET)
    assert (read.start, read.stop, read.tracks) == (0, 40, ())


@every
def test_of_two_videos_each_is_read_by_its_name(name):
    video = Video("other clip", 40, 640, 480)
    part = scene().tracks[1]
    both = (*content(scene()).videos, *content(Tracks(0, 40, (part,)), video).videos)
    raw = written(FORMATS[name].write, Content(LABELS, both))
    read = FORMATS[name].read(raw, TARGET, video="other clip")
    dense = fill(read.tracks, 0, 40)
    assert dense.present.sum() == 40
    assert set(dense.labels) == {"car"}


@with_tracks
def test_tracks_whose_ids_are_huge_stay_apart(name):
    """Two numbers beyond 2^53 are one to whoever reads them as floats."""
    tracks = [make_track(str(10**17 + i), "car", [0], [[9 * i, 0, 9 * i + 8, 9]]) for i in (1, 2)]
    raw = written(FORMATS[name].write, content(Tracks(0, 40, tuple(tracks))))
    found = FORMATS[name].read(raw, TARGET).tracks
    assert [(t.id, t.points[0, 0].round(3)) for t in found] == [("1", 9), ("2", 18)]


@every
def test_pictures_of_several_videos_lie_apart(name):
    parts = [content(scene(), Video(n, 40, 640, 480)).videos[0] for n in ("a", "b")]
    parts = [replace(p, pictures=lambda frame, of=p.video.name: f"{of}{frame}".encode()) for p in parts]
    archive = zipfile.ZipFile(io.BytesIO(written(FORMATS[name].write, Content(LABELS, parts))))
    assert len(set(archive.namelist())) == len(archive.namelist())
    shown = {archive.read(n) for n in archive.namelist() if n.endswith((".jpg", ".png"))}
    assert len(shown) == (0 if name == "tfrecord" else 80)


@every
@pytest.mark.parametrize("named", ["gate: 2?.mp4", "a  b", "v" * 150, " .x. "])
def test_a_video_is_found_in_its_export_under_the_name_of_its_folder(name, named):
    """Imports know a video by that: names hold what file systems mind, and more than they take."""
    videos = [content(t, Video(n, 40, 640, 480)).videos[0] for n, t in ((named, scene()), ("other", Tracks(0, 40)))]
    raw = written(FORMATS[name].write, Content(LABELS, videos))
    (folder,) = folder_names([videos[0].video])
    assert FORMATS[name].read(raw, TARGET, video=folder).tracks


@every
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files_are_read_or_refused_and_nothing_else_happens(name, data):
    raw = written(FORMATS[name].write, content(scene(), part_frames=40))
    archive = zipfile.ZipFile(io.BytesIO(raw))
    members = {n: archive.read(n) for n in archive.namelist() if n != "manifest.json"}
    victim = data.draw(st.sampled_from(sorted(n for n in members if members[n])))
    at = data.draw(st.integers(0, len(members[victim])))
    junk = data.draw(st.binary(max_size=4) | st.sampled_from([b"-", b"9", b"nan", b",", b" ", b"\n", b"1e999", b'"']))
    members[victim] = members[victim][:at] + junk + members[victim][at + data.draw(st.integers(0, 6)) :]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as damaged:
        for n, body in members.items():
            damaged.writestr(n, body)
    try:
        assert isinstance(FORMATS[name].read(out.getvalue(), TARGET), Tracks)
    except InvalidFile as refused:
        "".join(p.message for p in refused.errors).encode()


@every
@given(raw=st.binary(max_size=50) | st.binary(max_size=30).map(lambda b: b"PK\x03\x04" + b))
def test_any_bytes_are_read_or_refused(name, raw):
    try:
        assert isinstance(FORMATS[name].read(raw, TARGET), Tracks)
    except InvalidFile as refused:
        assert refused.errors


def test_a_zip_bomb_is_refused_before_it_unpacks(monkeypatch):
    from annotation.formats import archives

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("v/gt/gt.txt", bytes(50_000_000))
    monkeypatch.setattr(archives.Archive.__init__, "__defaults__", (10_000_000,))
    with pytest.raises(InvalidFile, match="unpacks to more"):
        FORMATS["mot"].read(out.getvalue(), TARGET)


def test_yolo_boxes_are_those_inside_the_picture():
    read = FORMATS["yolo"].read(written(FORMATS["yolo"].write, content(scene())), TARGET)
    dense = fill(scene().tracks, 0, 40)
    expected = np.clip(dense.boxes[dense.present], 0, [640, 480, 640, 480])
    found = np.concatenate([t.points[~t.outside] for t in read.tracks])
    np.testing.assert_allclose(sorted(found.tolist()), sorted(expected.tolist()), atol=1e-6)
