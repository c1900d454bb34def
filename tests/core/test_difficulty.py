"""How hard a segment is."""

from __future__ import annotations

import numpy as np
import pytest

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
