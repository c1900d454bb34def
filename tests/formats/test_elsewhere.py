"""What we write, opened by software that we did not write."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.ontology import plain_ontology
from annotation.core.tracks import Tracks, fill, make_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.content import Content, Video
from annotation.formats.crc import crcs
from annotation.formats.registry import FORMATS
from annotation.formats.spreadsheet import cell
from tests.formats.scenes import LABELS, content, scene, written

DENSE = fill(scene().tracks, 0, 40)
PICTURE = [640, 480, 640, 480]


def unpacked(name: str, folder: Path, what: Content | None = None) -> Path:
    zipfile.ZipFile(io.BytesIO(written(FORMATS[name].write, what or content(scene())))).extractall(folder)
    return folder


def boxes_of(frame: int) -> list[list[float]]:
    return sorted(DENSE.boxes[DENSE.present[:, frame], frame].tolist())


def test_voc_is_opened_by_datumaro(tmp_path):
    from datumaro.components.dataset import Dataset

    items = {i.id: i for i in Dataset.import_from(str(unpacked("voc", tmp_path)), "voc_detection")}
    assert len(items) == 40
    for frame in range(40):
        found = items[f"walk.mp4_{frame:06}"]
        np.testing.assert_allclose(sorted(a.points for a in found.annotations), boxes_of(frame), atol=0.01)
        assert found.media.size == (480, 640)
    one = next(a for a in items["walk.mp4_000002"].annotations if a.attributes["track_id"] == "3")
    assert (one.attributes["sex"], one.attributes["truncated"]) == ("f", False)


def test_voc_of_videos_with_underscores_in_their_names_is_opened_by_datumaro(tmp_path):
    from datumaro.components.dataset import Dataset

    names = ("cam_1.mp4", "cam-1.mp4", "c")
    videos = [content(scene(), Video(name, 40, 640, 480)).videos[0] for name in names]
    raw = written(FORMATS["voc"].write, Content(LABELS, videos))
    zipfile.ZipFile(io.BytesIO(raw)).extractall(tmp_path)
    found = Dataset.import_from(str(tmp_path), "voc_detection")
    assert {i.id for i in found} == {f"{name}_{frame:06}" for name in names for frame in range(40)}
    assert {i.subset for i in found} == {"cam-1.mp4", "cam-1.mp4-2", "c"}


def test_voc_takes_the_video_s_own_frames_whatever_the_lists_are_called():
    tracks = zip(("cam-1", "cam_1"), scene().tracks, strict=True)
    videos = [content(Tracks(0, 40, (t,)), Video(name, 40, 640, 480)).videos[0] for name, t in tracks]
    raw = written(FORMATS["voc"].write, Content(LABELS, videos[::-1]))
    for name, track in zip(("cam-1", "cam_1"), scene().tracks, strict=True):
        assert [t.id for t in FORMATS["voc"].read(raw, Target(40, 640, 480, LABELS), video=name).tracks] == [track.id]


def test_yolo_is_opened_by_datumaro(tmp_path):
    from datumaro.components.dataset import Dataset
    from PIL import Image

    folder = unpacked("yolo", tmp_path)
    for frame in range(40):
        Image.new("L", (640, 480)).save(folder / f"images/train/walk.mp4_{frame:06}.jpg")
    items = {i.id: i for i in Dataset.import_from(str(folder), "yolo")}
    assert len(items) == 40
    for frame in range(40):
        found = [a.points for a in items[f"walk.mp4_{frame:06}"].annotations]
        np.testing.assert_allclose(sorted(found), np.clip(boxes_of(frame), 0, PICTURE).reshape(-1, 4), atol=0.01)


def test_yolo_keeps_what_ultralytics_checks_of_a_label_file(tmp_path):
    folder = unpacked("yolo", tmp_path)
    for path in sorted((folder / "labels/train").glob("*.txt")):
        rows = np.array([line.split() for line in path.read_text().splitlines()], float).reshape(-1, 5)
        assert ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all()
        assert set(rows[:, 0]) <= {0, 1}
        assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize("name", ["crème", "a: b # c", 'it\'s "so"', "back\\slash", "\u2028", "😀", "\\ud83d\\ude00"])
def test_yolo_s_classes_are_called_as_here_by_other_readers_of_yaml(name, tmp_path):
    import yaml

    labels = plain_ontology(["one", f"x{name}x"])
    folder = unpacked("yolo", tmp_path, content(Tracks(0, 40), ontology=labels))
    assert yaml.safe_load((folder / "data.yaml").read_text("utf-8"))["names"] == {0: "one", 1: f"x{name}x"}


def test_yolo_s_data_file_is_yaml(tmp_path):
    import yaml

    data = yaml.safe_load((unpacked("yolo", tmp_path) / "data.yaml").read_text())
    assert data == {"path": ".", "train": "images/train", "val": "images/train", "names": {0: "person", 1: "car"}}


def test_kitti_is_opened_by_trackeval(tmp_path):
    from trackeval.datasets import Kitti2DBox

    gt = unpacked("kitti", tmp_path / "gt")
    results = tmp_path / "trackers/ours/data"
    results.mkdir(parents=True)
    (results / "0000.txt").write_bytes((gt / "label_02/0000.txt").read_bytes())
    dataset = Kitti2DBox(
        {
            "GT_FOLDER": str(gt),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "CLASSES_TO_EVAL": ["car"],
            "SPLIT_TO_EVAL": "training",
            "PRINT_CONFIG": False,
        }
    )
    raw = dataset.get_raw_seq_data("ours", "0000")
    assert raw["num_timesteps"] == 40
    for frame in range(40):
        np.testing.assert_allclose(sorted(raw["gt_dets"][frame].tolist()), boxes_of(frame), atol=1e-6)
        assert sorted(raw["gt_ids"][frame]) == [
            int(i) for i, p in zip(DENSE.ids, DENSE.present[:, frame], strict=True) if p
        ]


def test_tfrecord_is_opened_by_another_reader(tmp_path):
    from tfrecord.reader import tfrecord_loader

    path = unpacked("tfrecord", tmp_path) / "walk.mp4.tfrecord"
    records = list(tfrecord_loader(str(path), None))
    assert len(records) == 40
    for frame, record in enumerate(records):
        edges = [np.atleast_1d(record.get(f"image/object/bbox/{e}", [])) for e in ("xmin", "ymin", "xmax", "ymax")]
        found = np.stack(edges, axis=1).reshape(-1, 4) * PICTURE
        np.testing.assert_allclose(sorted(found.tolist()), np.array(boxes_of(frame)).reshape(-1, 4), atol=1e-4)
        assert bytes(record["image/filename"]) == b"walk.mp4_%06d.jpg" % frame


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_checksums_are_those_of_another_implementation(messages):
    import crc32c

    assert crcs(messages).tolist() == [crc32c.crc32c(m) for m in messages]


def test_csv_is_opened_by_pandas(tmp_path):
    import pandas

    table = pandas.read_csv(unpacked("csv", tmp_path) / "walk.mp4.csv")
    assert len(table) == DENSE.present.sum()
    for frame in range(40):
        found = table[table.frame == frame][["x1", "y1", "x2", "y2"]].to_numpy().tolist()
        np.testing.assert_allclose(sorted(found), boxes_of(frame), atol=1e-6)
    assert set(table["attribute:note"].dropna()) == {"'=1+1 <\"&>"}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
def test_no_text_becomes_a_formula_and_every_text_can_be_read(text):
    (shown,) = next(csv.reader(io.StringIO(cell(text) + "\r\n", newline=""), strict=True), [""]) or [""]
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown == text or shown == "'" + text


def test_formulas_come_back_as_they_were():
    texts = ["=1+1", "'=1", "''", "+", "@x", "-1", "a,b", 'say "so"', "two\nlines", "it's", "'tis"]
    tracks = [make_track(str(i), "person", [0], [[0, 0, 9, 9]], attributes={"note": t}) for i, t in enumerate(texts, 1)]
    raw = written(FORMATS["csv"].write, content(Tracks(0, 40, tuple(tracks))))
    read = FORMATS["csv"].read(raw, Target(40, 640, 480, LABELS))
    assert [t.attributes["note"] for t in read.tracks] == texts


def test_parquet_is_opened_by_pandas(tmp_path):
    import pandas

    table = pandas.read_parquet(unpacked("parquet", tmp_path) / "walk.mp4.parquet")
    assert list(table.columns[:3]) == ["frame", "track", "label"]
    for frame in range(40):
        found = table[table.frame == frame][["x1", "y1", "x2", "y2"]].to_numpy().tolist()
        assert sorted(found) == boxes_of(frame)
    assert table[table.track == 11].confidence.isna().all()


def test_json_is_opened_by_pandas(tmp_path):
    import json

    import pandas

    document = json.loads((unpacked("json", tmp_path) / "walk.mp4/tracks.json").read_text())
    table = pandas.json_normalize(document["tracks"], "keyframes", ["id", "label"])
    assert set(zip(table.id, table.label, strict=True)) == {("3", "person"), ("11", "car")}
    for row, number in enumerate(DENSE.ids):
        keys = table[table.id == number].set_index("frame")
        edges = pandas.DataFrame(keys.points.dropna().tolist(), keys.points.dropna().index, dtype=float)
        away = keys.outside.astype(float).reindex(range(40)).ffill().fillna(1.0) == 1.0
        moving = edges.reindex(range(40)).interpolate(limit_area="inside").ffill()
        assert (~away).tolist() == DENSE.present[row].tolist()
        np.testing.assert_allclose(moving[~away], DENSE.boxes[row][DENSE.present[row]], atol=1e-9)


def test_writing_parquet_loads_no_pandas():
    """It takes 50 MB, and pyarrow loads it for the asking."""
    lines = (
        "import sys",
        "from annotation.formats.registry import FORMATS",
        "from tests.formats.scenes import content, scene, written",
        "written(FORMATS['parquet'].write, content(scene()))",
        "print('pyarrow' in sys.modules, 'pandas' in sys.modules)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def a_parquet(rows: int, **columns) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = dict.fromkeys(("x1", "y1"), 1.0) | dict.fromkeys(("x2", "y2"), 9.0)
    values |= {"frame": 3, "label": "person", "track": 1} | columns
    out = io.BytesIO()
    pq.write_table(pa.table({name: [value] * rows for name, value in values.items()}), out)
    return out.getvalue()


def test_a_parquet_of_more_rows_than_are_read_is_refused_before_it_unpacks(monkeypatch):
    """Equal rows take next to nothing to send and gigabytes to hold."""
    monkeypatch.setattr("annotation.formats.parquet.MOST_ROWS", 1000)
    raw = a_parquet(1001)
    assert len(raw) < 5000
    with pytest.raises(InvalidFile, match="1001 rows; at most 1000"):
        FORMATS["parquet"].read(raw, Target(40, 640, 480, LABELS))


def test_a_text_that_many_rows_of_a_parquet_share_is_held_once():
    raw = a_parquet(2000, label="x" * 200_000)
    tracemalloc.start()
    with pytest.raises(InvalidFile, match="twice"):
        FORMATS["parquet"].read(raw, Target(40, 640, 480))
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_a_parquet_with_wrong_bytes_anywhere_is_read_or_refused():
    whole = a_parquet(3)
    for at in range(len(whole)):
        for wrong in (0x00, 0x01, 0x7F, 0xFF):
            try:
                FORMATS["parquet"].read(whole[:at] + bytes([wrong]) + whole[at + 1 :], Target(40, 640, 480, LABELS))
            except InvalidFile as refused:
                assert refused.errors


def test_a_parquet_without_the_columns_or_with_others_inside_them_is_refused():
    with pytest.raises(InvalidFile, match="no Parquet|rows? 0"):
        FORMATS["parquet"].read(a_parquet(1, label={"label": "person"}), Target(40, 640, 480, LABELS))


@pytest.mark.parametrize("name", ["kitti", "csv", "tfrecord", "parquet"])
def test_wrong_files_are_refused_with_a_place(name):
    wrong = {
        "kitti": (b"0 1 person 0 0 -10 1 2 3\n", "line 1: has 9 columns"),
        "csv": (b"frame,track,label,x1,y1,x2,y2\r\n0,1,person,1,2,x,4\r\n", "line 2: .*'x'"),
        "tfrecord": (b"\5" + bytes(12), "byte 0: a record of 5 bytes"),
        "parquet": (b"PAR1nothing", "no Parquet"),
    }
    with pytest.raises(InvalidFile, match=wrong[name][1]):
        FORMATS[name].read(wrong[name][0], Target(40, 640, 480, LABELS))
