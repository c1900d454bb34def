from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from annotation.core.piling import MOST
from annotation.core.tracks import Track, Tracks, make_track
from crowd.core import scoring
from crowd.core.caring import near_edges
from crowd.core.scoring import NothingInCommon, benchmark
from tests.core.cast import SEQUENCES, needs_data, sequence


def still(name: str, x: float = 0.0, first: int = 0, gone: int | None = None, label: str = "car", **more) -> Track:
    frames = [first] if gone is None else [first, gone]
    box = [x, 0, x + 40, 40]
    return make_track(name, label, frames, [box] * len(frames), outside=[False, True][: len(frames)], **more)


def both(*tracks: Track, start: int = 0, stop: int = 100) -> Tracks:
    return Tracks(start, stop, tracks)


def soft(drawn: Tracks, gold: Tracks) -> float:
    return benchmark(drawn, gold, 0, 100).soft_track_f


@needs_data
def test_the_truth_scores_one_in_everything():
    truth = sequence(SEQUENCES[0])
    got = benchmark(truth, truth, 0, truth.stop).to_json()
    shares = ("soft_track_f", "f1", "precision", "recall", "hota", "deta", "assa", "loca", "idf1", "label_accuracy")
    assert {got[k] for k in shares} == {1.0}
    assert (got["switches"], got["mean_iou"], got["start_error"], got["end_error"]) == (0, 1.0, 0.0, 0.0)
    json.dumps(got, allow_nan=False)


def test_nothing_for_nothing_is_right_and_something_for_nothing_is_wrong():
    assert soft(both(), both()) == 1.0
    invented = benchmark(both(still("1")), both(), 0, 100)
    assert (invented.soft_track_f, invented.precision, invented.recall, invented.f1) == (0.0, 0.0, 1.0, 0.0)
    missed = benchmark(both(), both(still("1")), 0, 100)
    assert (missed.soft_track_f, missed.recall, missed.f1, missed.hota) == (0.0, 0.0, 0.0, 0.0)


def test_a_start_five_frames_late_is_forgiven_and_a_later_one_is_not():
    gold = both(still("1", first=20))
    assert soft(both(still("a", first=25)), gold) == 1.0
    assert soft(both(still("a", first=15)), gold) == 1.0
    assert soft(both(still("a", first=26)), gold) == pytest.approx(74 / 75)
    late = benchmark(both(still("a", first=28, gone=90)), both(still("1", first=20, gone=88)), 0, 100)
    assert (late.start_error, late.end_error) == (8.0, 2.0)


def test_the_ends_of_the_range_are_no_coming_and_going():
    gold = both(still("1"))
    assert soft(both(still("a", first=5)), gold) == pytest.approx(0.95)
    assert not near_edges(np.ones((1, 30), bool)).any()
    edge = np.arange(30)[None] >= 10
    assert np.flatnonzero(near_edges(edge)[0]).tolist() == list(range(5, 15))


def test_a_miss_is_not_forgiven_although_its_ends_are():
    got = benchmark(both(still("a")), both(still("1"), still("2", x=100, first=10, gone=60)), 0, 100)
    assert got.soft_track_f == pytest.approx(2 / 3)
    assert got.recall == pytest.approx(100 / 140)
    assert (got.counts["car"].objects, got.counts["car"].found, got.counts["car"].invented) == (2, 1, 0)


def test_tiny_objects_may_be_drawn_or_not():
    tiny = make_track("t", "car", [0], [[200, 200, 210, 214]])
    assert soft(both(still("a")), both(still("1"), tiny)) == 1.0
    assert soft(both(still("a"), tiny), both(still("1"), tiny)) == 1.0
    assert soft(both(still("a"), tiny), both(still("1"))) == 1.0
    small = make_track("t", "car", [0], [[200, 200, 210, 216]])
    assert soft(both(still("a")), both(still("1"), small)) == pytest.approx(2 / 3)


def test_boxes_in_a_region_to_be_ignored_are_neither_asked_for_nor_held_against_anybody():
    region = make_track("r", "car", [0], [[80, 0, 300, 300]], attributes={"ignore": True})
    gold = both(region, still("1"), still("2", x=100))
    assert soft(both(still("a"), still("b", x=100)), gold) == 1.0
    assert soft(both(still("a"), still("b", x=100), still("c", x=200)), gold) == 1.0
    assert soft(both(still("a"), still("c", x=200)), gold) == pytest.approx(2 / 3)
    assert benchmark(both(still("a"), still("c", x=70)), gold, 0, 100).counts["car"].invented == 0


def test_a_wrong_label_costs_the_object_and_is_named():
    got = benchmark(both(still("a", label="dog")), both(still("1")), 0, 100)
    assert (got.soft_track_f, got.label_accuracy, got.hota) == (0.0, 0.0, 0.0)


def test_attributes_are_compared_where_gold_sets_them():
    gold = both(still("1", attributes={"sex": "f"}, changes={0: {"pose": "walks"}, 50: {"pose": "stands"}}))
    right = replace(gold.tracks[0], id="a")
    assert benchmark(both(right), gold, 0, 100).attribute_accuracy == 1.0
    late = replace(right, attributes={"sex": "m"}, changes={0: {"pose": "walks"}, 60: {"pose": "stands"}})
    assert benchmark(both(late), gold, 0, 100).attribute_accuracy == pytest.approx((0 + 0.9) / 2)
    assert benchmark(both(still("a")), both(still("1")), 0, 100).attribute_accuracy is None


def test_only_frames_that_both_speak_of_count():
    gold = both(still("1", first=40), start=40, stop=200)
    drawn = both(still("a", first=0), stop=100)
    assert benchmark(drawn, gold, 0, 100).soft_track_f == 1.0
    with pytest.raises(NothingInCommon, match=r"gold \[40, 200\)"):
        benchmark(both(start=0, stop=40), gold, 0, 40)


def test_the_spread_of_edges_is_that_of_the_noise():
    rng = np.random.default_rng(1)
    boxes = np.tile([0.0, 0, 100, 50], (400, 1))
    gold = Tracks(0, 400, (make_track("1", "car", range(400), boxes),))
    noise = rng.normal(0, 0.06, boxes.shape) * [100, 50, 100, 50]
    drawn = Tracks(0, 400, (make_track("a", "car", range(400), boxes + noise),))
    assert benchmark(drawn, gold, 0, 400).counts["car"].spread == pytest.approx(0.06, rel=0.15)


def test_a_changing_attribute_is_judged_on_the_frames_that_show_the_object():
    gold = both(still("1", gone=20, changes={0: {"pose": "sits"}, 10: {"pose": "walks"}}), stop=300)
    for pose in ("sits", "walks"):
        drawn = both(still("a", gone=20, changes={0: {"pose": pose}}), stop=300)
        assert benchmark(drawn, gold, 0, 300).attribute_accuracy == 0.5


@pytest.mark.parametrize("frames", range(1, 9))
def test_ranges_of_a_few_frames_are_scored(frames: int):
    gold = both(still("1"), stop=frames)
    assert benchmark(both(still("a"), stop=frames), gold, 0, frames).soft_track_f == 1.0
    late = [benchmark(both(still("a", first=f), stop=frames), gold, 0, frames).soft_track_f for f in range(frames)]
    assert late == pytest.approx([1 - f / frames for f in range(frames)])


def test_a_heap_is_invented_whole_and_looked_at_in_part(monkeypatch):
    # 300 drawings of one object of sixty, among which nobody could say which is meant.
    looked = []
    overlaps = scoring.overlaps
    monkeypatch.setattr(scoring, "overlaps", lambda a, b: looked.append(found := overlaps(a, b)) or found)
    boxes = [[10, 10, 50, 90]] * 2
    rest = [make_track(str(k), "car", [0], [[60 * k, 200, 60 * k + 40, 280]]) for k in range(59)]
    gold = Tracks(0, 30, (make_track("59", "car", [0, 29], boxes), *rest))
    heap = Tracks(0, 30, tuple(make_track(str(k), "car", [0, 29], boxes) for k in range(300)))
    score = benchmark(heap, gold, 0, 30)
    assert (score.recall, score.precision) == (1 / 60, 1 / 300)
    assert score.counts["car"].invented == 299
    assert [len(found.iou) for found in looked] == [30 * MOST]
