"""Files of other tools that are only read: vatic, UA-DETRAC, CVAT's API."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.ontology import parse_labels, plain_ontology
from annotation.core.tracks import Tracks, fill, fill_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.registry import READERS
from tests.formats.scenes import SHARED, needs_shared

FOLDER = SHARED / "import"
STRANGERS = ("vatic", "detrac", "cvat-json")
TARGET = Target(40, 1920, 1080, plain_ontology(["car", "person"]))


def box(x: float, y: float, **more):
    shape = {"type": "rectangle", "frame": 3, "points": [x, y, x + 10, y + 20], "attributes": []}
    return shape | more


@needs_shared
def test_vatic_s_dump_is_read_line_by_line():
    tracks = READERS["vatic"]((FOLDER / "vatic.txt").read_bytes())
    found = {t.id: t for t in tracks.tracks}
    assert {(i, t.label) for i, t in found.items()} == {
        ("0-worker", "worker"),
        ("0-pc", "pc"),
        ("1", "pc"),
        ("2", "worker"),
    }
    assert found["0-pc"].frames[0] == 1 and found["0-pc"].points[0].tolist() == [412, 10, 842, 124]
    assert found["0-pc"].outside.tolist() == [False, True]
    assert found["2"].attributes == {"attr1": True, "attr2": True, "attr4": True}


def test_vatic_s_marks_are_truths_and_the_lost_are_away():
    labels = parse_labels([{"name": "car", "attributes": [{"name": "lit", "kind": "boolean", "mutable": True}]}])
    dump = b'7 1 2 30 40 0 0 1 0 "car" "lit"\n7 1 2 30 40 1 0 0 1 "car"\n7 1 2 30 40 2 1 0 1 "car"\n'
    (track,) = READERS["vatic"](dump, Target(5, 100, 100, labels)).tracks
    _, present, occluded = fill_track(track, 0, 5)
    assert present.tolist() == [True, True, False, False, False] and occluded.tolist()[:2] == [True, False]
    assert track.changes == {0: {"lit": True}, 1: {"lit": False}}


@needs_shared
def test_detrac_s_two_forms_say_the_same():
    xml = READERS["detrac"]((FOLDER / "detrac.xml").read_bytes(), TARGET)
    mat = READERS["detrac"]((FOLDER / "detrac.mat").read_bytes(), TARGET)
    a, b = fill(xml.tracks, 0, 40), fill(mat.tracks, 0, 40)
    assert a.ids == b.ids == ("1",) and a.labels == b.labels == ("car",)
    np.testing.assert_array_equal(a.present, b.present)
    assert a.present[0].nonzero()[0].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(a.boxes[a.present], b.boxes[b.present], atol=1.0)  # MAT holds rounded numbers
    np.testing.assert_allclose(a.boxes[0, 0], [745.6, 357.33, 893.8, 472.47])


def test_a_mat_file_that_unpacks_to_anything_is_refused(monkeypatch):
    import zlib

    monkeypatch.setattr("annotation.formats.reading_detrac.MAX_BYTES", 1000)
    body = zlib.compress(bytes(10_000))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    with pytest.raises(InvalidFile, match="unpacks to more"):
        READERS["detrac"](head + (15).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body)


def a_mat_file(**more) -> bytes:
    from scipy.io import savemat

    tables = {name: np.array([[v, 0], [v, v + 1]], float) for name, v in (("X", 50), ("Y", 60), ("W", 8), ("H", 9))}
    out = io.BytesIO()
    savemat(out, {"other": "x", "gtInfo": {"note": "text", **tables, "frameNums": np.uint8([[1, 2]])}}, **more)
    return out.getvalue()


@pytest.mark.parametrize("more", [{}, {"do_compression": True}])
def test_a_mat_file_s_tables_are_boxes_by_frame_and_object(more):
    one, two = READERS["detrac"](a_mat_file(**more), TARGET).tracks
    assert (one.id, one.frames.tolist(), one.points[0].tolist()) == ("1", [0, 1, 2], [46, 51, 54, 60])
    assert (two.id, two.frames.tolist(), two.points[0].tolist()) == ("2", [1, 2], [46.5, 51, 55.5, 61])


def test_a_mat_file_with_wrong_bytes_anywhere_is_read_or_refused():
    """scipy's parser ends the process for some of these."""
    whole = a_mat_file()
    for at in range(128, len(whole)):
        for wrong in (0x00, 0x01, 0x05, 0x0E, 0x7F, 0x80, 0xFF):
            try:
                READERS["detrac"](whole[:at] + bytes([wrong]) + whole[at + 1 :], TARGET)
            except InvalidFile as refused:
                assert refused.errors


@needs_shared
def test_cvat_s_api_is_read_with_its_labels():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as both:
        for name in ("annotations.json", "labels.json"):
            both.write(FOLDER / name, name)
    tracks = READERS["cvat-json"](out.getvalue(), video="51")
    assert len(tracks.tracks) == 2
    one = next(t for t in tracks.tracks if t.id == "track-19")
    assert one.frames.tolist() == [0, 1, 2] and one.outside.tolist() == [False, True, False]
    assert one.points[0].tolist() == [100.5, 0.0, 201.0, 99.0]
    shape = next(t for t in tracks.tracks if t.id == "shape-270")
    assert fill_track(shape, 0, 3)[1].tolist() == [True, False, False]
    with pytest.raises(InvalidFile, match="is no box"):
        READERS["cvat-json"](out.getvalue(), video="2")
    with pytest.raises(InvalidFile, match="labels"):
        READERS["cvat-json"]((FOLDER / "annotations.json").read_bytes(), video="51")


def test_a_track_of_cvat_s_json_that_is_nowhere_to_be_seen_is_refused():
    track = {"id": 4, "label_id": 1, "attributes": [], "shapes": [box(1, 1, outside=True)]}
    document = {"tracks": [track], "labels": [{"id": 1, "name": "car", "attributes": []}]}
    with pytest.raises(InvalidFile, match="track 0: .*outside on all its keyframes"):
        READERS["cvat-json"](json.dumps(document).encode(), TARGET)


def test_what_is_wrong_in_cvat_s_json_is_named_by_its_place():
    labels = [{"id": 1, "name": "car", "attributes": []}, {"id": 2, "name": "ufo", "attributes": []}]
    shapes = [box(1, 1, label_id=1), box(1, 1, label_id=2), box(1, 1, label_id=3), box(-50, 1, label_id=1)]
    document = {"labels": labels, "shapes": [*shapes, 7], "tracks": [{"label_id": 1, "attributes": [], "shapes": []}]}
    with pytest.raises(InvalidFile) as refused:
        READERS["cvat-json"](json.dumps(document).encode(), TARGET)
    assert [p.message.split(":")[0] for p in refused.value.errors] == [
        "shape 1",
        "shape 2",
        "shape 3",
        "shape 4",
        "track 0",
    ]


def test_no_two_tracks_of_cvat_s_json_have_one_id():
    labels = [{"id": 1, "name": "car", "attributes": []}]
    twice = {"labels": labels, "shapes": [box(1, 1, label_id=1, id=5), box(9, 9, label_id=1, id=5)]}
    with pytest.raises(InvalidFile, match="'shape-5' is there twice"):
        READERS["cvat-json"](json.dumps(twice).encode(), TARGET)


@pytest.mark.parametrize("name", STRANGERS)
@given(raw=st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "ignore")))
def test_any_bytes_are_read_or_refused(name, raw):
    for data in (raw, b"MATLAB 5.0 MAT-file" + raw, b'{"shapes": [' + raw + b"]}", b"<sequence>" + raw):
        try:
            assert isinstance(READERS[name](data, TARGET), Tracks)
        except InvalidFile as refused:
            assert refused.errors
