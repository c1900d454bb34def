from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.metrics import compare, compare_by_label, count_switches, select
from annotation.core.tracks import Dense, fill
from tests.core.cast import SEQUENCES, as_trackeval, by_trackeval, needs_data, sequence
from tests.core.test_matching import dense, scene


def assert_equals_trackeval(truth: Dense, other: Dense) -> None:
    ours, theirs = asdict(compare(truth, other)), by_trackeval(as_trackeval(truth, other))
    assert {k: v for k, v in ours.items() if abs(v - theirs[k]) > 1e-9} == {}
    assert set(ours) == set(theirs)


def disturbed(truth: Dense, seed: int, noise: float = 0.08) -> Dense:
    """Noisy, with holes, swapped identities, lost tracks and invented ones."""
    rng = np.random.default_rng(seed)
    boxes = select(truth, np.flatnonzero(truth.present.any(axis=1))).boxes.copy()
    size = np.nanmean(boxes[..., 2:] - boxes[..., :2], axis=1, keepdims=True)
    boxes += rng.normal(0, noise, boxes.shape) * np.tile(size, 2)
    frames = boxes.shape[1]
    for _ in range(6):
        i, j = rng.integers(len(boxes), size=2)
        cut = rng.integers(frames)
        boxes[[i, j], cut:] = boxes[[j, i], cut:]
    boxes[rng.random(boxes.shape[:2]) < 0.1] = np.nan
    boxes = boxes[rng.random(len(boxes)) > 0.1]
    copies = boxes[: len(boxes) // 3] + rng.normal(0, 8, (len(boxes) // 3, frames, 4))
    return dense(np.concatenate([boxes, copies]), start=truth.start)


@needs_data
@pytest.mark.parametrize("name", SEQUENCES)
def test_real_truth_against_its_disturbed_self_equals_trackeval(name):
    tracks = sequence(name)
    truth = fill(tracks.tracks, 0, min(tracks.stop, 400))
    assert_equals_trackeval(truth, disturbed(truth, 1))
    assert_equals_trackeval(disturbed(truth, 2, 0.2), disturbed(truth, 3))


@needs_data
def test_truth_against_itself_is_perfect():
    tracks = sequence(SEQUENCES[0])
    truth = fill(tracks.tracks, 0, tracks.stop)
    got = compare(truth, truth)
    assert (got.hota, got.idf1, got.mota, got.switches, got.missed) == (1.0, 1.0, 1.0, 0, 0)


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 6), st.integers(1, 20), st.booleans())
@settings(max_examples=60, deadline=None)
def test_random_crowded_scenes_equal_trackeval(seed, n, m, frames, near):
    truth, other = scene(seed, n, frames, 30, 0.3), scene(seed + 1, m, frames, 30, 0.3)
    if near and n and m:
        other = dense(np.concatenate([other.boxes, truth.boxes + 1.0]))
    assert_equals_trackeval(truth, other)


def test_a_switch_in_the_middle_gives_the_published_figures():
    truth = dense(np.tile([0.0, 0, 10, 10], (1, 10, 1)))
    boxes = np.tile([0.0, 0, 8, 10], (2, 10, 1))
    boxes[0, 5:] = boxes[1, :5] = np.nan
    got = compare(truth, dense(boxes))
    figures = (got.hota, got.deta, got.assa, got.idf1, got.mota)
    assert figures == pytest.approx((0.595458, 0.842105, 0.421053, 0.5, 0.9), abs=1e-6)


def test_a_pair_of_the_frame_before_is_kept_although_another_is_nearer():
    truth = dense(np.tile([0.0, 0, 10, 10], (1, 2, 1)))
    boxes = np.tile([0.0, 0, 10, 10], (2, 2, 1))
    boxes[0, 1] = [0, 0, 9, 10]
    boxes[1, 0] = np.nan
    assert compare(truth, dense(boxes)).switches == 0


def test_a_switch_over_an_absence_is_counted_once():
    assert count_switches(np.array([[0, 0, -1, 1, 1], [2, -1, -1, 2, -1]])) == 1


def test_labels_count_only_where_they_are_asked_for():
    box = np.tile([0.0, 0, 10, 10], (1, 3, 1))
    car, dog = dense(box, ("car",)), dense(box, ("dog",))
    assert compare(car, dog).hota == 1.0
    assert compare(car, dog, labels=True).hota == 0.0
    split = compare_by_label(car, dog)
    assert (split["car"].missed, split["car"].invented, split["dog"].invented) == (3, 0, 3)


def test_order_of_tracks_changes_nothing():
    truth, other = scene(3, 6, 30), scene(4, 5, 30)
    turned = replace(select(other, range(4, -1, -1)), start=0)
    assert asdict(compare(truth, other)) == pytest.approx(asdict(compare(select(truth, [2, 1, 0, 5, 4, 3]), turned)))
