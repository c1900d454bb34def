"""How sure a consensus is of its tracks: less where workers confused them, more the more drew them, and never NaN."""

from __future__ import annotations

import numpy as np

from review.core.calibration import confidences, features, purity
from tests.core.test_consensus import agree, submit, walkers


def sure(exchanged: int, right: int = 2) -> float:
    crowd = [submit(*walkers(exchanged=False, noise=0.2 * i), id=f"r{i}") for i in range(right)]
    crowd += [submit(*walkers(exchanged=True, noise=-0.2 * i), id=f"x{i}") for i in range(exchanged)]
    return float(np.mean([t.confidence for t in agree(*crowd).tracks.tracks]))


def test_a_track_on_which_somebody_went_over_to_another_object_is_less_sure():
    assert 1 - sure(1) > 2 * (1 - sure(0, right=3))


def test_more_who_drew_it_make_it_surer():
    assert sure(0, right=2) < sure(0, right=3) < sure(0, right=5)


def test_purity_is_the_share_of_the_tracks_that_lies_in_a_cluster():
    member = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [-1, 1, 1, 1]])
    assert purity(member, 3).tolist() == [6 / 8, 5 / 7, 0.0]


def test_a_whole_short_segment_counts_as_a_whole_longer_one():
    def length(frames: int) -> float:
        boxes = np.tile([0.0, 0.0, 10.0, 10.0], (1, 2, frames, 1))
        there = np.ones((1, 2, frames), bool)
        return float(features(boxes, there, np.zeros(1), boxes[:, 0], there[:, 0], np.ones(1))[0, 3])

    assert length(1) == length(20) == length(70) < length(300)


def test_nothing_is_said_of_nothing():
    none = np.zeros((0, 2, 5), bool)
    table = features(np.zeros((0, 2, 5, 4)), none, np.zeros(0), np.zeros((0, 5, 4)), none[:, 0], np.zeros(0))
    assert confidences(table).shape == (0,)
