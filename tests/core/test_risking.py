"""What one more worker is worth, where it is known what counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Tracks, make_track
from review.core.consensus import Submission, make_consensus
from review.core.existing import COINCIDENCE, HARD, HIT, MOST_MISSED
from review.core.risking import (
    HARDEST,
    HIT_HARD,
    NAMED,
    OF_ITS_OWN,
    SETTLED,
    SINGLE_OFF,
    TAIL,
    TOLD,
    Known,
    Worth,
    expected_gain,
)

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


def naive(odds, exists, votes, tied, off, frames, halved, hits, worth: Worth) -> float:
    """Loss now minus loss after one more, object by object, by Bayes' rule."""
    gained = weight = 0.0
    for k, log_odds in enumerate(odds):
        real = 1 / (1 + math.exp(-log_odds))
        after = 0.0
        for if_real, if_not in ((HIT, COINCIDENCE), (1 - HIT, 1 - COINCIDENCE)):  # draws it, does not
            chance = real * if_real + (1 - real) * if_not
            then = real * if_real / chance
            after += chance * min(then, 1 - then)
        gained += frames[k] * max(0.0, (1 - real if exists[k] else real) - after)
        weight += frames[k] * real
        if exists[k]:
            n = max(1, sum(votes[k]))
            single = off[k] / math.sqrt(1 - 1 / n) if n > 1 else SINGLE_OFF
            now, then = single / math.sqrt(n), single / math.sqrt(n + 1)
            if worth.right_from is not None:  # a wrong box is one missed and one invented
                now, then = (2 * math.exp(-TAIL * (1 - worth.right_from) / max(x, 1e-9)) for x in (now, then))
            gained += frames[k] * real * (now - then) + (frames[k] * real * (NAMED - 0.5) if tied[k] else 0.0)
            gained += halved[k] * real * (TOLD - 0.5)
    misses = [1 - min(max(hit, 0.02), 0.98) for hit in hits]
    missed = math.prod(misses)
    if worth.usual:
        hard = math.prod(max(miss, min(HARDEST * miss, MOST_MISSED)) for miss in misses)
        return gained / worth.usual + (1 - HARD) * missed * HIT + HARD * hard * HIT_HARD
    unseen = weight * missed / (1 - missed) * HIT * SETTLED if weight else 0.0
    return (gained + unseen) / weight if weight else 0.0


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 0.0, 80.0]), st.sampled_from([None, 0.5, 1.0]))
def test_the_gain_is_what_bayes_rule_says_object_by_object(seed: int, usual: float | None, right_from: float | None):
    rng = np.random.default_rng(seed)
    k, w = rng.integers(0, 6), rng.integers(1, 5)
    odds = rng.choice([-40.0, -2.0, -0.3, 0.0, 0.5, 3.0, 40.0], k)
    exists, tied = rng.random((2, k)) < 0.6
    votes, off = rng.random((k, w)) < 0.6, rng.choice([0.0, 0.1, 0.6], k)
    frames = rng.integers(0, 60, k).astype(float)
    halved, hits = frames * rng.choice([0.0, 0.3], k), rng.choice([0.0, 0.3, 0.9, 1.0], w)
    known, worth = (odds, exists, votes, tied, off, frames, halved), Worth(usual, right_from)
    given_in = Known(odds=odds, exists=exists, votes=votes, tied=tied, off=off, frames=frames, halved=halved)
    assert expected_gain(given_in, hits, worth) == pytest.approx(naive(*known, hits, worth), rel=1e-9, abs=1e-12)
