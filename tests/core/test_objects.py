"""A full-video track from its segments' tracks: who has the word on what."""

from __future__ import annotations

import pytest

from annotation.core.joins import SegmentTracks
from annotation.core.tracks import Track, Tracks, make_track
from review.core.objects import Growing, Object

SITS, WALKS = {"pose": "sits"}, {"pose": "walks"}


def grown(*parts: tuple[int, int, Track]) -> Object:
    growing = Growing(1)
    for start, stop, track in parts:
        growing.add(SegmentTracks(f"{start}", start, stop, Tracks(start, stop, (track,))), track)
    return growing.grown()


def said(start: int, changes=None, label: str = "car", **attributes) -> Track:
    return make_track("a", label, [start], [[0, 0, 10, 10]], changes=changes or {}, attributes=attributes)


@pytest.mark.parametrize(
    ("earlier", "later", "whole"),
    [
        ({0: SITS, 55: WALKS}, {40: SITS}, {0: SITS, 50: SITS}),
        ({0: SITS, 55: WALKS}, {}, {0: SITS, 55: WALKS}),
        ({0: SITS, 55: {"mood": "good"}}, {70: WALKS}, {0: SITS, 55: {"mood": "good"}, 70: WALKS}),
        ({0: SITS}, {40: {"pose": "lies"}, 45: WALKS}, {0: SITS, 50: WALKS}),
    ],
)
def test_from_the_middle_of_an_overlap_on_the_later_segment_has_the_word_on_what_it_speaks_of(earlier, later, whole):
    assert grown((0, 60, said(0, earlier)), (40, 100, said(40, later))).changes == whole


def test_attributes_are_those_of_the_segments_that_call_it_what_it_is():
    bus = said(90, {90: {"doors": "open"}}, label="bus", decks=2)
    made = grown((0, 100, said(0, {0: {"lights": "on"}}, wheels=4)), (90, 120, bus))
    assert (made.label, made.attributes) == ("car", {"wheels": 4})
    assert made.changes == {0: {"lights": "on"}}


def test_where_an_object_is_away_throughout_it_neither_begins_nor_ends():
    away = make_track("a", "car", [0], [[0, 0, 10, 10]], outside=[True])
    for order in ((away, said(70)), (said(70), away)):
        parts = [(t.frames[0] // 60 * 60, t.frames[0] // 60 * 60 + 60, t) for t in order]
        assert (grown(*parts).start, grown(*parts).stop) == (70, 120)
    assert (grown((0, 60, away)).start, grown((0, 60, away)).stop) == (0, 0)
