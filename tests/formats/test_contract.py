from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Interval, Tracks, make_track, to_json
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.content import Content, Video, VideoTracks, rows_of
from annotation.formats.reading_contract import read_json
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, assert_same, content, scene, scenes, written

TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)


def document(what: Content) -> dict:
    return json.loads(zipfile.ZipFile(io.BytesIO(written(FORMATS["json"].write, what))).read("walk.mp4/tracks.json"))


def test_the_document_is_the_contract_s():
    found = document(content(scene()))
    assert found["video"] == {"name": "walk.mp4", "frame_count": 40, "width": 640, "height": 480, "fps": 29.97}
    assert found["labels"] == LABELS.to_json()
    one, two = found["tracks"]
    assert (one["id"], one["label"], one["confidence"]) == ("3", "person", 0.875)
    assert one["attributes"] == {"sex": "f", "note": '=1+1 <"&>'}
    assert one["keyframes"][0] == {
        "frame": 2,
        "points": [10.0, 20.0, 50.5, 100.0],
        "outside": False,
        "occluded": False,
        "attributes": {"pose": "walking"},
    }
    assert {"frame": 9, "outside": True} in one["keyframes"]
    assert [k["frame"] for k in two["keyframes"]] == [0, 39]
    assert found["intervals"] == [
        {"label": "car", "start": 3, "stop": 9, "track": "11", "attributes": {}},
        {"label": "person", "start": 0, "stop": 40, "track": None, "attributes": {}},
    ]


@settings(max_examples=40)
@given(scenes(places=None), st.integers(1, 40))
def test_what_was_written_is_read_back_to_the_last_bit(tracks, part_frames):
    raw = written(FORMATS["json"].write, content(tracks, part_frames=part_frames))
    assert_same(tracks, read_json(raw, TARGET))


@settings(max_examples=40)
@given(scenes())
def test_what_was_read_is_written_the_same_again(tracks):
    raw = written(FORMATS["json"].write, content(tracks))
    assert written(FORMATS["json"].write, content(read_json(raw, TARGET))) == raw


def test_attributes_intervals_and_confidence_come_back():
    read = read_json(written(FORMATS["json"].write, content(scene())), TARGET)
    assert read.intervals == scene().intervals
    for before, after in zip(scene().tracks, read.tracks, strict=True):
        assert (after.attributes, after.changes, after.confidence) == (
            before.attributes,
            before.changes,
            before.confidence,
        )


def test_provenance_is_carried_and_read():
    video = content(scene()).videos[0]
    origin = {"segments": ["a"], "support": ["s1", "s2"], "disputes": [[3, 5]]}
    what = Content(LABELS, (VideoTracks(video.video, video.parts, provenance={3: origin}),))
    assert document(what)["tracks"][0]["provenance"] == origin
    track = read_json(written(FORMATS["json"].write, what), TARGET).tracks[0]
    assert (track.support, track.disputes) == (("s1", "s2"), ((3, 5),))


def test_an_occluded_spell_of_a_resting_box_is_kept():
    still = make_track("1", "car", [0, 5, 9], [[1, 2, 30, 40]] * 3, occluded=[False, True, False])
    tracks = Tracks(0, 40, (still,))
    assert_same(tracks, read_json(written(FORMATS["json"].write, content(tracks)), TARGET))
    assert [k["frame"] for k in document(content(tracks))["tracks"][0]["keyframes"]] == [0, 5, 9, 39]


def test_a_bare_document_is_read_too():
    bare = json.dumps(to_json(scene())).encode()
    assert_same(scene(), read_json(bare, TARGET))


def test_intervals_of_tracks_that_have_no_box_in_the_file_are_not_in_it():
    """What was selected must be read back: every tenth frame, say, on which the short track is not there."""
    brief = make_track("5", "car", [3, 4], [[1, 1, 9, 9]] * 2, outside=[False, True])
    whole = Tracks(0, 40, (*scene().tracks, brief), (*scene().intervals, Interval("car", 3, 4, "5")))
    (part,) = content(whole, replace(VIDEO, step=10)).videos
    part = replace(part, parts=lambda at: (r.only(r.frames % 10 == 0) for r in rows_of(whole, LABELS.names, at)))
    raw = written(FORMATS["json"].write, Content(LABELS, (part,)))
    assert read_json(raw, TARGET).intervals == scene().intervals


def test_support_that_is_no_list_of_ids_is_left_out():
    """Half a surrogate pair cannot be stored at all."""
    for support in (["\ud800"], ["\0"], [""], [7]):
        track = {"id": "1", "label": "car", "support": support, "keyframes": [{"frame": 0, "points": [1, 1, 9, 9]}]}
        assert FORMATS["json"].read(json.dumps({"tracks": [track]}).encode(), TARGET).tracks[0].support == ()


def test_of_several_videos_one_is_named():
    both = (*content(scene()).videos, *content(Tracks(0, 10), Video("b", 10, 640, 480)).videos)
    raw = written(FORMATS["json"].write, Content(LABELS, both))
    assert_same(scene(), read_json(raw, TARGET, video="walk.mp4"))
    with pytest.raises(InvalidFile, match="one tracks.json"):
        read_json(raw, TARGET)


def test_wrong_places_are_named_by_pointer():
    wrong = to_json(scene())
    wrong["tracks"][0]["keyframes"][1]["points"][2] = 0
    with pytest.raises(InvalidFile, match="/tracks/0/keyframes/1/points: the box .* inverted"):
        read_json(json.dumps(wrong).encode(), TARGET)


@given(
    st.recursive(
        st.none() | st.integers(0, 3) | st.text(max_size=3),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["video", "tracks", "id", "frame_count", "provenance", "support", "disputes", "confidence"]
                ),
                x,
            )
        ),
        max_leaves=10,
    )
)
def test_any_json_is_read_or_refused_and_nothing_else_happens(value):
    keyframes = [{"frame": 1, "points": [1, 2, 30, 40]}]
    whole = {"tracks": [{"id": "1", "label": "car", "keyframes": keyframes}]}
    for document in (value, whole | value if isinstance(value, dict) else value, whole | {"video": value}):
        try:
            read_json(json.dumps(document).encode(), replace(TARGET, frame_count=None))
        except InvalidFile as refused:
            assert refused.errors


def test_tracks_are_regrouped_through_the_disk_in_many_pieces(monkeypatch):
    from annotation.formats import regrouping

    monkeypatch.setattr(regrouping, "STRETCH", 5)
    rng = np.random.default_rng(3)
    tracks = []
    for i in range(1, 30):
        low = rng.uniform(0, 100, (40, 2))
        tracks.append(make_track(str(i), "car", range(40), np.concatenate([low, low + 5], axis=1)))
    whole = Tracks(0, 40, tuple(tracks))
    assert_same(whole, read_json(written(FORMATS["json"].write, content(whole, part_frames=3)), TARGET))
