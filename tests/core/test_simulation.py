from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.boxes import iou
from annotation.core.metrics import compare
from annotation.core.tracks import Dense, Tracks, fill, make_track, to_json
from crowd.core.scoring import benchmark
from crowd.core.simulation import KINDS, Worker, draw, make_pool, perfect, runs
from tests.core.cast import SEQUENCES, needs_data, sequence

WIDTH, HEIGHT = 800, 600
FLAWLESS = Worker(
    "saint", noise=0, bias=0, keyframe_step=1, missed=0, invented=0, swaps=0, edge_frames=0, mislabelled=0
)


def grid(n: int = 12, frames: int = 200, size: float = 90.0) -> Tracks:
    """Still objects that never touch."""
    corner = np.array([[i % 6, i // 6] for i in range(n)], float) * 130
    boxes = np.concatenate([corner, corner + size], axis=1)
    return Tracks(0, frames, tuple(make_track(str(i), "car", [0], [box]) for i, box in enumerate(boxes)))


def passing() -> Tracks:
    """Two objects that go through each other."""
    right = make_track("1", "car", [0, 100], [[0, 0, 60, 60], [400, 0, 460, 60]])
    left = make_track("2", "car", [0, 100], [[400, 0, 460, 60], [0, 0, 60, 60]])
    return Tracks(0, 101, (right, left))


def drawing(truth: Tracks, worker: Worker, seed: int = 0) -> Tracks:
    return draw(truth, truth.start, truth.stop, worker, np.random.default_rng(seed), WIDTH, HEIGHT)


def filled(tracks: Tracks) -> Dense:
    return fill(tracks.tracks, tracks.start, tracks.stop)


@needs_data
@pytest.mark.parametrize("name", SEQUENCES)
def test_a_perfect_worker_draws_the_truth_of_any_range(name):
    truth = sequence(name)
    start, stop = truth.stop // 3, truth.stop // 3 + 60
    want, got = fill(truth.tracks, start, stop), filled(perfect(truth, start, stop))
    rows = [want.ids.index(i) for i in got.ids]
    assert np.array_equal(want.boxes[rows], got.boxes, equal_nan=True)
    assert want.present.sum() == got.present.sum()


def test_a_perfect_worker_keeps_labels_attributes_and_what_changes():
    track = make_track("7", "dog", [3], [[0, 0, 9, 9]], attributes={"sex": "f"}, changes={3: {"pose": "lies"}})
    got = perfect(Tracks(0, 20, (track,)), 0, 20).tracks[0]
    assert (got.id, got.label, got.attributes, got.changes) == ("7", "dog", {"sex": "f"}, {3: {"pose": "lies"}})


def test_without_errors_the_truth_is_drawn():
    truth = passing()
    assert benchmark(drawing(truth, FLAWLESS), truth, 0, 101).soft_track_f == pytest.approx(1.0, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([None, *KINDS]), st.integers(0, 80))
@settings(max_examples=60, deadline=None)
def test_whatever_is_drawn_could_have_been_drawn(seed, heavy, spammer, start):
    truth = Tracks(0, 101, passing().tracks + (make_track("3", "dog", [40, 55], [[700, 500, 820, 640]] * 2),))
    worker = Worker("w", noise=0.3, heavy_tailed=heavy, invented=2, spammer=spammer)
    got = draw(truth, start, 101, worker, np.random.default_rng(seed), WIDTH, HEIGHT)
    assert (got.start, got.stop) == (start, 101)
    assert len({t.id for t in got.tracks}) == len(got.tracks)
    for track in got.tracks:
        assert ((track.frames >= start) & (track.frames < 101)).all()
        assert np.isfinite(track.points[~track.outside]).all()
        x1, y1, x2, y2 = track.points[~track.outside].T
        assert ((x1 < x2) & (y1 < y2)).all()
        assert ((x1 < WIDTH) & (y1 < HEIGHT) & (x2 > 0) & (y2 > 0)).all()


def test_the_same_seed_draws_the_same():
    worker = Worker("w")
    assert to_json(drawing(grid(), worker, 3)) == to_json(drawing(grid(), worker, 3))
    assert to_json(drawing(grid(), worker, 3)) != to_json(drawing(grid(), worker, 4))


@pytest.mark.parametrize(("heavy", "usual"), [(False, 0.6745), (True, 0.7649)])
def test_edges_are_off_by_as_much_as_the_worker_is_said_to_err(heavy, usual):
    truth, worker = grid(), replace(FLAWLESS, noise=0.05, heavy_tailed=heavy, keyframe_step=10)
    off = [_errors(drawing(truth, worker, seed), truth) for seed in range(12)]
    assert np.median(np.concatenate(off)) == pytest.approx(0.05 * usual, rel=0.12)


def _errors(got: Tracks, truth: Tracks) -> np.ndarray:
    meant = np.array([t.points[0] for t in truth.tracks])
    out = []
    for track in got.tracks:
        nearest = meant[np.abs(meant - track.points[0]).sum(axis=1).argmin()]
        out.append(np.abs(track.points - nearest).ravel() / 90)
    return np.concatenate(out)


def test_errors_last_for_a_while():
    worker = replace(FLAWLESS, noise=0.05, keyframe_step=10)
    truth = grid()
    steps = [np.diff(t.points, axis=0).ravel() / 90 for s in range(8) for t in drawing(truth, worker, s).tracks]
    apart = 0.05 * np.sqrt(2)
    assert np.concatenate(steps).std() == pytest.approx(apart * np.sqrt(1 - 0.8), rel=0.1)


def test_keyframes_come_at_the_steps_of_the_worker_and_at_the_end():
    got = drawing(grid(1, 48), replace(FLAWLESS, keyframe_step=10)).tracks[0]
    assert got.frames.tolist() == [0, 10, 20, 30, 40, 47]


def test_uneven_keyframes_come_at_the_step_of_the_worker_in_the_mean():
    drawn = drawing(grid(frames=2000), replace(FLAWLESS, keyframe_step=10, uneven=True))
    apart = np.concatenate([np.diff(t.frames[~t.outside]) for t in drawn.tracks])
    assert all((t.frames[0], t.frames[~t.outside][-1]) == (0, 1999) for t in drawn.tracks)
    assert 9 < apart.mean() < 11.5
    assert apart.std() > 7


def test_small_and_brief_objects_are_missed_more_often():
    worker = replace(FLAWLESS, missed=0.1)
    large, small, brief = grid(), grid(size=8), grid(frames=6)
    share = [1 - np.mean([len(drawing(t, worker, s).tracks) / 12 for s in range(25)]) for t in (large, small, brief)]
    assert share[0] == pytest.approx(0.1 + 0.3 * np.exp(-3), abs=0.04)
    assert min(share[1:]) > 1.5 * share[0]


def test_ends_are_off_by_no_more_than_the_worker_is_said_to_err():
    truth = Tracks(0, 100, (make_track("1", "car", [20, 60], [[0, 0, 50, 50]] * 2, outside=[False, True]),))
    seen = [runs(filled(drawing(truth, replace(FLAWLESS, edge_frames=3), s)).present[0])[0] for s in range(60)]
    starts, stops = zip(*seen, strict=True)
    assert (min(starts), max(starts), min(stops), max(stops)) == (17, 23, 57, 63)


def test_objects_that_cross_may_be_mistaken_for_each_other():
    truth = passing()
    got = drawing(truth, replace(FLAWLESS, swaps=1.0))
    assert compare(filled(truth), filled(got)).switches == 2
    assert compare(filled(truth), filled(drawing(truth, FLAWLESS))).switches == 0


def test_inventions_come_at_their_rate():
    worker = replace(FLAWLESS, invented=2.0)
    assert np.mean([len(drawing(grid(4, 50), worker, s).tracks) - 4 for s in range(80)]) == pytest.approx(2, abs=0.5)
    assert drawing(Tracks(0, 50, ()), replace(FLAWLESS, invented=5.0)).tracks


def test_tracks_that_are_begun_anew_show_the_same_boxes_piece_by_piece():
    whole, pieces = (filled(drawing(grid(), replace(FLAWLESS, piece_frames=n))) for n in (0.0, 30.0))
    assert len(whole.ids) == 12
    assert 40 < len(pieces.ids) < 120
    assert (whole.present.sum(axis=0) == pieces.present.sum(axis=0)).all()
    for frame in (0, 57, 199):
        shown = (dense.boxes[dense.present[:, frame], frame] for dense in (whole, pieces))
        first, second = (boxes[np.lexsort(boxes.T)] for boxes in shown)
        assert np.allclose(first, second)


def test_what_is_drawn_twice_lies_nearly_on_itself():
    once, twice = (filled(drawing(grid(), replace(FLAWLESS, noise=0.02, twice=n))) for n in (0.0, 1.0))
    assert (len(once.ids), len(twice.ids)) == (12, 24)
    alike = iou(twice.boxes[:, 100], twice.boxes[:, 100])
    assert ((alike > 0.6).sum(axis=1) == 2).all() and ((alike > 0.999).sum(axis=1) == 1).all()


def test_spammers_do_as_their_kind_does():
    truth = grid()
    static, same, one = (Worker("s", spammer=kind) for kind in ("static", "same", "one"))
    assert all(len(t.frames) == 1 for t in drawing(truth, static).tracks)
    elsewhere = draw(passing(), 50, 101, same, np.random.default_rng(9), WIDTH, HEIGHT)
    here = drawing(truth, same)
    assert [t.points.tolist() for t in here.tracks] == [t.points.tolist() for t in elsewhere.tracks]
    assert len(drawing(truth, one).tracks) == 1
    assert drawing(Tracks(0, 10, ()), one).tracks == ()


@needs_data
def test_spammers_score_far_below_careless_workers():
    truth = sequence("mot15/PETS09-S2L1")
    rng = np.random.default_rng(2)
    part = replace(truth, stop=200)
    careless = [benchmark(draw(part, 0, 200, Worker("w"), rng, 768, 576), part, 0, 200) for _ in range(3)]
    spam = [benchmark(draw(part, 0, 200, Worker("s", spammer=k), rng, 768, 576), part, 0, 200) for k in KINDS]
    assert min(s.soft_track_f for s in careless) > 0.4
    assert max(s.soft_track_f for s in spam) < 0.2


def test_a_pool_has_its_share_of_spammers_of_every_kind():
    pool = make_pool(20, np.random.default_rng(1))
    assert sorted(w.spammer for w in pool if w.spammer) == sorted(KINDS)
    assert len({w.name for w in pool}) == 20
    assert len({w.noise for w in pool}) == 20
    assert not any(w.spammer for w in make_pool(10, np.random.default_rng(1), spammers=0))
