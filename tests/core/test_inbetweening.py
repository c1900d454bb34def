"""Where objects are between keyframes: what straight lines leave out, told by others' keyframes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.tracks import Floats, Ints, Track, Tracks, fill, make_track
from review.core import consensus, inbetweening
from review.core.consensus import Submission, make_consensus
from review.core.fusing import fuse
from review.core.inbetweening import CORE, FADE, SLIP, STAY, inbetween
from review.core.stacking import Stack, stack

FRAMES, STEP = 120, 10
SIDE = np.array([40.0, 80.0, 40.0, 80.0])
VARIANCES = np.array([[2e-3, 5e-4, 2e-3, 3e-3], [3e-3, 2e-4, 1e-3, 2e-4]])  # of errors and movement, across and down


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
    """Drawings of one object: their stack, its cluster, the fused boxes and those with what lines leave out."""
    block = stack(drawn, drawn[0].start, drawn[0].stop)
    member = np.where(block.present, 0, -1)
    boxes = np.full((1, block.workers, *block.boxes.shape[1:]), np.nan)
    for row, owner in enumerate(block.owners.tolist()):
        boxes[0, owner, block.present[row]] = block.boxes[row, block.present[row]]
    fused, votes = fuse(boxes, np.full(block.workers, 0.05))
    return block, member, fused, inbetween(block, member, fused, votes)


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


def test_what_is_drawn_on_a_grid_stays_on_it():
    jumps = np.array([0, 30])[np.arange(FRAMES) // 2 % 2] + np.arange(FRAMES) % 7
    path = np.array([100.0, 200, 160, 300]) + jumps[:, None]
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


def naive(drawn: list[Tracks], variances: Floats) -> tuple[Floats, Floats]:
    """The mean of drawings of one object, and the same with the best linear estimate of what lines leave out, as
    written in a textbook: every table whole, lines by filling tracks that are 1 on one keyframe and 0 elsewhere."""
    tracks = [t.tracks[0] for t in drawn]
    n, names = drawn[0].stop, np.repeat(np.arange(len(tracks)), [len(t.frames) for t in tracks])
    at, points = np.concatenate([t.frames for t in tracks]), np.concatenate([t.points for t in tracks])
    lines = np.stack([_line(t, j, n) for t in tracks for j in range(len(t.frames))], axis=1) / len(tracks)
    fused = lines @ points
    every = np.arange(n) / _step(tracks)
    low, high = np.minimum(every[:, None], every), np.maximum(every[:, None], every)
    kinds = low, low**2 * (3 * high - low) / 6
    lasting = STAY + (1 - STAY) * np.exp(-np.abs(every[at][:, None] - every[at]) / FADE)
    alike = np.where(names[:, None] == names, lasting, 0.0)
    contrast = np.eye(len(at)) - lines[at]
    side = np.tile(fused[at, 2:] - fused[at, :2], 2).mean(axis=0)
    out = fused.copy()
    for edge in range(4):
        errors, own, walk, swing = variances[edge % 2]
        movement = walk * kinds[0] + swing * kinds[1]
        noise = errors * alike + own * np.eye(len(at))
        table = contrast @ (movement[np.ix_(at, at)] + noise) @ contrast.T + SLIP * errors * np.eye(len(at))
        left_out = (movement[:, at] - lines @ movement[np.ix_(at, at)]) @ contrast.T
        said = (points[:, edge] - fused[at, edge]) / side[edge]
        out[:, edge] += side[edge] * left_out @ np.linalg.solve(table, said)
    return fused, out


def _step(tracks: list[Track]) -> float:
    """How far apart keyframes are on the mean frame."""
    apart = np.concatenate([np.diff(t.frames) for t in tracks]).astype(float)
    return float((apart**2).sum() / apart.sum())


def _line(track: Track, which: int, n: int) -> Floats:
    """How much each frame's box has of one keyframe, (n,)."""
    one = np.zeros((len(track.frames), 4))
    one[which] = 1
    return fill([replace(track, points=one)], 0, n).boxes[0, :, 0]


def crowd(seed: int, workers: int) -> list[Tracks]:
    rng = np.random.default_rng(seed)
    path = walker() + np.cumsum(rng.normal(0, 0.3, (FRAMES, 4)), axis=0)
    drawn = []
    for _ in range(workers):
        at = np.unique(np.append(rng.choice(FRAMES, 14, replace=False), [0, FRAMES - 1]))
        drawn.append(drawing(path, at, rng.normal(0, 0.5, (len(at), 4)) + rng.normal(0, 2, 4)))
    return drawn


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_it_is_the_best_linear_estimate(seed: int, workers: int):
    drawn = crowd(seed, workers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbetweening, "CORE", 10**4)
        patch.setattr(inbetweening, "_variances", lambda _, axis: VARIANCES[axis])
        block, member, _, _ = alone(drawn)
        boxes = block.boxes[None]
        mean = boxes.mean(axis=1)
        votes = fuse(boxes, np.full(workers, 0.05))[1]
        even = replace(votes, shares=np.full(boxes.shape, 1 / workers), trusted=np.ones(boxes.shape))
        moved = inbetween(block, member, mean, even)
    fused, wanted = naive(drawn, VARIANCES)
    assert np.allclose(mean[0], fused)
    assert np.allclose(moved[0], wanted, atol=1e-5)
    assert np.abs(wanted - fused).max() > 0.1


def test_stretch_by_stretch_is_nearly_the_whole_at_once():
    off, apart = [], []
    for seed in range(8):
        drawn = crowd(seed, 4)
        assert sum(len(t.tracks[0].frames) for t in drawn) > 3 * CORE
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(inbetweening, "_variances", lambda _, axis: VARIANCES[axis])
            _, _, fused, parts = alone(drawn)
            patch.setattr(inbetweening, "CORE", 10**4)
            _, _, _, whole = alone(drawn)
        off.append(((whole - fused) ** 2).mean())
        apart.append(((whole - parts) ** 2).mean())
    assert np.sqrt(np.mean(apart) / np.mean(off)) < 0.15


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

        def spy(model: inbetweening._Model, axis: int, seen: list[Floats] = seen) -> Floats:
            seen.append(real(model, axis))
            return seen[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(inbetweening, "_variances", spy)
            alone(drawn)
        found.append(np.mean(seen, axis=0))
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


@pytest.mark.parametrize("seed", range(3))
def test_no_box_is_turned_inside_out(seed: int):
    wide = np.random.default_rng(seed).choice([1.0, 60.0], FRAMES // 4).repeat(4)
    thin = np.stack([100 - wide / 2, np.full(FRAMES, 200.0), 100 + wide / 2, np.full(FRAMES, 260.0)], axis=1)
    _, _, fused, moved = alone([drawing(thin, keyframes(f)) for f in (4, 6, 3)])
    assert (moved[..., 2:] > moved[..., :2]).all()
    assert np.abs(moved - fused).max() > 1
