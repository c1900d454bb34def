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


def test_a_box_that_is_right_anyway_is_not_worth_asking_for_where_nearness_is_nothing():
    near, far = [(0, 6, 3), (0, 18, 9)]
    as_in_hota, as_found = ([gain(*some, worth=w) for some in (near, far)] for w in (OF_ITS_OWN, Worth(right_from=0.5)))
    assert as_found[0] < as_in_hota[0] / 4
    assert as_found[1] / as_found[0] > 3 * as_in_hota[1] / as_in_hota[0] > 3
    assert gain(*far, worth=Worth(right_from=0.8)) > as_found[1]


@pytest.mark.parametrize(("narrow", "matters"), [(0.0, True), (39.0, True), (40.0, False)])
def test_nobody_is_asked_because_of_what_is_too_narrow_to_count(narrow, matters):
    worth = Worth(usual=80.0, narrow=narrow)
    assert (gain(0, 200, worth=worth) > gain(None, None, worth=worth) + 0.01) is matters
