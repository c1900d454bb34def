"""In-betweening beside the same as a textbook has it: every table whole, nothing in stretches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.core.tracks import Floats, Track, Tracks, fill
from review.core import inbetweening, keying
from review.core.fusing import fuse
from review.core.inbetweening import FADE, SLIP, STAY, inbetween
from review.core.keying import CORE
from tests.core.test_inbetweening import FRAMES, alone, drawing, walker

VARIANCES = np.array([[2e-3, 5e-4, 2e-3, 3e-3], [3e-3, 2e-4, 1e-3, 2e-4]])  # of errors and movement, across and down


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
        patch.setattr(keying, "CORE", 10**4)
        patch.setattr(inbetweening, "FAR", 1e9)
        patch.setattr(inbetweening, "_variances", lambda _: VARIANCES)
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
            patch.setattr(inbetweening, "_variances", lambda _: VARIANCES)
            _, _, fused, parts = alone(drawn)
            patch.setattr(keying, "CORE", 10**4)
            _, _, _, whole = alone(drawn)
        off.append(((whole - fused) ** 2).mean())
        apart.append(((whole - parts) ** 2).mean())
    assert np.sqrt(np.mean(apart) / np.mean(off)) < 0.15
