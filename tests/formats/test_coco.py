from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.tracks import Tracks, fill, make_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.coco import PATH
from annotation.formats.content import Content, Video
from annotation.formats.reading_coco import read_coco
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, assert_same, content, scene, written

TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)


def document(what: Content) -> dict:
    return json.loads(zipfile.ZipFile(io.BytesIO(written(FORMATS["coco"].write, what))).read(PATH))


def test_every_frame_is_an_image_and_every_box_an_annotation():
    found = document(content(scene()))
    assert [i["frame_id"] for i in found["images"]] == list(range(40))
    assert found["images"][7]["file_name"] == "walk.mp4/frame_000007.jpg"
    assert [c["name"] for c in found["categories"]] == ["person", "car"]
    assert len(found["annotations"]) == fill(scene().tracks, 0, 40).present.sum()
    assert found["annotations"][2] == {
        "id": 3,
        "image_id": 3,
        "category_id": 1,
        "track_id": 3,
        "bbox": [10, 20, 40.5, 80],
        "area": 3240,
        "iscrowd": 0,
        "segmentation": [],
        "confidence": 0.875,
        "attributes": {"sex": "f", "note": '=1+1 <"&>', "pose": "walking", "occluded": False},
    }


def test_a_video_without_boxes_is_still_a_document():
    assert document(content(Tracks(0, 40)))["annotations"] == []


def test_several_videos_share_a_document_and_are_read_apart():
    other = make_track("3", "car", [5], [[1, 2, 30, 40]])
    both = (*content(scene()).videos, *content(Tracks(0, 10, (other,)), Video("b", 10, 640, 480)).videos)
    raw = written(FORMATS["coco"].write, Content(LABELS, both))
    ids = [a["id"] for a in document(Content(LABELS, both))["annotations"]]
    assert ids == list(range(1, len(ids) + 1))
    assert_same(scene(), read_coco(raw, TARGET, video="walk.mp4"), atol=1e-6)
    assert [t.id for t in read_coco(raw, Target(10, 640, 480, LABELS), video="b").tracks] == ["3"]
    with pytest.raises(InvalidFile, match="several videos"):
        read_coco(raw, TARGET)
    with pytest.raises(InvalidFile, match="no video 'c'"):
        read_coco(raw, TARGET, video="c")


def test_attributes_come_back_where_they_belong():
    two, one = sorted(read_coco(written(FORMATS["coco"].write, content(scene())), TARGET).tracks, key=lambda t: t.id)
    assert (one.id, one.attributes) == ("3", {"sex": "f", "note": '=1+1 <"&>'})
    assert one.changes == {2: {"pose": "walking"}, 20: {"pose": "sitting", "seen": True}}
    assert (two.id, two.attributes, two.changes) == ("11", {"doors": 4}, {})


PLAIN = {
    "images": [{"id": "a", "file_name": "x/img_001.png"}, {"id": "b", "file_name": "x/img_002.png"}],
    "categories": [{"id": 18, "name": "person"}],
    "annotations": [
        {"id": 1, "image_id": "b", "category_id": 18, "bbox": [1, 2, 3, 4]},
        {"id": 2, "image_id": "b", "category_id": 18, "bbox": [1, 2, 3, 4], "iscrowd": 1},
        {"id": 3, "image_id": "a", "category_id": 18, "bbox": [1, 2, 3, 4], "attributes": {"track_id": 5}},
    ],
}


def read(change: dict) -> Tracks:
    return read_coco(json.dumps(PLAIN | change).encode(), TARGET)


def test_a_plain_document_gives_tracks_of_one_frame():
    tracks = read({}).tracks
    assert [(t.id, t.frames[0], t.points[0].tolist()) for t in tracks] == [
        ("box-0", 1, [1, 2, 4, 6]),
        ("5", 0, [1, 2, 4, 6]),
    ]


def annotation(**change):
    return {"annotations": [PLAIN["annotations"][0], PLAIN["annotations"][0] | change]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"annotations": None}, "annotations must be a list"),
        ({"images": [{}]}, "entry 0 of images is not complete"),
        ({"images": [{"id": 1, "file_name": "x.png"}]}, "image 1 has no frame_id"),
        (annotation(image_id="z"), "annotation 1: there is no image 'z'"),
        (annotation(category_id=1), "annotation 1: there is no category 1"),
        (annotation(bbox=[1, 2, 3]), "annotation 1: bbox must be"),
        (annotation(bbox=[1, 2, 3, True]), "annotation 1: a number of the bbox must be a number"),
        (annotation(bbox=[1, 2, 0, 5]), "annotation 1: the box .* no area"),
        (annotation(bbox=[-9, 2, 5, 5]), "annotation 1: .*wholly outside"),
        (annotation(attributes={"hat": 1}), "annotation 1: the label 'person' has no attribute 'hat'"),
        (annotation(attributes={"sex": "x"}), "annotation 1: 'x' is not one of"),
        (annotation(track_id=[]), "annotation 1: track_id"),
        ({"categories": [{"id": 18, "name": "cat"}]}, "'cat' is no label"),
    ],
)
def test_wrong_entries_are_named(change, says):
    with pytest.raises(InvalidFile, match=says):
        read(change)


scalars = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | st.text(max_size=4)
words = st.sampled_from(["id", "name", "image_id", "category_id", "bbox", "attributes", "track_id", "file_name", "x"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5), max_leaves=15
)


@given(st.sampled_from(["images", "annotations", "categories", "videos"]), anything, st.data())
def test_any_json_is_read_or_refused_and_nothing_else_happens(key, value, data):
    part = data.draw(
        st.sampled_from([value, [value], [PLAIN["annotations"][0] | value] if isinstance(value, dict) else []])
    )
    try:
        assert isinstance(read_coco(json.dumps(PLAIN | {key: part}).encode(), TARGET), Tracks)
    except InvalidFile as refused:
        "".join(p.message for p in refused.errors).encode()


def test_pycocotools_loads_the_same_boxes(tmp_path, capsys):
    from pycocotools.coco import COCO

    zipfile.ZipFile(io.BytesIO(written(FORMATS["coco"].write, content(scene())))).extractall(tmp_path)
    coco = COCO(str(tmp_path / PATH))
    dense = fill(scene().tracks, 0, 40)
    for frame in range(40):
        (image,) = [i for i in coco.imgs.values() if i["frame_id"] == frame]
        found = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        present = np.flatnonzero(dense.present[:, frame])
        assert [a["track_id"] for a in found] == [int(dense.ids[i]) for i in present]
        boxes = np.array([a["bbox"] for a in found]).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(boxes, dense.boxes[present, frame], atol=1e-6)
    assert coco.getAnnIds(catIds=coco.getCatIds(["car"]), areaRng=[14049, 14051])


def test_datumaro_loads_the_same_boxes(tmp_path):
    from datumaro.components.dataset import Dataset

    zipfile.ZipFile(io.BytesIO(written(FORMATS["coco"].write, content(scene())))).extractall(tmp_path)
    items = {item.id: item for item in Dataset.import_from(str(tmp_path), "coco_instances")}
    dense = fill(scene().tracks, 0, 40)
    for frame in range(40):
        found = sorted(a.points for a in items[f"walk.mp4/frame_{frame:06}"].annotations)
        expected = sorted(dense.boxes[dense.present[:, frame], frame].tolist())
        np.testing.assert_allclose(found, expected, atol=0.01)


def plain(*annotations: dict) -> bytes:
    images = [{"id": i, "frame_id": i} for i in range(5)]
    boxes = [{"image_id": i, "category_id": 1, "bbox": [1, 1, 9, 9], **a} for i, a in enumerate(annotations)]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}]
    return json.dumps({"images": images, "categories": categories, "annotations": boxes}).encode()


@pytest.mark.parametrize("wrong", ["", "\0", "\ud800", "x" * 101, " 7", "a\nb"])
def test_an_id_that_no_submission_could_carry_is_refused(wrong):
    with pytest.raises(InvalidFile, match="annotation 1: the track's id"):
        read_coco(plain({"track_id": 1}, {"track_id": wrong}), TARGET)


def test_no_two_tracks_get_one_id():
    """What has none is numbered, and one id of two labels makes two, beside whatever else the file holds."""
    named = [{"track_id": "box-1"}, {}, {"track_id": "7"}, {"track_id": "7", "category_id": 2}, {"track_id": "7-car"}]
    ids = [t.id for t in read_coco(plain(*named), TARGET).tracks]
    assert ids == ["box-1", "box-1-2", "7-person", "7-car-3", "7-car"]


def test_images_of_two_videos_that_nothing_tells_apart_are_refused():
    document = json.loads(plain({}, {}))
    document["images"] = [{"id": i, "file_name": f"{folder}/000007.jpg"} for i, folder in enumerate("ab")]
    with pytest.raises(InvalidFile, match="two images are frame 7"):
        read_coco(json.dumps(document).encode(), TARGET)
    document["images"] = [{"id": 0, "frame_id": 3}, {"id": 0, "frame_id": 4}]
    with pytest.raises(InvalidFile, match="one id"):
        read_coco(json.dumps(document).encode(), TARGET)


def test_a_number_of_many_digits_in_a_file_name_is_one_number():
    """As in the data sets of COCO itself, whose names have twelve."""
    document = json.loads(plain({}))
    document["images"] = [{"id": 0, "file_name": "000000001234.jpg"}]
    (track,) = read_coco(json.dumps(document).encode(), Target(2000, 640, 480, LABELS)).tracks
    assert track.frames[0] == 1234
    document["images"] = [{"id": 0, "file_name": "20240131120000123.jpg"}]
    with pytest.raises(InvalidFile, match="no number"):
        read_coco(json.dumps(document).encode(), TARGET)
