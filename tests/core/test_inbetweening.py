"""Where objects are between keyframes: what straight lines leave out, told by others' keyframes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from annotation.core.tracks import Floats, Ints, Tracks, fill, make_track
from review.core import consensus, inbetweening
from review.core.consensus import Submission, make_consensus
from review.core.fusing import fuse
from review.core.inbetweening import inbetween
from review.core.stacking import Stack, stack

FRAMES, STEP = 120, 10
SIDE = np.array([40.0, 80.0, 40.0, 80.0])


def walker(frames: int = FRAMES) -> Floats:
    """Boxes (n, 4) of somebody who sways while walking, and nods."""
    at = np.arange(frames)
    sway, nod = 6 * np.sin(at / 3.5), 4 * np.cos(at / 4.5)
    corner = np.stack([100 + 1.5 * at + sway, 200 + nod], axis=1)
    return np.concatenate([corner, corner + SIDE[:2]], axis=1)


def keyframes(first: int, frames: int = FRAMES, step: int = STEP) -> Ints:
    return np.unique(np.concatenate([[0], np.arange(first, frames, step), [frames - 1]]))


def drawing(path: Floats, at: Ints, off: Floats | float = 0.0) -> Tracks:
    """What a worker submits who has keyframes there, each off by so much, in pixels (k, 4)."""
    return Tracks(0, len(path), (make_track("1", "person", at, path[at] + off),))


def alone(drawn: list[Tracks]) -> tuple[Stack, Ints, Floats, Floats]:
    """Drawings of objects 1, 2, …: their stack, their clusters, the fused boxes and those with what lines leave out."""
    block = stack(drawn, drawn[0].start, drawn[0].stop)
    which = np.array([int(t.id) - 1 for t in block.tracks])
    boxes = np.full((which.max() + 1, block.workers, *block.boxes.shape[1:]), np.nan)
    for row, owner in enumerate(block.owners.tolist()):
        boxes[which[row], owner, block.present[row]] = block.boxes[row, block.present[row]]
    member = np.where(block.present, which[:, None], -1)
    fused, votes = fuse(boxes, np.full(block.workers, 0.05))
    return block, member, fused, inbetween(block, member, fused, votes)


def apart(path: Floats, number: int) -> Floats:
    """The same path, so many times 500 px below."""
    return path + np.array([0.0, 500.0, 0.0, 500.0]) * number


def miss(boxes: Floats, path: Floats) -> float:
    """Root mean square error of the edges, as a share of the side."""
    return float(np.sqrt((((boxes - path) / SIDE) ** 2).mean()))


@pytest.mark.parametrize("firsts", [(0, 5), (0, 3, 7), (1, 3, 5, 7, 9)])
def test_others_keyframes_tell_what_lines_leave_out(firsts: tuple[int, ...]):
    path = walker()
    _, _, fused, moved = alone([drawing(path, keyframes(f)) for f in firsts])
    assert miss(moved[0], path) < 0.5 * miss(fused[0], path)


def test_it_is_told_through_errors_of_workers_that_last():
    path, rng, before, after = walker(), np.random.default_rng(3), [], []
    for _ in range(20):
        drawn = [drawing(path, at, rng.normal(0, 0.04, 4) * SIDE) for at in map(keyframes, (0, 3, 7))]
        _, _, fused, moved = alone(drawn)
        before.append(miss(fused[0], path))
        after.append(miss(moved[0], path))
    assert np.mean(after) < 0.85 * np.mean(before)
    assert np.sum(np.array(after) < before) >= 18


def test_equal_drawings_and_equal_frames_come_back_as_they_are():
    path, rng = walker(), np.random.default_rng(4)
    _, _, fused, moved = alone([drawing(path, keyframes(3))] * 3)
    assert moved is fused
    noise = rng.normal(0, 2, (3, len(keyframes(3)), 4))
    _, _, fused, moved = alone([drawing(path, keyframes(3), off) for off in noise])
    assert moved is fused
    _, _, fused, moved = alone([drawing(path, np.arange(FRAMES), off) for off in rng.normal(0, 2, (3, FRAMES, 4))])
    assert moved is fused


def test_what_moves_on_a_line_stays_on_it():
    path = np.array([100.0, 200, 140, 280]) + np.arange(FRAMES)[:, None] * np.array([1.5, 0.2, 1.5, 0.2])
    _, _, _, moved = alone([drawing(path, keyframes(f)) for f in (0, 3, 7)])
    assert np.abs(moved[0] - path).max() < 1e-6


def test_one_careless_keyframe_of_three_moves_hardly_anything():
    path = np.tile([100.0, 200, 140, 280], (FRAMES, 1)) + np.arange(FRAMES)[:, None]
    rng = np.random.default_rng(5)
    drawn = []
    for first in (0, 3, 7):
        at = keyframes(first)
        off = rng.standard_t(3, 4) * 0.02 * SIDE + rng.normal(0, 0.3, (len(at), 4))
        if first == 3:
            off[len(at) // 2, 0] += 0.45 * SIDE[0]
        drawn.append(drawing(path, at, off))
    _, _, fused, moved = alone(drawn)
    assert (np.abs(moved - fused) / SIDE).max() < 0.05


def test_what_shows_something_else_says_nothing():
    path = walker()
    drawn = [drawing(path, keyframes(f)) for f in (0, 3, 7)]
    far = np.zeros((len(keyframes(5)), 4))
    far[6, [0, 2]] = 3 * SIDE[0]
    _, _, fused, moved = alone([*drawn, drawing(path, keyframes(5), far)])
    off = np.abs((moved - fused) / SIDE)[0]
    assert off.max() < 0.35, "as much as lines leave out, and not what three sides would tell"


def eight(rng: np.random.Generator) -> list[Tracks]:
    """Eight who sway, drawn by three who err a little."""
    drawn = []
    for first in (0, 3, 7):
        at = keyframes(first)
        off = rng.normal(0, 0.03, (8, len(at), 4)) * SIDE
        tracks = [make_track(str(k + 1), "person", at, apart(walker(), k)[at] + off[k]) for k in range(8)]
        drawn.append(Tracks(0, FRAMES, tuple(tracks)))
    return drawn


def test_where_far_more_is_said_than_elsewhere_somebody_erred():
    seen: list[inbetweening._Model] = []
    real = inbetweening._variances
    drawn = eight(np.random.default_rng(12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbetweening, "_variances", lambda model: seen.append(model) or real(model))
        alone(drawn)
    said = seen[0].said.copy()
    said[3] *= 20
    assert np.allclose(real(replace(seen[0], said=said)), real(seen[0]), rtol=0.1, atol=1e-4)


def test_what_is_far_more_than_usual_moves_less():
    drawn, real = eight(np.random.default_rng(13)), inbetweening._model
    _, _, fused, moved = alone(drawn)

    def shouted(*given: Any) -> inbetweening._Model:
        model = real(*given)
        return replace(model, said=20 * model.said)

    with pytest.MonkeyPatch.context() as patch:
        found = np.array([[1e-3, 1e-4, 1e-2, 1e-5], [1e-3, 1e-4, 2e-3, 1e-5]])
        patch.setattr(inbetweening, "_variances", lambda _: found)
        patch.setattr(inbetweening, "_model", shouted)
        _, _, _, far = alone(drawn)
    assert miss(far, fused) < miss(moved, fused)


def test_where_keyframes_lie_at_the_bends_lines_are_hardly_left():
    before, after = [], []
    for seed in range(6):
        rng, drawn = np.random.default_rng(seed), [[] for _ in range(5)]
        paths = []
        for k in range(8):
            bends = np.unique([0, *rng.choice(np.arange(10, FRAMES - 10, 10), 4, replace=False), FRAMES - 1])
            corner = np.cumsum(rng.normal(0, 40, (len(bends), 2)), axis=0)
            way = np.stack([np.interp(np.arange(FRAMES), bends, corner[:, c]) for c in (0, 1)], axis=1)
            paths.append(apart(np.tile(way, 2) + np.array([300.0, 300, 340, 380]), k))
            for own in drawn:
                at = np.unique(np.clip(bends + rng.integers(-2, 3, len(bends)), 0, FRAMES - 1))
                off = rng.normal(0, 0.04, (len(at), 4)) * SIDE
                own.append(make_track(str(k + 1), "person", at, paths[k][at] + off))
        _, _, fused, moved = alone([Tracks(0, FRAMES, tuple(own)) for own in drawn])
        before.append(miss(fused, np.array(paths)))
        after.append(miss(moved, np.array(paths)))
    assert np.mean(after) < 1.02 * np.mean(before)


def test_what_is_drawn_on_a_grid_stays_on_it():
    path = np.array([100.0, 200, 700, 900]) + (100 * np.sin(np.arange(FRAMES) / 3)).round()[:, None]
    drawn = [drawing(path, keyframes(first, step=4)) for first in (1, 2)]
    _, _, fused, moved = alone(drawn)
    assert np.array_equal(fused * 4, (fused * 4).round())
    assert np.array_equal(moved * 4, (moved * 4).round())
    assert not np.array_equal(moved, fused)


def test_leaving_and_coming_back_parts_lines():
    path = walker()
    drawn = []
    for first in (0, 3, 7):
        at = np.unique(np.concatenate([np.arange(first, 50, STEP), [50], np.arange(70, FRAMES, 7 + first)]))
        outside = at == 50
        points = np.where(outside[:, None], np.nan, path[at])
        drawn.append(Tracks(0, FRAMES, (make_track("1", "person", at, points, outside=outside),)))
    _, _, fused, moved = alone(drawn)
    assert np.array_equal(np.isnan(fused), np.isnan(moved))
    here = ~np.isnan(fused[0, :, 0])
    assert miss(moved[0, here], path[here]) < miss(fused[0, here], path[here])


def test_a_box_that_is_held_says_nothing_of_movement():
    path = np.array([100.0, 200, 140, 280]) + 5 * np.arange(FRAMES)[:, None]
    held = Tracks(0, FRAMES, (make_track("1", "person", [0, FRAMES - 3], path[[0, -3]] - 1),))
    _, _, fused, moved = alone([drawing(path, np.array([0, FRAMES - 1]), 2), held])
    assert np.abs(fused[0, -1] - path[-1]).min() > 4, "one of two holds a box that moves on"
    assert np.abs(moved - fused).max() < 0.05
    sways = walker()
    held = Tracks(0, FRAMES, (make_track("1", "person", [0, 70], sways[[0, 70]]),))
    _, _, fused, moved = alone([*(drawing(sways, keyframes(f)) for f in (0, 3, 7)), held])
    assert np.array_equal(moved[0, 71:], fused[0, 71:])
    assert np.abs(moved - fused)[0, :60].max() > 1


def test_variances_are_read_from_what_is_drawn():
    rng, found, real = np.random.default_rng(9), [], inbetweening._variances
    for errors, walk in ((0.02, 1e-5), (0.02, 4e-4), (0.08, 4e-4)):
        steps = np.cumsum(rng.normal(0, np.sqrt(walk), (1200, 2)), axis=0)
        path = np.array([100.0, 200, 140, 280]) + np.tile(steps, 2) * SIDE
        drawn, seen = [], []
        for first in (0, 3, 7):
            at = keyframes(first, 1200)
            off = rng.normal(0, errors, 4) + rng.normal(0, errors / 3, (len(at), 4))
            drawn.append(drawing(path, at, off * SIDE))

        def spy(model: inbetweening._Model, seen: list[Floats] = seen) -> Floats:
            seen.append(real(model))
            return seen[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(inbetweening, "_variances", spy)
            alone(drawn)
        found.append(seen[0].mean(axis=0))
    low, high, careless = np.array(found)
    assert high[2] > 5 * low[2]
    assert careless[0] > 4 * high[0]


def test_a_consensus_has_it_and_is_scored_without_it():
    path, rng = walker(), np.random.default_rng(10)
    given = [
        Submission(str(i), f"w{i}", drawing(path, keyframes(f), rng.normal(0, 0.02, 4) * SIDE))
        for i, f in enumerate((0, 3, 7))
    ]
    made = make_consensus(given, 0, FRAMES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consensus, "inbetween", lambda block, member, fused, votes: fused)
        lines = make_consensus(given, 0, FRAMES)
    off, off_lines = (miss(fill(one.tracks.tracks, 0, FRAMES).boxes[0], path) for one in (made, lines))
    assert off < 0.75 * off_lines
    assert replace(made, tracks=lines.tracks) == lines
    assert made.tracks.tracks[0].disputes == lines.tracks.tracks[0].disputes


@pytest.mark.parametrize("seed", range(1, 4))
def test_no_box_is_turned_inside_out(seed: int):
    wide = np.random.default_rng(seed).choice([1.0, 60.0], FRAMES // 4).repeat(4)
    thin = np.stack([100 - wide / 2, np.full(FRAMES, 200.0), 100 + wide / 2, np.full(FRAMES, 260.0)], axis=1)
    _, _, fused, moved = alone([drawing(thin, keyframes(f)) for f in (4, 6, 3)])
    assert (moved[..., 2:] > moved[..., :2]).all()
    assert np.abs(moved - fused).max() > 0.5
