from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.ontology import plain_ontology
from annotation.core.tracks import Tracks, fill, make_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.content import Content, Video
from annotation.formats.mot import read_mot
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, SHARED, VIDEO, assert_same, content, needs_shared, scene, scenes, written

PERSON = plain_ontology(["person"])
TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)


def lines_of(tracks: Tracks, part_frames: int = 7) -> list[str]:
    raw = written(FORMATS["mot"].write, content(tracks, part_frames=part_frames))
    archive = zipfile.ZipFile(io.BytesIO(raw))
    return archive.read("walk.mp4/gt/gt.txt").decode().splitlines()


def test_the_lines_are_those_of_the_contract():
    track = make_track("5", "car", [1, 2], [[10, 20.5, 60, 180], [-11.125, 20.5, 60.001, 180]], occluded=[False, True])
    assert lines_of(Tracks(0, 3, (track,))) == [
        "2,5,10.00,20.50,50.00,159.50,1,2,1",
        "3,5,-11.125,20.50,71.126,159.50,1,2,0",
    ]


def test_the_zip_holds_the_layout_of_a_benchmark():
    archive = zipfile.ZipFile(io.BytesIO(written(FORMATS["mot"].write, content(scene()))))
    assert archive.testzip() is None
    assert archive.namelist() == [
        "walk.mp4/seqinfo.ini",
        "walk.mp4/gt/labels.txt",
        "walk.mp4/gt/gt.txt",
        "manifest.json",
    ]
    assert b"seqLength=40\nimWidth=640\nimHeight=480" in archive.read("walk.mp4/seqinfo.ini")


def test_lines_come_by_frame_and_then_track():
    keys = [tuple(map(int, line.split(",")[:2])) for line in lines_of(scene())]
    assert keys == sorted(keys)


def test_the_same_content_makes_the_same_lines_however_it_is_cut():
    assert lines_of(scene()) == lines_of(scene(), part_frames=3)


def test_two_videos_of_one_name_get_a_folder_each():
    one = content(scene(), Video("../../x/..", 40, 640, 480))
    archive = zipfile.ZipFile(io.BytesIO(written(FORMATS["mot"].write, Content(LABELS, one.videos * 2))))
    folders = {name.rpartition("/gt/")[0] for name in archive.namelist() if "/gt/" in name}
    assert len(folders) == 2
    assert not any(".." in name.split("/") or name.startswith("/") for name in archive.namelist())


@settings(max_examples=40)
@given(scenes())
def test_what_was_written_is_read_back_exactly(tracks):
    assert_same(tracks, read_mot(written(FORMATS["mot"].write, content(tracks)), TARGET), atol=5.1e-7)


@settings(max_examples=40)
@given(scenes(places=None))
def test_any_float_survives_to_a_millionth(tracks):
    assert_same(tracks, read_mot(written(FORMATS["mot"].write, content(tracks)), TARGET), atol=1e-6)


@given(st.lists(st.decimals(-500, 500, places=6), min_size=2, max_size=2), st.decimals("0.01", 900, places=6))
def test_six_decimals_come_back_as_the_same_floats(corner, side):
    box = [float(corner[0]), float(corner[1]), float(corner[0] + side), float(corner[1] + side)]
    tracks = Tracks(0, 40, (make_track("1", "car", [0], [box]),))
    read = read_mot(written(FORMATS["mot"].write, content(tracks)), Target(40, None, None, LABELS))
    assert read.tracks[0].points[0].tolist() == box


def test_gaps_become_outside_keyframes():
    text = "1,7,10,10,5,5,1,1,1\n2,7,11,10,5,5,1,1,0\n5,7,20,10,5,5,1,1,1\n"
    track = read_mot(text, Target(frame_count=10, ontology=PERSON)).tracks[0]
    assert track.frames.tolist() == [0, 1, 2, 4, 5]
    assert track.outside.tolist() == [False, False, True, False, True]
    assert track.occluded.tolist() == [False, True, False, False, False]


def test_lines_of_blanks_are_passed_over():
    read = read_mot("1,1,1,1,9,9,1,1,1\r\n  \t\r\n2,1,1,1,9,9,1,1,1\n ", Target(5, 100, 100, LABELS))
    assert read.tracks[0].frames.tolist() == [0, 1, 2]


def test_one_id_with_two_classes_is_two_tracks():
    text = "1,7,10,10,5,5,1,1,1\n2,7,11,10,5,5,1,2,1\n"
    assert [(t.id, t.label) for t in read_mot(text, TARGET).tracks] == [("7-1", "person"), ("7-2", "car")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,1,10,10,5,5,1,1,1\n\n1,1,10,10,x,5,1,1,1\n", "line 3: 'x' is no number"),
        ("1,1,10,10,5,5,1,1,1\n1,2,10\n", "line 2: has 3 columns"),
        ("1,1,10,10,5,5,1,1,1\n1,2,10,10,5,5,1\n", "line 2: has 7 columns, the first line 9"),
        ("1,1,nan,10,5,5,1,1,1\n", "line 1: 'nan' is no finite number"),
        ("0,1,10,10,5,5,1,1,1\n", "line 1: frame and id must be whole"),
        ("1.5,1,10,10,5,5,1,1,1\n", "line 1: frame and id must be whole"),
        ("1,-1,10,10,5,5,1,1,1\n", "line 1: frame and id must be whole"),
        ("1,1e300,10,10,5,5,1,1,1\n", "line 1: frame and id must be whole"),
        ("41,1,10,10,5,5,1,1,1\n", "line 1: frame 40 .* outside the video's 40"),
        ("1,1,10,10,0,5,1,1,1\n", "line 1: the box .* no area"),
        ("1,1,700,10,9,5,1,1,1\n", "line 1: .*wholly outside"),
        ("1,1,10,10,5,5,1,9,1\n", "line 1: there is no class 9; classes are 1 to 2"),
        ("1,1,10,10,5,5,1,1.5,1\n", "line 1: there is no class 1.5"),
        ("1,1,10,10,5,5,1,1,1\n2,1,1,1,5,5,1,1,1\n1,1,9,9,5,5,1,1,1\n", "line 3: track 1 is on frame 0 twice"),
    ],
)
def test_wrong_lines_are_named(text, says):
    with pytest.raises(InvalidFile, match=says):
        read_mot(text, TARGET)


@given(st.text(alphabet="0123456789,.-+einfaNxX_ \n\r\x00\x0c\u2028", max_size=80))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text):
    try:
        read_mot(text, TARGET)
    except InvalidFile as refused:
        assert refused.errors


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_wrong_bytes_anywhere_is_read_or_refused(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        made.writestr("a/gt/gt.txt", b"1,1,1,1,9,9,1,1,1\n" * 50)
    whole = out.getvalue()
    for at in range(len(whole)):
        for wrong in (0x00, 0x01, 0x7F, 0xFF):
            try:
                read_mot(whole[:at] + bytes([wrong]) + whole[at + 1 :], Target(5, 100, 100))
            except InvalidFile as refused:
                assert refused.errors


@given(st.binary(max_size=60).map(lambda tail: b"PK\x03\x04" + tail))
def test_a_broken_zip_is_refused(raw):
    with pytest.raises(InvalidFile):
        read_mot(raw, TARGET)


@needs_shared
@pytest.mark.parametrize(
    "name", ["PETS09-S2L1", "TUD-Campus", "TUD-Stadtmitte", "ETH-Sunnyday", "KITTI-17", "Venice-2"]
)
def test_a_benchmark_s_truth_goes_through_unchanged(name):
    path = SHARED / "mot15" / name / "gt.txt"
    rows = np.loadtxt(path, delimiter=",")
    tracks = read_mot(path.read_bytes(), Target(ontology=PERSON))
    dense = fill(tracks.tracks, 0, tracks.stop)
    assert dense.present.sum() == len(rows)
    for frame, number, x, y, w, h in rows[:, :6]:
        box = dense.boxes[dense.ids.index(str(int(number))), int(frame) - 1]
        np.testing.assert_allclose(box, [x, y, x + w, y + h], rtol=0, atol=1e-9)
    archive = written(FORMATS["mot"].write, content(tracks, Video(name, tracks.stop, 768, 576), part_frames=100))
    text = zipfile.ZipFile(io.BytesIO(archive)).read(f"{name}/gt/gt.txt")
    again = np.loadtxt(io.BytesIO(text), delimiter=",")
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    np.testing.assert_allclose(again[:, :6], rows[order][:, :6], rtol=0, atol=1e-9)


@needs_shared
def test_mot17_keeps_marked_pedestrians():
    path = next((SHARED / "mot17").rglob("gt.txt"))
    rows = np.loadtxt(path, delimiter=",")
    tracks = read_mot(path.read_bytes(), Target(ontology=PERSON), rules="mot17")
    kept = rows[(rows[:, 6] == 1) & (rows[:, 7] == 1)]
    assert fill(tracks.tracks, 0, tracks.stop).present.sum() == len(kept)
    assert {t.id for t in tracks.tracks} == {str(int(i)) for i in kept[:, 1]}


@needs_shared
def test_the_importable_sample_is_read():
    tracks = read_mot((SHARED / "import/motchallenge.txt").read_bytes(), Target(ontology=PERSON))
    assert [t.id for t in tracks.tracks] == ["1", "2", "3", "4"]


def test_trackeval_reads_the_same_boxes(tmp_path):
    from trackeval.datasets import MotChallenge2DBox

    tracks = scene()
    zipfile.ZipFile(io.BytesIO(written(FORMATS["mot"].write, content(tracks)))).extractall(tmp_path / "gt")
    (tmp_path / "trackers/ours/data").mkdir(parents=True)
    (tmp_path / "trackers/ours/data/walk.mp4.txt").write_bytes((tmp_path / "gt/walk.mp4/gt/gt.txt").read_bytes())
    dataset = MotChallenge2DBox(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SKIP_SPLIT_FOL": True,
            "SEQ_INFO": {"walk.mp4": None},
            "PRINT_CONFIG": False,
        }
    )
    raw = dataset.get_raw_seq_data("ours", "walk.mp4")
    dense = fill(tracks.tracks, 0, 40)
    assert raw["num_timesteps"] == 40
    for frame in range(40):
        present = np.flatnonzero(dense.present[:, frame])
        boxes = dense.boxes[present, frame]
        assert raw["gt_ids"][frame].tolist() == [int(dense.ids[i]) for i in present]
        expected = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        np.testing.assert_allclose(raw["gt_dets"][frame], expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(np.diag(raw["similarity_scores"][frame]), 1.0)


def test_datumaro_reads_the_same_boxes(tmp_path):
    from datumaro.components.dataset import Dataset

    zipfile.ZipFile(io.BytesIO(written(FORMATS["mot"].write, content(scene())))).extractall(tmp_path)
    items = {int(item.id): item for item in Dataset.import_from(str(tmp_path / "walk.mp4"), "mot_seq")}
    dense = fill(scene().tracks, 0, 40)
    assert len(items) == 40
    for frame in range(40):
        got = {
            a.attributes["track_id"]: (a.points, a.label, a.attributes["occluded"])
            for a in items[frame + 1].annotations
        }
        present = np.flatnonzero(dense.present[:, frame])
        assert set(got) == {int(dense.ids[i]) for i in present}
        for i in present:
            points, label, occluded = got[int(dense.ids[i])]
            np.testing.assert_allclose(points, dense.boxes[i, frame], atol=0.01)
            assert (LABELS.names[label], occluded) == (dense.labels[i], dense.occluded[i, frame])
