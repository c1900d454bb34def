"""How hard a segment is."""

from __future__ import annotations

import numpy as np
import pytest

from annotation.core.overlaps import overlaps
from annotation.core.piling import MOST
from annotation.core.tracks import Dense
from review.core.difficulty import difficulty


def scene(*places: float, occluded: bool = False) -> Dense:
    """Objects that stand still on ten frames."""
    boxes = np.array([[[x, 0, x + 40, 60]] * 10 for x in places]).reshape(-1, 10, 4)
    there = np.ones(boxes.shape[:2], bool)
    return Dense(0, ("",) * len(boxes), ("",) * len(boxes), boxes, there, there & occluded)


def test_nothing_on_which_all_agree_is_easy_and_nothing_else_is():
    assert difficulty(scene(), 1.0) == 0
    assert difficulty(scene(), 0.4) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("easy", "hard"),
    [
        ((scene(0), 0.9), (scene(0), 0.7)),
        ((scene(0), 0.9), (scene(0, 100, 200), 0.9)),
        ((scene(0, 100), 0.9), (scene(0, 10), 0.9)),
        ((scene(0, 100), 0.9), (scene(0, 100, occluded=True), 0.9)),
    ],
)
def test_disagreement_density_and_occlusion_make_it_harder(easy, hard):
    assert 0 <= difficulty(*easy) < difficulty(*hard) <= 1


def test_thousands_of_boxes_in_one_place_are_hidden_and_not_compared_with_each_other(monkeypatch):
    compared = []
    monkeypatch.setattr("review.core.difficulty.overlaps", lambda a, b: compared.append(len(a.ids)) or overlaps(a, b))
    heap = scene(*(5 + np.arange(2000) / 1000))
    assert difficulty(heap, 1.0) == pytest.approx(
        1 - (1 - 0.5 * 2000 / 2020) * 0.5
    )  # all that crowding and hiding count
    assert compared == [MOST]
