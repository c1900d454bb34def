"""What a neighbouring segment says, beside the same as a textbook has it: object by object, frame by frame."""

from __future__ import annotations

import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.matching import match
from annotation.core.tracks import Floats, Track, Tracks, make_track
from review.core.gridding import find_grid, placed
from review.core.neighbouring import (
    _TO_SIGMA,
    DECIDED,
    FADES,
    FAR,
    LAGS,
    LEAST,
    LOOKS,
    NEAR,
    NONE,
    NUGGET,
    PRIOR,
    SAME,
    STAYS,
    USUAL_FADE,
    USUAL_STAY,
    level,
    usual_errors,
    witnesses,
)

Box = list[float]


def alike(a: Box, b: Box) -> float:
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (both - shared) if both > shared else 0.0


def shown(boxes: Floats, start: int) -> list[dict[int, Box]]:
    """Boxes (k, n, 4) by frame of the video."""
    return [{start + f: box for f, box in enumerate(own) if box[0] == box[0]} for own in boxes.tolist()]


def shared_likeness(own: dict[int, Box], other: dict[int, Box], frames: range) -> float:
    """Mean IoU on the shared frames, 0 where too few have both."""
    both = [alike(own[f], other[f]) for f in frames if f in own and f in other]
    return sum(both) / len(both) if both and len(both) >= min(LEAST, math.ceil(len(frames) / 4)) else 0.0


def sides(box: Box) -> Box:
    return [max(box[e + 2] - box[e], 1.0) for e in (0, 1)] * 2


def curve(apart: float, fade: float, stay: float) -> float:
    return stay + (1 - stay) * math.exp(-apart / fade)


def naive_errors(boxes: Floats, fused: Floats) -> tuple[float, float, float]:
    """How large errors are, and how they fade and stay, read difference by difference."""
    off = {}
    for (k, w, f), there in np.ndenumerate(~np.isnan(boxes[..., 0])):
        drew = int((~np.isnan(boxes[k, :, f, 0])).sum())
        if there and drew > 1:
            side = sides(fused[k, f].tolist())
            off[k, w, f] = [
                (boxes[k, w, f, e] - fused[k, f, e]) / side[e] * math.sqrt(drew / (drew - 1)) for e in range(4)
            ]
    sizes = [abs(x) for own in off.values() for x in own]
    scale = median(sizes) * _TO_SIGMA if sizes else 0.0
    if scale <= NONE:
        return scale, USUAL_FADE, USUAL_STAY
    said = []
    for lag in LAGS.tolist():
        if lag < boxes.shape[2]:
            pairs = [(own, off[k, w, f + lag]) for (k, w, f), own in off.items() if (k, w, f + lag) in off]
            cut = [
                [max(-FAR, min(FAR, x / scale)) for x in (a, b)]
                for own, other in pairs
                for a, b in zip(own, other, strict=True)
            ]
            both = PRIOR * curve(lag, USUAL_FADE, USUAL_STAY) + sum(a * b for a, b in cut)
            said.append((lag, both, PRIOR + sum(a**2 + b**2 for a, b in cut) / 2))
    wrong = {
        (fade, stay): sum(seen * (curve(lag, fade, stay) - both / seen) ** 2 for lag, both, seen in said)
        for fade in FADES.tolist()
        for stay in STAYS.tolist()
    }
    return scale, *min(wrong, key=wrong.__getitem__)


def naive_level(
    boxes: Floats, fused: Floats, start: int, around: list[Tracks], errors: tuple[float, float, float]
) -> Floats:
    """Fused boxes less the best linear estimate of their error from all that neighbours show, object by object."""
    scale, fade, stay = errors
    own, out = shown(fused, start), fused.copy()
    seen: list[list[tuple[int, int, float, list[float]]]] = [[] for _ in own]  # neighbour, frame, variance, difference
    variance = [1 / max(1, int((~np.isnan(some[..., 0])).any(axis=1).sum())) for some in boxes]
    for which, tracks in enumerate(around):
        frames = range(max(start, tracks.start), min(start + boxes.shape[2], tracks.stop))
        theirs = [as_drawn(track) for track in tracks.tracks]
        table = np.array([[shared_likeness(a, b, frames) for b in theirs] for a in own]).reshape(len(own), len(theirs))
        looks = sorted({frames[round(x)] for x in np.linspace(0, len(frames) - 1, LOOKS)}) if frames else []
        for k, j in match(table, NEAR).pairs.tolist():
            voices = len(tracks.tracks[j].support) or DECIDED
            apart = {
                f: [(a - b) / s for a, b, s in zip(own[k][f], theirs[j][f], sides(own[k][f]), strict=True)]
                for f in looks
                if f in own[k] and f in theirs[j]
            }
            size = math.sqrt(sum(x**2 for one in apart.values() for x in one) / (4 * max(1, len(apart))))
            less = min(1.0, FAR * scale * math.sqrt(variance[k] + 1 / voices) / max(size, NONE))
            seen[k] += [(which, f, 1 / voices, [x * less for x in one]) for f, one in apart.items()]
    for k, said in enumerate(seen):
        table = np.array(
            [
                [
                    curve(abs(f - g), fade, stay) * (variance[k] + (v if a == b else 0.0))
                    + (NUGGET * (variance[k] + v) if (a, f) == (b, g) else 0.0)
                    for b, g, _, _ in said
                ]
                for a, f, v, _ in said
            ]
        )
        for frame, box in own[k].items() if said else ():
            alike_to = [curve(abs(frame - f), fade, stay) * variance[k] for _, f, _, _ in said]
            off = np.array(alike_to) @ np.linalg.solve(table, np.array([one for *_, one in said]))
            out[k, frame - start] = np.array(box) - off * sides(box)
    return placed(out, fused, find_grid(boxes))


def as_drawn(track: Track) -> dict[int, Box]:
    """A track that has a keyframe on every frame of its range."""
    rows = zip(track.frames.tolist(), track.points.tolist(), track.outside.tolist(), strict=True)
    return {frame: box for frame, box, outside in rows if not outside}


def scene(seed: int) -> tuple[Floats, int, list[Tracks]]:
    """Boxes of two workers and more (k, w, n, 4), the first frame, and what up to two neighbours show of the same."""
    rng = np.random.default_rng(seed)
    k, w, n, start = rng.integers(0, 4), rng.integers(1, 5), rng.integers(1, 40), int(rng.choice([0, 30, 2**31]))
    corner = np.arange(k)[:, None, None, None] * rng.choice([15.0, 60.0]) + np.zeros((k, 1, n, 2))
    boxes = np.concatenate([corner, corner + (40, 80)], axis=3)
    true, noise = boxes[:, 0, 0], rng.choice([0.0, 1.0, 4.0])
    boxes = boxes + noise * (rng.normal(0, 1, (k, w, 1, 4)) + rng.normal(0, 0.5, (k, w, n, 4)))
    boxes[(rng.random((k, w, 1)) < 0.3) | (rng.random((k, w, n)) < rng.choice([0.0, 0.5]))] = np.nan
    around = []
    for side in range(rng.integers(0, 3)):
        shared, longer = rng.integers(0, min(n, 16) + 1), int(rng.integers(1, 5))
        first, last = ((start + n - shared, start + n + longer), (start - longer, start + shared))[side]
        tracks = []
        for box in [*true, *true[:1]][: rng.integers(0, 4)]:
            drawn = box + rng.normal(0, 3, 4) + rng.normal(0, 0.5, (last - first, 4))
            outside = rng.random(last - first) < rng.choice([0.0, 0.4])
            support = tuple("abc"[: rng.integers(0, 4)])
            tracks.append(
                make_track(str(len(tracks)), "car", range(first, last), drawn, outside=outside, support=support)
            )
        around.append(Tracks(first, last, tuple(tracks)))
    return boxes, start, around


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_witnesses_are_those_of_every_pair_on_every_shared_frame(seed: int) -> None:
    boxes, start, around = scene(seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        drew = (~np.isnan(boxes)).sum(axis=1)
        own = shown(np.where(drew > 0, np.where(np.isnan(boxes), 0, boxes).sum(axis=1) / drew, np.nan), start)
    want = [0] * len(own)
    for tracks in around:
        frames = range(max(start, tracks.start), min(start + boxes.shape[2], tracks.stop))
        theirs = [as_drawn(track) for track in tracks.tracks]
        for k, mine in enumerate(own):
            want[k] += any(shared_likeness(mine, other, frames) >= SAME for other in theirs)
    assert witnesses(boxes, start, around).tolist() == want


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_boxes_are_levelled_by_the_best_linear_estimate(seed: int) -> None:
    boxes, start, around = scene(seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        drew = (~np.isnan(boxes)).sum(axis=1)
        fused = np.where(drew > 0, np.where(np.isnan(boxes), 0, boxes).sum(axis=1) / drew, np.nan)
    found, (scale, fade, stay) = usual_errors(boxes, fused), naive_errors(boxes, fused)
    assert found.scale == pytest.approx(scale)
    assert found.lasting.tolist() == pytest.approx([curve(f, fade, stay) for f in range(boxes.shape[2])])
    want = naive_level(boxes, fused, start, around, (scale, fade, stay))
    assert level(boxes, fused, start, around) == pytest.approx(want, rel=1e-9, abs=1e-6, nan_ok=True)
