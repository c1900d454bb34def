from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annotation.core.tracks import Dense, Tracks, fill, make_track
from crowd.core import copying, spamming
from crowd.core.copying import ALIKE, groups, likenesses
from crowd.core.simulation import Worker, draw, perfect
from tests.core.cast import needs_data, sequence

NAME, WIDTH, HEIGHT = "mot15/PETS09-S2L1", 768, 576
CARELESS = Worker("careless")


def work(worker: Worker, seed: int) -> Tracks:
    rng = np.random.default_rng(seed)
    return draw(sequence(NAME), 0, 150, worker, rng, WIDTH, HEIGHT)


def filled(tracks: Tracks) -> Dense:
    return fill(tracks.tracks, tracks.start, tracks.stop)


def alike(drawn: list[Dense], spread: float = 0.05, **more: Dense) -> list[tuple[int, int]]:
    found = likenesses(drawn, [spread] * len(drawn), **more)
    return [pair for pair, one in found.items() if one.score >= ALIKE]


@needs_data
@pytest.mark.parametrize(
    "disguise",
    [{"jitter": 0.0}, {"jitter": 0.02}, {"jitter": 0.01, "shift": 3}, {"jitter": 0.01, "shift": -3, "dropped": 0.4}],
)
def test_copies_are_seen_through_jitter_shifts_and_subsets_and_independent_hands_are_not(disguise):
    works = [work(CARELESS, s) for s in range(4)]
    copy = spamming.copied(works[1], np.random.default_rng(1), **disguise)
    assert alike([filled(w) for w in [*works, copy]]) == [(1, 4)]


@needs_data
def test_two_alone_are_compared_with_what_is_usual():
    one, other = work(CARELESS, 1), work(CARELESS, 2)
    copy = spamming.copied(one, np.random.default_rng(1), jitter=0.002)
    assert alike([filled(one), filled(copy)]) == [(0, 1)]
    assert alike([filled(one), filled(other)]) == []
    # Where the usual worker is as exact as that, nothing is strange about it.
    assert alike([filled(one), filled(copy)], spread=0.004) == []


@needs_data
def test_in_a_scene_that_is_easy_for_all_nobody_stands_out():
    careful = replace(CARELESS, noise=0.006, bias=0.002, swaps=0, keyframe_step=2)
    assert alike([filled(work(careful, s)) for s in range(4)], spread=0.01) == []
    exact = filled(perfect(sequence(NAME), 0, 150))
    assert alike([exact] * 3, spread=0.0) == []


@needs_data
def test_who_is_as_exact_as_gold_copied_from_nobody():
    exact = filled(perfect(sequence(NAME), 0, 150))
    drawn = [exact, exact, filled(work(CARELESS, 3))]
    assert alike(drawn) == [(0, 1)]
    assert alike(drawn, spread=0.0, gold=exact) == []


@needs_data
def test_boxes_left_where_a_model_put_them_say_nothing():
    model = work(replace(CARELESS, missed=0.0), 9)
    works = [work(CARELESS, s) for s in range(3)]
    kept = [Tracks(0, 150, model.tracks[::2] + w.tracks[::3]) for w in works]
    assert alike([filled(w) for w in kept]) != []
    assert alike([filled(w) for w in kept], given=filled(model)) == []


def test_one_object_drawn_alike_is_no_copy():
    one = fill([make_track("1", "car", [0], [[0, 0, 50, 50]])], 0, 20)
    assert alike([one, one]) == []


def test_nothing_drawn_is_like_nothing():
    nothing = fill([], 0, 20)
    assert likenesses([nothing, nothing], [0.05, 0.05]) == {}
    assert likenesses([], []) == likenesses([nothing], [0.05]) == {}


def test_everybody_is_matched_object_by_object():
    a = make_track("a", "car", [0], [[0, 0, 50, 50]])
    b = make_track("b", "car", [0], [[200, 0, 250, 50]])
    boxes = copying.together([fill([a], 0, 4), fill([b, a], 0, 4), fill([b], 0, 4)])
    assert boxes.shape == (3, 2, 4, 4)
    assert np.isnan(boxes[..., 0, 0]).tolist() == [[False, True], [False, False], [True, False]]


def test_groups_hang_together_by_pairs():
    assert groups([], 3) == []
    assert groups([(0, 1), (1, 3)], 5) == [{0, 1, 3}]
    assert groups([(0, 1), (2, 3), (1, 2)], 4) == [{0, 1, 2, 3}]
