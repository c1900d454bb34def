"""What one more worker is worth, where it is known what counts."""

from __future__ import annotations

import pytest

from annotation.core.tracks import Tracks, make_track
from review.core.consensus import Submission, make_consensus
from review.core.risking import OF_ITS_OWN, Worth

FRAMES = 60


def gain(*places: float | None, worth: Worth = OF_ITS_OWN) -> float:
    """Of workers who drew one object, 40 px wide, at a place each, or nothing."""
    drawn = [
        () if x is None else (make_track("1", "car", [0, FRAMES - 1], [[x, 0.0, x + 40, 60.0]] * 2),) for x in places
    ]
    some = [Submission(str(n), f"w{n}", Tracks(0, FRAMES, tracks)) for n, tracks in enumerate(drawn)]
    return make_consensus(some, 0, FRAMES, worth=worth).gain


def test_what_nobody_drew_is_worth_asking_for_where_such_segments_usually_have_something():
    usual = Worth(usual=80.0)
    assert gain(None, None) == gain(None, None, worth=Worth(usual=0.0)) == 0
    assert gain(None, None, worth=usual) > gain(None, None, None, worth=usual) > 0
    assert gain(0, 6, worth=usual) > gain(None, None, worth=usual)


def test_a_box_that_comes_nearer_is_worth_less_where_nearness_is():
    gains = [gain(0, 6, worth=Worth(nearness=n)) for n in (0.0, 0.3, 1.0)]
    assert gains == sorted(set(gains)) and gains[0] > 0


@pytest.mark.parametrize(("narrow", "matters"), [(0.0, True), (39.0, True), (40.0, False)])
def test_nobody_is_asked_because_of_what_is_too_narrow_to_count(narrow, matters):
    worth = Worth(usual=80.0, narrow=narrow)
    assert (gain(0, 200, worth=worth) > gain(None, None, worth=worth) + 0.01) is matters
