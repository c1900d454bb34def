from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.ontology import parse_labels
from annotation.core.tracks import Tracks, fill, make_track
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.content import Content, Video
from annotation.formats.reading_cvat import read_cvat
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, assert_same, content, scene, written

TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)


def document(tracks: Tracks) -> bytes:
    return zipfile.ZipFile(io.BytesIO(written(FORMATS["cvat"].write, content(tracks)))).read("annotations.xml")


def test_the_document_is_cvat_for_video():
    root = ET.fromstring(document(scene()))
    assert root.findtext("version") == "1.1"
    assert root.findtext("meta/task/size") == "40"
    assert root.findtext("meta/task/mode") == "interpolation"
    assert root.findtext("meta/task/original_size/width") == "640"
    assert [e.text for e in root.findall("meta/task/labels/label/name")] == ["person", "car"]
    one, two = root.findall("track")
    assert (one.get("id"), one.get("label"), two.get("id")) == ("3", "person", "11")
    first = one.find("box")
    assert {k: first.get(k) for k in ("frame", "keyframe", "outside", "occluded", "xtl", "ybr")} == {
        "frame": "2",
        "keyframe": "1",
        "outside": "0",
        "occluded": "0",
        "xtl": "10.00",
        "ybr": "100.00",
    }
    assert {a.get("name"): a.text for a in first} == {"sex": "f", "note": '=1+1 <"&>', "pose": "walking"}


def test_frames_are_there_once_each_and_ends_are_outside():
    one = ET.fromstring(document(scene())).find("track")
    shown = {int(b.get("frame")): b.get("outside") for b in one}
    assert len(shown) == len(one)
    assert [f for f, outside in shown.items() if outside == "1"] == [9]
    assert sorted(shown) == [*range(2, 10), *range(20, 40)]


def test_attributes_come_back_where_they_belong():
    one, two = read_cvat(written(FORMATS["cvat"].write, content(scene())), TARGET).tracks
    assert one.attributes == {"sex": "f", "note": '=1+1 <"&>'}
    assert one.changes == {2: {"pose": "walking"}, 20: {"pose": "sitting", "seen": True}}
    assert (two.attributes, two.changes) == ({"doors": 4}, {})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t<>&\"'"), max_size=20))
def test_any_text_goes_through(text):
    labels = parse_labels([{"name": "a <&\"'> b", "attributes": [{"name": "n<&\"'>", "kind": "text"}]}])
    track = make_track("1", "a <&\"'> b", [0], [[0, 0, 9, 9]], attributes={"n<&\"'>": text})
    raw = written(FORMATS["cvat"].write, content(Tracks(0, 40, (track,)), Video("<&>", 40, 640, 480), labels))
    try:
        read = read_cvat(raw, Target(40, 640, 480, labels))
    except InvalidFile:
        assert any(c in text for c in "\ufffe\uffff\x00")  # which XML cannot hold and no validated text has
    else:
        assert read.tracks[0].attributes == {"n<&\"'>": text}


def test_a_document_of_cvat_s_own_is_read():
    tracks = read_cvat(CVATS, Target(10, 100, 100, LABELS)).tracks
    dense = fill(tracks, 0, 10)
    assert dense.ids == ("0",)
    assert dense.present[0].tolist() == [False] * 2 + [True] * 4 + [False] * 4
    assert dense.boxes[0, 3].tolist() == [11, 10, 21, 20]
    assert tracks[0].attributes == {"sex": "m"}


CVATS = b"""<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>4</id><size>10</size><mode>interpolation</mode></task><dumped>2024-01-01</dumped></meta>
  <track id="0" label="person" source="manual">
    <box frame="2" keyframe="1" outside="0" occluded="0" xtl="10.00" ytl="10.00" xbr="20.00" ybr="20.00" z_order="0">
      <attribute name="sex">m</attribute>
    </box>
    <box frame="3" keyframe="0" outside="0" occluded="0" xtl="11.00" ytl="10.00" xbr="21.00" ybr="20.00" z_order="0">
      <attribute name="sex">m</attribute>
    </box>
    <box frame="4" keyframe="1" outside="0" occluded="1" xtl="12.00" ytl="10.00" xbr="22.00" ybr="20.00" z_order="0"/>
    <box frame="6" keyframe="1" outside="1" occluded="0" xtl="12.00" ytl="10.00" xbr="22.00" ybr="20.00" z_order="0"/>
  </track>
</annotations>
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("<annotations>", "<labels>", "line 15: no XML: mismatched tag"),
        ("<annotations>", '<!DOCTYPE a [<!ENTITY x "y">]><annotations>', "line 2: documents with a document type"),
        ('frame="4"', 'frame="10"', "line 12: frame 10 is outside the frames 0 to 9"),
        ('frame="4"', 'frame="2"', "line 5: .* two keyframes on one frame"),
        (
            'xtl="12.00" ytl="10.00" xbr="22.00" ybr="20.00" z_order="0"/>\n    <box frame="6"',
            "/><box",
            "line 12: a box needs",
        ),
        ('xtl="10.00"', 'xtl="nan"', "line 6: .*finite"),
        ('xtl="10.00"', 'xtl="30.00"', "line 6: .*inverted"),
        ('keyframe="1" outside="0" occluded="1"', 'rotation="45"', "line 12: rotated"),
        ('label="person"', 'label="cat"', "line 5: 'cat' is no label"),
        (">m<", ">x<", "line 6: attribute 'sex': 'x' is not one of"),
        ('name="sex"', 'name="hat"', "line 6: attribute 'hat': the label has no such"),
        ('<track id="0"', '<track id=""', "line 5: .*id '' is missing"),
        ("</track>", '<polygon frame="1" points="1,2;3,4"/></track>', "line 14: a polygon is no box"),
        ("<track", '<image id="0"/><track', "line 5: this is CVAT for images"),
    ],
)
def test_wrong_lines_are_named(old, new, says):
    with pytest.raises(InvalidFile, match=says):
        read_cvat(CVATS.decode().replace(old, new, 1).encode(), Target(10, 100, 100, LABELS))


def test_a_track_that_is_outside_on_all_its_keyframes_is_refused():
    with pytest.raises(InvalidFile, match="line 5: the track is outside on all its keyframes"):
        read_cvat(CVATS.replace(b'outside="0"', b'outside="1"'), Target(10, 100, 100, LABELS))


def test_a_bomb_of_depth_is_refused():
    with pytest.raises(InvalidFile, match="nested"):
        read_cvat(b"<annotations>" + b"<a>" * 1_000_000, TARGET)


@given(
    st.binary(max_size=40)
    | st.integers(0, len(CVATS)).flatmap(
        lambda at: st.binary(max_size=6).map(lambda b: CVATS[:at] + b + CVATS[at + 3 :])
    )
)
def test_any_bytes_are_read_or_refused_and_nothing_else_happens(raw):
    try:
        assert isinstance(read_cvat(raw, Target(10, 100, 100, LABELS)), Tracks)
    except InvalidFile as refused:
        "".join(p.message for p in refused.errors).encode()


def test_several_videos_lie_in_folders():
    both = (*content(scene()).videos, *content(Tracks(0, 10), Video("b", 10, 640, 480)).videos)
    raw = written(FORMATS["cvat"].write, Content(LABELS, both))
    assert zipfile.ZipFile(io.BytesIO(raw)).namelist()[:2] == ["walk.mp4/annotations.xml", "b/annotations.xml"]
    assert_same(scene(), read_cvat(raw, TARGET, video="walk.mp4"), atol=1e-6)


def test_datumaro_reads_the_same_boxes(tmp_path):
    from datumaro.components.dataset import Dataset

    (tmp_path / "annotations.xml").write_bytes(document(scene()))
    items = {int(i.attributes["frame"]): i for i in Dataset.import_from(str(tmp_path), "cvat")}
    dense = fill(scene().tracks, 0, 40)
    for frame in range(40):
        found = items[frame].annotations if frame in items else []
        visible = sorted(a.points for a in found if not a.attributes["outside"])
        np.testing.assert_allclose(visible, sorted(dense.boxes[dense.present[:, frame], frame].tolist()), atol=0.01)
