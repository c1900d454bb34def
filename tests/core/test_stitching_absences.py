"""Objects that leave and come back, across borders and across whole segments."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from annotation.core.segments import cut
from annotation.core.stitching import stitch
from tests.core.test_stitching import assert_whole, groups, slice_all, walk


def hide(object_, start, stop):
    frames, boxes = object_
    seen = (frames < start) | (frames >= stop)
    return frames[seen], boxes[seen]


@pytest.mark.parametrize("gap", [8, 20, 60, 100])
def test_an_object_that_comes_back_on_its_way_keeps_its_identity(gap):
    objects = {
        "hidden": hide(walk(0, 0, 3, (0, 400)), 150, 150 + gap),
        "other": walk(900, 200, -3, (0, 400), size=(30, 70)),
    }
    segments, names = slice_all(objects, cut(400, 60, 5), np.random.default_rng(2))
    assert_whole(stitch(segments), names)


def test_an_absence_within_a_segment_is_the_segments_matter():
    objects = {"hidden": hide(walk(0, 0, 0, (0, 100)), 20, 40)}
    segments, names = slice_all(objects, cut(100, 60, 10))
    assert_whole(stitch(segments), names)


def test_a_parked_object_is_known_again_after_several_whole_segments():
    objects = {"parked": hide(walk(50, 50, 0, (0, 700)), 100, 600), "passes": walk(0, 300, 2, (0, 700))}
    segments, names = slice_all(objects, cut(700, 60, 10), np.random.default_rng(2))
    stitched = stitch(segments)
    assert_whole(stitched, names)
    assert [j.kind for j in stitched.joins].count("gap") == 1


@pytest.mark.parametrize("change", [{"size": (30.0, 60.0)}, {"x": 400.0}, {"dx": -3.0}])
def test_somebody_else_who_comes_later_is_not_the_one_who_left(change):
    arrives = {"x": 600.0, "y": 0.0, "dx": 3.0, "frames": (200, 300)} | change
    objects = {"leaves": walk(0, 0, 3, (0, 150)), "arrives": walk(**arrives)}
    segments, names = slice_all(objects, cut(300, 60, 10))
    assert_whole(stitch(segments), names)


def test_a_return_that_a_common_segment_shows_as_two_objects_is_none():
    objects = {"first": walk(0, 0, 0, (0, 20)), "second": walk(0, 0, 0, (30, 55))}
    segments, _ = slice_all(objects, [(0, 60), (50, 110)])
    assert len(groups(stitch(segments))) == 2


def test_an_object_of_another_label_is_not_the_one_who_left():
    segments, _ = slice_all({"a": hide(walk(0, 0, 0, (0, 200)), 60, 130)}, cut(200, 60, 10))
    assert len(groups(stitch(segments))) == 1
    for at, segment in enumerate(segments):
        if segment.start > 60:
            cars = tuple(dataclasses.replace(track, label="car") for track in segment.tracks.tracks)
            segments[at] = dataclasses.replace(segment, tracks=dataclasses.replace(segment.tracks, tracks=cars))
    assert len(groups(stitch(segments))) == 2
