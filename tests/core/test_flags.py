from __future__ import annotations

import numpy as np
import pytest

from annotation.core.tracks import Dense, Tracks, fill, make_track
from crowd.core.flags import draws_little, drifting, never_moves, no_better_than_chance, same_everywhere, too_fast
from crowd.core.simulation import Worker, draw, perfect
from tests.core.cast import needs_data, sequence

NAME, WIDTH, HEIGHT = "mot15/PETS09-S2L1", 768, 576
CARELESS = Worker("careless")


def drawn(worker: Worker, start: int = 0, stop: int = 150, seed: int = 0) -> Dense:
    rng = np.random.default_rng([seed, start])
    return filled(draw(sequence(NAME), start, stop, worker, rng, WIDTH, HEIGHT))


def filled(tracks: Tracks) -> Dense:
    return fill(tracks.tracks, tracks.start, tracks.stop)


def truth(start: int = 0, stop: int = 150) -> Dense:
    return filled(perfect(sequence(NAME), start, stop))


def parked(start: int, stop: int) -> Dense:
    cars = [make_track(str(i), "car", [start], [[i * 60, 0, i * 60 + 50, 40]]) for i in range(3)]
    return fill(cars, start, stop)


@pytest.mark.parametrize(("work_s", "flagged"), [(1.9, True), (2.1, False), (60, False)])
def test_a_fifth_of_the_usual_time_per_object_is_too_fast(work_s, flagged):
    flag = too_fast(work_s=work_s, objects=2, pool_s=[4, 5, 5, 5, 90])
    assert (flag is not None) == flagged
    if flag:
        assert flag.to_json() == {"code": "too_fast", "evidence": {"s_per_object": 0.95, "usual_s_per_object": 5.0}}


def test_nobody_is_too_fast_before_the_usual_is_known():
    assert too_fast(work_s=0.1, objects=9, pool_s=[30.0] * 4) is None
    assert too_fast(work_s=0.1, objects=0, pool_s=[30.0] * 5).code == "too_fast"


@needs_data
def test_boxes_that_never_move_where_others_do_are_seen():
    assert never_moves(drawn(Worker("s", spammer="static")), truth()).code == "never_moves"
    assert never_moves(drawn(CARELESS), truth()) is None


def test_resting_boxes_on_resting_objects_are_right():
    assert never_moves(parked(0, 50), parked(0, 50)) is None
    assert never_moves(fill([], 0, 50), parked(0, 50)) is None


@needs_data
def test_the_same_boxes_in_every_segment_are_seen():
    starts = (0, 150, 300)
    meant = [truth(s, s + 150) for s in starts]
    same = [drawn(Worker("s", spammer="same"), s, s + 150) for s in starts]
    assert same_everywhere(same, meant).evidence == {
        "segments": [[0, 150], [0, 300], [150, 300]],
        "times": 3,
        "tasks": 3,
    }
    assert same_everywhere([drawn(CARELESS, s, s + 150) for s in starts], meant) is None


def test_the_same_boxes_on_what_rests_are_right():
    segments = [parked(0, 50), parked(50, 90)]
    assert same_everywhere(segments, segments) is None


def test_one_object_of_many_in_every_task_is_too_little():
    flag = draws_little([1, 1, 0, 1], [4, 3, 5, 1])
    assert flag.evidence == {"objects": 0.667, "usual_objects": 4.0, "tasks": 3}
    assert draws_little([1, 1, 2], [4, 3, 5]) is None
    assert draws_little([1, 1], [4, 4]) is None
    assert draws_little([1, 1, 1], [1, 2, 1]) is None


def test_agreement_like_that_of_unrelated_answers_is_seen():
    rng = np.random.default_rng(2)
    chance = np.clip(rng.normal(0.1, 0.05, 200), 0, 1).tolist()
    flag = no_better_than_chance([0.08, 0.12, 0.1], chance)
    assert (flag.code, flag.evidence["tasks"]) == ("no_better_than_chance", 3)
    assert no_better_than_chance([0.5, 0.3, 0.4], chance) is None
    assert no_better_than_chance([0.0, 0.0], chance) is None


def test_falling_gold_scores_are_seen_and_noisy_ones_are_not():
    assert drifting([0.9, 0.88, 0.91, 0.6, 0.55, 0.5]).evidence == {"early": 0.897, "late": 0.55, "golds": 6}
    assert drifting([0.9, 0.5, 0.8, 0.6, 0.9, 0.5]) is None
    assert drifting([0.5, 0.5, 0.5, 0.9, 0.9, 0.9]) is None
    assert drifting([0.9, 0.9, 0.1, 0.1]) is None


def test_a_fall_after_a_long_good_time_is_seen():
    assert drifting([0.9, 0.92] * 200 + [0.5, 0.6] * 5).evidence["golds"] == 20
