from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annotation.core.matching import match, track_iou
from annotation.core.tracks import Dense, Tracks, fill, make_track
from crowd.core import comparing, copying, spamming
from crowd.core.comparing import compare
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


@needs_data
def test_two_who_are_both_better_than_the_third_copied_from_nobody():
    good = replace(CARELESS, noise=0.015, bias=0.006, missed=0.0, swaps=0.0)
    drawn = [filled(work(worker, s)) for s, worker in enumerate([good, good, CARELESS])]
    assert alike(drawn) == []


@needs_data
def test_a_copy_of_which_half_was_drawn_anew_is_seen():
    works = [work(CARELESS, s) for s in range(3)]
    copy = spamming.copied(works[0], np.random.default_rng(1), jitter=0.01, dropped=0.5)
    own = filled(work(CARELESS, 7))
    met = match(track_iou(own, filled(copy), labels=False), 0.3).pairs
    fresh = [work(CARELESS, 7).tracks[i] for i in range(len(own.ids)) if i not in met[:, 0]]
    mixed = Tracks(0, 150, copy.tracks + tuple(replace(t, id=f"own{n}") for n, t in enumerate(fresh)))
    assert alike([filled(w) for w in [*works, mixed]]) == [(0, 3)]


@needs_data
def test_what_one_left_where_a_model_put_it_makes_nobody_a_copy_of_them():
    """A copy of boxes that were left alone, with jitter, is as near to everybody else who left them alone."""
    model = work(replace(CARELESS, missed=0.0), 9)
    copy = spamming.copied(model, np.random.default_rng(1), jitter=0.01)
    drawn = [filled(model), filled(copy), filled(work(CARELESS, 2))]
    assert alike(drawn) == [(0, 1)]
    assert alike(drawn, given=filled(model)) == []


def test_what_a_shift_carries_over_the_border_is_outvoted():
    """The last keyframe of a shifted copy lies outside the range: its boxes stand still where the source's move on."""
    rng = np.random.default_rng(3)
    paths = [np.array([[x, y, x + 40, y + 60], [x + 100, y, x + 140, y + 60]]) for x, y in rng.uniform(0, 400, (6, 2))]

    def drawn_by(seed: int) -> Tracks:
        hand = np.random.default_rng(seed)
        tracks = []
        for i, path in enumerate(paths):
            at = np.array([0, 10, 20, 29])
            boxes = (
                path[0] + (path[1] - path[0]) * (at / 29)[:, None] + hand.normal(0, 2.5, 4) + hand.normal(0, 1, (4, 4))
            )
            tracks.append(make_track(str(i), "car", at, boxes))
        return Tracks(0, 30, tuple(tracks))

    works = [drawn_by(s) for s in range(3)]
    copy = spamming.copied(works[0], np.random.default_rng(1), jitter=0.005, shift=3)
    assert alike([filled(w) for w in [*works, copy]]) == [(0, 3)]


@needs_data
def test_who_knows_the_pool_is_not_misled_by_scores_of_a_minority_of_copies():
    usual = copying.usual_of([compare([filled(work(CARELESS, s)) for s in range(3)])])
    with_copy = [filled(work(CARELESS, s)) for s in range(3)]
    with_copy.append(filled(spamming.copied(work(CARELESS, 0), np.random.default_rng(1), jitter=0.005)))
    assert copying.usual_of([compare(with_copy)]).offset == pytest.approx(usual.offset, rel=0.5)
    assert copying.usual_of([]) == copying.USUAL


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
    boxes = comparing.together([fill([a], 0, 4), fill([b, a], 0, 4), fill([b], 0, 4)])
    assert boxes.shape == (3, 2, 4, 4)
    assert np.isnan(boxes[..., 0, 0]).tolist() == [[False, True], [False, False], [True, False]]


def test_groups_hang_together_by_pairs():
    assert groups([], 3) == []
    assert groups([(0, 1), (1, 3)], 5) == [{0, 1, 3}]
    assert groups([(0, 1), (2, 3), (1, 2)], 4) == [{0, 1, 2, 3}]
