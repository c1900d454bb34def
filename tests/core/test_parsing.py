from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.keyframes import Bounds, keyframe_problems, read_keyframes
from annotation.core.parsing import InvalidTracks, Limits, parse_tracks
from annotation.core.tracks import Tracks, from_json, to_json
from tests.core.documents import document, keyframe, ontology

ROOM = {"ontology": ontology(), "start": 100, "stop": 200, "width": 640, "height": 480}


def parse(data: Any, **more: Any) -> Tracks:
    return parse_tracks(data, **(ROOM | more))


def problems(data: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(InvalidTracks) as caught:
        parse(data, **more)
    return {p.pointer: p.message for p in caught.value.errors}


EXAMPLE = {
    "tracks": [
        {
            "id": "7",
            "label": "person",
            "attributes": {"sex": "f"},
            "keyframes": [
                {
                    "frame": 120,
                    "points": [10.0, 20.5, 60.0, 180.0],
                    "outside": False,
                    "occluded": False,
                    "attributes": {"pose": "walking"},
                }
            ],
        }
    ],
    "intervals": [{"label": "car", "start": 130, "stop": 180, "track": "7", "attributes": {}}],
}


def test_the_contract_s_example_is_read_and_written_back_the_same():
    assert to_json(parse(EXAMPLE)) == EXAMPLE


def test_what_may_be_left_out_may_be_left_out():
    tracks = parse(
        {"tracks": [{"id": "1", "label": "car", "keyframes": [keyframe(120), {"frame": 130, "outside": True}]}]}
    )
    assert tracks.tracks[0].outside.tolist() == [False, True]
    assert np.isnan(tracks.tracks[0].points[1]).all()
    assert tracks.intervals == ()


def test_keyframes_in_any_order_come_out_sorted():
    changes = {"attributes": {"pose": "lying"}}
    track = parse(document(keyframe(130, (1, 2, 3, 4)), keyframe(110, **changes))).tracks[0]
    assert track.frames.tolist() == [110, 130]
    assert track.points[1].tolist() == [1, 2, 3, 4]
    assert track.changes == {110: {"pose": "lying"}}


def test_no_tracks_at_all_is_a_valid_answer():
    assert parse({"tracks": []}).tracks == ()


@pytest.mark.parametrize(
    ("bad", "pointer", "says"),
    [
        (keyframe(99), "frame", "outside the frames 100 to 199"),
        (keyframe(200), "frame", "outside the frames 100 to 199"),
        (keyframe(120.0), "frame", "whole number"),
        (keyframe(True), "frame", "whole number"),
        (keyframe(10**400), "frame", "a huge number"),
        ({"points": [1, 2, 3, 4]}, "frame", "whole number"),
        (keyframe(120, (math.nan, 0, 5, 5)), "points", "finite"),
        (keyframe(120, (0, 0, math.inf, 5)), "points", "finite"),
        (keyframe(120, (0, 0, 10**400, 5)), "points", "too large"),
        (keyframe(120, (0, 0, 1e300, 5)), "points", "farther out"),
        (keyframe(120, (50, 0, 40, 5)), "points", "inverted"),
        (keyframe(120, (50, 0, 50, 5)), "points", "no area"),
        (keyframe(120, (0, 0, True, 5)), "points", "must be a number"),
        (keyframe(120, (0, 0, "9", 5)), "points", "must be a number"),
        (keyframe(120, (0, 0, 5)), "points", "4 numbers"),
        (keyframe(120, "0000"), "points", "must be a list"),
        (keyframe(120, None), "points", "needs points"),
        (keyframe(120, (-50, 0, 0, 5)), "points", "wholly outside the picture"),
        (keyframe(120, (0, 480, 5, 500)), "points", "wholly outside the picture"),
        (keyframe(120, outside=1), "outside", "true or false"),
        (keyframe(120, occluded="no"), "occluded", "true or false"),
        (keyframe(120, attributes={"hat": "red"}), "attributes/hat", "no attribute 'hat'"),
        (keyframe(120, attributes={"sex": "f"}), "attributes/sex", "track as a whole"),
        (keyframe(120, attributes={"running": 1}), "attributes/running", "true or false"),
        (keyframe(120, attributes=["pose"]), "attributes", "must be an object"),
    ],
)
def test_a_wrong_keyframe_is_named_by_pointer(bad, pointer, says):
    found = problems(document(keyframe(110), keyframe(111), keyframe(112), bad))
    assert list(found) == [f"/tracks/0/keyframes/3/{pointer}"]
    assert says in found[f"/tracks/0/keyframes/3/{pointer}"]


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"label": "cat"}, "label", "'cat' is no label of the project; there are: 'person', 'car'"),
        ({"label": None}, "label", "must be a text"),
        ({"id": None}, "id", "must be a text"),
        ({"id": "x" * 101}, "id", "101 characters"),
        ({"id": "a\x00b"}, "id", "control characters"),
        ({"id": "\ud800"}, "id", "broken Unicode"),
        ({"keyframes": []}, "keyframes", "one keyframe or more"),
        ({"keyframes": {"0": keyframe(120)}}, "keyframes", "one keyframe or more"),
        ({"keyframes": [{"frame": 120, "outside": True}]}, "keyframes", "one must be visible"),
        ({"attributes": {"sex": "x"}}, "attributes/sex", "not one of 'f', 'm'"),
        ({"attributes": {"age": True}}, "attributes/age", "must be a number"),
        ({"attributes": {"age": math.inf}}, "attributes/age", "finite"),
        ({"attributes": {"pose": "up"}}, "attributes/pose", "set it on keyframes"),
        ({"attributes": {"a/b~c": 1}}, "attributes/a~1b~0c", "no attribute"),
        ({"attributes": "none"}, "attributes", "must be an object"),
    ],
)
def test_a_wrong_track_is_named_by_pointer(change, pointer, says):
    found = problems(document(keyframe(120)) | {"tracks": [document(keyframe(120))["tracks"][0] | change]})
    assert list(found) == [f"/tracks/0/{pointer}"]
    assert says in found[f"/tracks/0/{pointer}"]


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"label": "crossing"}, "label", "no label"),
        ({"start": 90}, "start", "outside the frames"),
        ({"start": 130.5}, "start", "whole number"),
        ({"stop": 201}, "stop", "at most 200"),
        ({"stop": 130}, "stop", "after the start"),
        ({"track": "8"}, "track", "no track '8'"),
        ({"attributes": {"hat": 1}}, "attributes/hat", "no attribute"),
    ],
)
def test_a_wrong_interval_is_named_by_pointer(change, pointer, says):
    found = problems(EXAMPLE | {"intervals": [EXAMPLE["intervals"][0] | change]})
    assert list(found) == [f"/intervals/0/{pointer}"]
    assert says in found[f"/intervals/0/{pointer}"]


def test_boxes_partly_outside_the_picture_are_kept_as_drawn():
    drawn = [-40.5, -3.0, 700.0, 500.0]
    assert parse(document(keyframe(120, tuple(drawn)))).tracks[0].points.tolist() == [drawn]


def test_an_outside_keyframe_may_lie_beyond_the_picture():
    gone = keyframe(130, (700, 0, 720, 20), outside=True)
    assert parse(document(keyframe(120), gone)).tracks[0].outside.tolist() == [False, True]


def test_without_a_picture_size_a_box_may_lie_anywhere():
    assert parse(document(keyframe(120, (-50, 0, -10, 5))), width=None, height=None).tracks


def test_two_keyframes_on_one_frame_point_at_the_second():
    found = problems(document(keyframe(120), keyframe(130), keyframe(120)))
    assert found == {"/tracks/0/keyframes/2/frame": "keyframe 0 is on frame 120 already"}


def test_two_tracks_of_one_id_point_at_the_second():
    twice = document(keyframe(120))["tracks"] * 2
    assert problems({"tracks": twice}) == {"/tracks/1/id": "track 0 has the id '7' already"}


def test_a_number_is_taken_as_an_id():
    assert parse(document(keyframe(120), id=7)).tracks[0].id == "7"


def test_keyframes_lie_on_multiples_of_the_frame_step():
    found = problems(document(keyframe(110), keyframe(112)), frame_step=5)
    assert found == {"/tracks/0/keyframes/1/frame": "frame 112 is no multiple of 5"}


def test_all_problems_are_told_at_once():
    data = {"tracks": [{"id": "1"}, document(keyframe(1), keyframe(2))["tracks"][0]], "intervals": 3}
    assert list(problems(data)) == [
        "/tracks/0/label",
        "/tracks/0/keyframes",
        "/tracks/1/keyframes/0/frame",
        "/tracks/1/keyframes/1/frame",
        "/intervals",
    ]


def test_a_flood_of_problems_is_cut_and_says_so():
    with pytest.raises(InvalidTracks) as caught:
        parse(document(*[keyframe(f) for f in range(1000, 1500)]))
    assert len(caught.value.errors) == 101
    assert "only the first 100" in caught.value.errors[-1].message


@pytest.mark.parametrize(
    ("limits", "pointer"),
    [(Limits(tracks=0), "/tracks"), (Limits(keyframes=1), "/tracks"), (Limits(intervals=0), "/intervals")],
)
def test_too_many_shapes_are_refused_as_a_whole(limits, pointer):
    data = EXAMPLE | {"tracks": document(keyframe(120), keyframe(121))["tracks"]}
    assert pointer in problems(data if pointer == "/tracks" else EXAMPLE, limits=limits)


def test_the_promised_size_fits():
    boxes = [keyframe(100 + f) for f in range(50)]
    tracks = [{"id": str(i), "label": "car", "keyframes": boxes} for i in range(2000)]
    assert len(parse({"tracks": tracks}).tracks) == 2000


def test_without_an_ontology_any_label_is_taken_but_still_no_nonsense():
    assert parse(document(keyframe(120), label="tram", attributes={"line": 7}), ontology=None)
    assert list(problems(document(keyframe(120), label="tram", attributes={"line": [7]}), ontology=None)) == [
        "/tracks/0/attributes/line"
    ]


def test_drafts_may_hold_tracks_that_have_no_box_yet():
    assert len(parse(document(), allow_empty=True).tracks[0].frames) == 0


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**4000)
words = st.sampled_from(
    ["tracks", "intervals", "id", "label", "keyframes", "frame", "points", "outside", "occluded", "attributes", "sex"]
) | st.text(max_size=3)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5), max_leaves=20
)


@given(anything)
def test_any_json_is_read_or_refused_and_nothing_else_happens(data):
    for schema in (None, ontology()):
        try:
            assert isinstance(parse(data, ontology=schema), Tracks)
        except InvalidTracks as refused:
            "".join(p.pointer + p.message for p in refused.errors).encode()


@given(st.data())
def test_one_part_replaced_by_anything_is_read_or_refused(data):
    changed = copy.deepcopy(EXAMPLE)
    part: Any = changed
    while True:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
            part[key] = data.draw(anything)
            break
        part = part[key]
    try:
        tracks = parse(changed)
    except InvalidTracks as refused:
        assert refused.errors
    else:
        assert to_json(from_json(to_json(tracks), 100, 200)) == to_json(tracks)


numbers = st.sampled_from([-1e9, -20.0, -1, 0, 1e-9, 5, 5.0, 11, 20, 30, math.inf, math.nan, True, "5", None, 10**400])
boxes = st.none() | st.lists(numbers, min_size=3, max_size=5) | st.just([1, 1, 5, 5])
flags = st.sampled_from([True, False, False, None, 0])
loose = st.fixed_dictionaries(
    {"frame": st.sampled_from([0, 1, 2, 3, 4, 5, 9, -1, 4.0, True, None])},
    optional={"points": boxes, "outside": flags, "occluded": flags},
)


@given(st.lists(loose, min_size=1, max_size=3), st.sampled_from([1, 2]), st.sampled_from([None, 10]))
def test_the_quick_check_and_the_slow_one_agree(keyframes, frame_step, side):
    bounds = Bounds(0, 6, side, side, frame_step)
    assert (read_keyframes(keyframes, bounds) is None) == bool(list(keyframe_problems(keyframes, bounds)))
