from __future__ import annotations

import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from annotation.core import overlaps as listing
from annotation.core.boxes import iou
from annotation.core.matching import (
    best_pairs,
    hard_f1,
    link_iou,
    match,
    soft_f,
    track_iou,
    track_soft_f,
    track_soft_fs,
)
from annotation.core.overlaps import RangesDiffer, overlaps, overlaps_among, overlaps_in_parts
from annotation.core.tracks import Dense, fill, make_track


def dense(boxes: np.ndarray, labels: tuple[str, ...] | None = None, start: int = 0) -> Dense:
    boxes = np.asarray(boxes, float)
    present = ~np.isnan(boxes[..., 0])
    ids = tuple(str(i) for i in range(len(boxes)))
    return Dense(start, ids, labels or ("car",) * len(boxes), boxes, present, np.zeros_like(present))


def scene(seed: int, tracks: int, frames: int, spread: float = 60.0, absent: float = 0.3) -> Dense:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, spread, (tracks, 1, 2)) + rng.normal(0, 1, (tracks, frames, 2)).cumsum(axis=1)
    boxes = np.concatenate([corner, corner + rng.uniform(0, 30, (tracks, 1, 2))], axis=2)
    boxes[rng.random((tracks, frames)) < absent] = np.nan
    labels = tuple(rng.choice(["car", "dog"], tracks).tolist())
    return dense(boxes, labels)


def naive_best(table: np.ndarray) -> float:
    table = table if table.shape[0] <= table.shape[1] else table.T
    sums = [sum(table[i, j] for i, j in enumerate(p)) for p in permutations(range(table.shape[1]), table.shape[0])]
    return max(sums, default=0.0)


tables = st.integers(0, 5).flatmap(
    lambda n: st.integers(0, 5).flatmap(
        lambda m: st.lists(
            st.one_of(st.just(0.0), st.floats(0.0, 1.0), st.sampled_from([0.25, 0.5, 1.0])),
            min_size=n * m,
            max_size=n * m,
        ).map(lambda values: np.array(values).reshape(n, m))
    )
)


@given(tables, st.sampled_from([0.0, 0.3, 0.5]))
def test_a_matching_has_the_greatest_sum_of_all(table, floor):
    found = match(table, floor)
    allowed = np.where((table > 0) & (table >= floor), table, 0.0)
    row, column = found.pairs.T
    assert allowed[row, column].sum() == pytest.approx(naive_best(allowed), abs=1e-12)
    assert (allowed[row, column] > 0).all()
    assert sorted([*row, *found.left]) == list(range(table.shape[0])) and list(row) == sorted(row)
    assert sorted([*column, *found.right]) == list(range(table.shape[1]))


@given(tables)
def test_the_sparse_way_has_the_greatest_sum_of_all(table):
    row, column = np.nonzero(table)
    chosen = best_pairs(row, column, table[row, column])
    assert table[row, column][chosen].sum() == pytest.approx(naive_best(table), abs=1e-12)
    assert len(set(row[chosen])) == len(set(column[chosen])) == chosen.sum()


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.19))
@settings(max_examples=40)
def test_a_large_sparse_matching_equals_the_whole_solver(seed, density):
    rng = np.random.default_rng(seed)
    table = rng.random((30, 40)) * (rng.random((30, 40)) < density)
    pairs = match(table).pairs
    at, to = linear_sum_assignment(table, maximize=True)
    assert {(i, j) for i, j in zip(at, to, strict=True) if table[i, j] > 0} == set(map(tuple, pairs.tolist()))


def test_no_evidence_is_no_match():
    assert match([[np.nan, 0.4], [np.nan, np.nan]]).pairs.tolist() == [[0, 1]]


def test_a_similarity_that_is_no_table_is_refused():
    with pytest.raises(ValueError, match="table"):
        match([0.1, 0.2])


def test_f_of_nothing_and_nothing_is_one_and_of_something_and_nothing_is_zero():
    for measure in (soft_f, hard_f1):
        assert measure(np.zeros((0, 0))) == 1.0
        assert measure(np.zeros((3, 0))) == 0.0
        assert measure(np.zeros((0, 2))) == 0.0


def test_two_boxes_cannot_take_the_same_object():
    assert soft_f([[1.0], [0.9]]) == pytest.approx(2 / 3)
    assert hard_f1([[1.0], [0.9]]) == pytest.approx(2 / 3)
    assert hard_f1([[0.4]], 0.5) == 0.0


def naive_pairs(a: Dense, b: Dense) -> np.ndarray:
    """(n, m, frames) IoU, 0 where either is absent."""
    out = np.zeros((len(a.ids), len(b.ids), a.present.shape[1]))
    for f in range(out.shape[2]):
        for i in np.flatnonzero(a.present[:, f]):
            for j in np.flatnonzero(b.present[:, f]):
                out[i, j, f] = iou(a.boxes[i, f][None], b.boxes[j, f][None])[0, 0]
    return out


@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 4), st.integers(0, 40), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_similarities_of_tracks_equal_the_naive_loop(seed, n, m, frames, n_min):
    a, b = scene(seed, n, frames), scene(seed + 1, m, frames)
    naive = naive_pairs(a, b)
    sparse = np.zeros_like(naive)
    found = overlaps(a, b)
    sparse[found.left, found.right, found.frame] = found.iou
    assert np.array_equal(sparse, naive)
    for labels in (True, False):
        scored, linked = track_iou(a, b, labels=labels), link_iou(a, b, n_min, labels=labels)
        for i in range(n):
            for j in range(m):
                same = a.labels[i] == b.labels[j] or not labels
                either = (a.present[i] | b.present[j]).sum()
                common = (a.present[i] & b.present[j]).sum()
                total = naive[i, j].sum()
                assert scored[i, j] == pytest.approx(total / either if same and either else 0.0)
                want = total / common if same and common >= n_min else np.nan
                assert linked[i, j] == pytest.approx(want, nan_ok=True)


def test_tracks_longer_than_one_slab_are_compared_to_their_end():
    truth = fill([make_track("a", "car", [0], [[0, 0, 10, 10]])], 0, 5000)
    half = fill([make_track("b", "car", [2500], [[0, 0, 10, 10]])], 0, 5000)
    assert track_iou(truth, half)[0, 0] == pytest.approx(0.5)
    assert link_iou(truth, half)[0, 0] == 1.0


def test_the_same_tracks_agree_fully_whatever_their_order():
    a = scene(7, 6, 50)
    turned = Dense(a.start, a.ids[::-1], a.labels[::-1], a.boxes[::-1], a.present[::-1], a.occluded[::-1])
    assert track_soft_f(a, turned) == pytest.approx(1.0)


@pytest.mark.parametrize("labels", [True, False])
def test_of_many_tracks_the_same_share_is_found_as_by_the_whole_table(labels):
    a, b = scene(11, 60, 40), scene(12, 50, 40)
    assert 0 < track_soft_f(a, b, labels=labels) == pytest.approx(soft_f(track_iou(a, b, labels=labels)))


def test_several_sets_are_compared_as_two_by_two():
    some = [scene(seed, 5, 40) for seed in range(4)]
    pairs = [(0, 1), (1, 3), (2, 2), (3, 0)]
    compared = np.zeros((4, 4), bool)
    compared[tuple(zip(*pairs, strict=True))] = True
    together = overlaps_among(some, compared)
    for i, j in pairs:
        alone = overlaps(some[i], some[j])
        assert len(alone.iou) > 0
        both = (together.left // 5 == i) & (together.right // 5 == j)
        for name, first in (("left", 5 * i), ("right", 5 * j), ("frame", 0), ("iou", 0)):
            assert np.array_equal(getattr(together, name)[both] - first, getattr(alone, name))
    assert len(together.iou) == sum(len(overlaps(some[i], some[j]).iou) for i, j in pairs)


def test_several_sets_are_compared_with_one_as_each_alone():
    *some, one = (scene(seed, tracks, 40) for seed, tracks in enumerate((5, 0, 40, 5)))
    alone = [track_soft_f(dense, one) for dense in some]
    assert track_soft_fs(some, one) == alone
    assert min(alone[0], alone[2]) > 0 == alone[1]


@pytest.mark.parametrize("at_once", [1, 40, 700])
def test_overlaps_are_the_same_however_many_are_looked_at_at_once(monkeypatch, at_once: int):
    some, compared = [scene(seed, 12, 70) for seed in range(3)], np.triu(np.ones((3, 3), bool))
    whole = overlaps_among(some, compared)
    monkeypatch.setattr(listing, "_AT_ONCE", at_once)
    parts = list(overlaps_in_parts(some, compared))
    assert max(len(part.iou) for part in parts) < len(whole.iou) / 2
    for name in ("left", "right", "frame", "iou"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))


def test_hundreds_of_tracks_in_one_place_are_scored_in_little_memory():
    heap = fill([make_track(str(i), "car", [0, 63], [[i, 0, i + 400, 60]] * 2) for i in range(300)], 0, 64)
    tracemalloc.start()
    try:
        assert track_soft_f(heap, heap) == 1.0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 150e6  # they share 5.8 million boxes


def test_another_label_is_another_object_to_a_score():
    box = np.array([[[0.0, 0, 9, 9]]])
    assert track_soft_f(dense(box, ("car",)), dense(box, ("dog",))) == 0.0
    assert track_soft_f(dense(box, ("car",)), dense(box, ("dog",)), labels=False) == 1.0


def test_tracks_of_different_ranges_are_not_compared():
    with pytest.raises(RangesDiffer, match=r"\[0, 5\) against \[1, 6\)"):
        track_iou(
            scene(1, 2, 5),
            Dense(1, *[getattr(scene(1, 2, 5), k) for k in ("ids", "labels", "boxes", "present", "occluded")]),
        )


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_tiny_and_huge_boxes_at_the_edge_of_what_may_be_drawn_overlap_as_in_the_naive_loop(seed):
    rng = np.random.default_rng(seed)
    frames, sizes = rng.integers(1, 20), 10.0 ** rng.uniform(-3, 6.5, (3, 3, 1, 2))
    corner = rng.choice([-1e6, -2e5, 0.0, 8e5, 1e6 - 1e-3], (3, 3, 1, 2)) + rng.choice(
        [0.0, 1e-3, -5e-4], (3, 3, frames, 2)
    )
    boxes = np.clip(np.concatenate([corner, corner + sizes], axis=-1), -1e6, 1e6)
    boxes[(rng.random(boxes.shape[:3]) < 0.2) | (boxes[..., 2:] <= boxes[..., :2]).any(axis=-1)] = np.nan
    some, compared = [dense(own) for own in boxes], np.triu(rng.random((3, 3)) < 0.7)
    found = overlaps_among(some, compared)
    got = dict(
        zip(
            zip(found.left.tolist(), found.right.tolist(), found.frame.tolist(), strict=True),
            found.iou.tolist(),
            strict=True,
        )
    )
    want = {}
    for i, j in np.argwhere(compared).tolist():
        for (a, b, f), iou_here in np.ndenumerate(naive_pairs(some[i], some[j])):
            if iou_here > 0:
                want[3 * i + a, 3 * j + b, f] = iou_here
    assert len(got) == len(found.iou) and got == want
