"""Simulated workers: what careless, careful and dishonest people would draw over a known truth.

A worker's errors are those that people make: edges that are off by a share of the side, for a while and in a direction
of one's own per object; keyframes every few frames with straight lines in between; objects missed, the small and brief
ones sooner; objects invented; two that cross mistaken for each other; ends some frames early or late. Errors are
Gaussian or, as those of the radiologists of LIDC-IDRI, Student's t with three degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from annotation.core.clipping import clip_to
from annotation.core.overlaps import overlaps
from annotation.core.tracks import Bools, Dense, Floats, Ints, Track, Tracks, fill, make_track
from crowd.core import spamming

Kind = Literal["static", "random", "same", "one"]
KINDS: tuple[Kind, ...] = ("static", "random", "same", "one")
CROSSING = 0.3  # IoU from which two objects can be mistaken for each other
SMALLEST = 2.0  # px: no tool draws thinner boxes


@dataclass(frozen=True, slots=True)
class Worker:
    """How one worker errs. `noise` and `bias` are shares of a box's side, `missed` and `swaps` chances.

    `noise` changes along a track, by `steady` alike on neighbouring keyframes, `bias` stays; `missed` is that of a
    large, long object; keyframes are `keyframe_step` frames apart, or so many in the mean where they are `uneven`;
    `invented` is a mean per segment, of things that last up to `invented_frames`; starts and ends are up to
    `edge_frames` off. After `piece_frames` in the mean a track is ended and another begun in its place (0: never).
    `twice` is the chance that an object is drawn a second time. A `spammer` does none of this and little else.
    """

    name: str
    noise: float = 0.05
    heavy_tailed: bool = False
    bias: float = 0.02
    steady: float = 0.8
    keyframe_step: int = 10
    uneven: bool = False
    missed: float = 0.05
    invented: float = 0.3
    invented_frames: int = 60
    swaps: float = 0.1
    edge_frames: int = 3
    piece_frames: float = 0.0
    twice: float = 0.0
    mislabelled: float = 0.02
    spammer: Kind | None = None


def make_pool(
    n: int,
    rng: np.random.Generator,
    *,
    spammers: float = 0.2,
    spread: float = 0.4,
    heavy_tailed: bool = False,
    kinds: Sequence[Kind] = KINDS,
) -> tuple[Worker, ...]:
    """A pool of n workers, a share of them spammers of `kinds` in turn; skills differ by a factor of e^±`spread`."""
    bad = rng.permutation(n)[: round(n * spammers)].tolist()
    kind_of: dict[int, Kind] = {i: kinds[k % len(kinds)] for k, i in enumerate(bad)}
    pool = []
    for i, factor in enumerate(np.exp(rng.normal(0, spread, n)).tolist()):
        worker = Worker(
            f"worker-{i + 1:02}",
            noise=0.05 * factor,
            heavy_tailed=heavy_tailed,
            bias=0.02 * factor,
            missed=min(0.5, 0.05 * factor),
            invented=0.3 * factor,
            swaps=min(0.5, 0.1 * factor),
            spammer=kind_of.get(i),
        )
        pool.append(worker)
    return tuple(pool)


def draw(
    truth: Tracks, start: int, stop: int, worker: Worker, rng: np.random.Generator, width: float, height: float
) -> Tracks:
    """What `worker` submits for the frames `[start, stop)` of a picture of that size. The same `rng` gives the same."""
    dense = _seen(truth, start, stop)
    if worker.spammer is not None:
        return spamming.draw(worker.spammer, worker.name, dense, rng, width, height)
    meant = {t.id: t for t in truth.tracks}
    drawn = []
    followed = _mistaken(dense, worker.swaps, rng)
    for i in rng.permutation(len(dense.ids)):
        if rng.random() >= _chance_to_miss(followed[i], worker.missed):
            label = _label(dense, int(i), worker, rng)
            for _ in range(2 if worker.twice and rng.random() < worker.twice else 1):
                drawn.append(_follow(followed[i], dense.occluded[i], label, meant[dense.ids[i]], start, worker, rng))
    made = [piece for track in drawn if track is not None for piece in _pieces(track, start, stop, worker, rng)]
    made.extend(_invent(dense, worker, rng, width, height) for _ in range(rng.poisson(worker.invented)))
    fits = [_within(t, width, height) for t in made]
    named = [replace(t, id=str(n + 1)) for n, t in enumerate(fits)]
    return Tracks(start, stop, tuple(named))


def perfect(truth: Tracks, start: int, stop: int) -> Tracks:
    """The truth with a keyframe on every frame of `[start, stop)`, leaving and coming back included."""
    dense = _seen(truth, start, stop)
    meant = {t.id: t for t in truth.tracks}
    tracks = []
    for i, name in enumerate(dense.ids):
        here = dense.present[i]
        gone = np.flatnonzero(here[:-1] & ~here[1:]) + 1
        at = np.concatenate([np.flatnonzero(here), gone])
        source = meant[name]
        changes = _changes(source, np.flatnonzero(here) + start)
        more = {"attributes": source.attributes, "changes": changes}
        points, hidden = dense.boxes[i, at], dense.occluded[i, at]
        tracks.append(make_track(name, source.label, at + start, points, outside=~here[at], occluded=hidden, **more))
    return Tracks(start, stop, tuple(tracks))


def _seen(truth: Tracks, start: int, stop: int) -> Dense:
    dense = fill(truth.tracks, start, stop)
    at = np.flatnonzero(dense.present.any(axis=1)).tolist()
    ids, labels = tuple(dense.ids[i] for i in at), tuple(dense.labels[i] for i in at)
    return Dense(start, ids, labels, dense.boxes[at], dense.present[at], dense.occluded[at])


def _mistaken(dense: Dense, chance: float, rng: np.random.Generator) -> Floats:
    """What is followed as each object, (t, n, 4): at each crossing two may be exchanged for good."""
    boxes = dense.boxes.copy()
    met = overlaps(dense, dense)
    close = (met.left < met.right) & (met.iou > CROSSING)
    met_at = set(zip(met.frame[close].tolist(), met.left[close].tolist(), met.right[close].tolist(), strict=True))
    # Whoever errs does so when the two part.
    for frame, i, j in sorted((f, i, j) for f, i, j in met_at if (f + 1, i, j) not in met_at):
        if rng.random() < chance:
            boxes[[i, j], frame + 1 :] = boxes[[j, i], frame + 1 :]
    return boxes


def _chance_to_miss(boxes: Floats, base: float) -> float:
    """Small and brief objects are overlooked up to seven times as often as large and long ones."""
    here = ~np.isnan(boxes[:, 0])
    if not here.any():
        return 1.0
    side = float(np.sqrt(np.prod(boxes[here, 2:] - boxes[here, :2], axis=1)).mean())
    return min(0.9, base * (1 + 3 * np.exp(-side / 30) + 3 * np.exp(-here.sum() / 25)))


def _label(dense: Dense, i: int, worker: Worker, rng: np.random.Generator) -> str:
    others = sorted(set(dense.labels) - {dense.labels[i]})
    return str(rng.choice(others)) if others and rng.random() < worker.mislabelled else dense.labels[i]


def _follow(
    boxes: Floats, hidden: Bools, label: str, meant: Track, start: int, worker: Worker, rng: np.random.Generator
) -> Track | None:
    """One object as a worker draws it; None where the frames that the worker got wrong leave nothing."""
    here = ~np.isnan(boxes[:, 0])
    drawn = _shift_ends(here, worker.edge_frames, rng)
    visible = np.concatenate([_keyframes(a, b, worker, rng) for a, b in runs(drawn)] or [np.zeros(0, int)])
    if not len(visible):
        return None
    known = np.flatnonzero(here)
    points = np.stack([np.interp(visible, known, boxes[known, c]) for c in range(4)], axis=1)
    size = np.tile(points[:, 2:] - points[:, :2], 2)
    points = _upright(points + size * _errors(len(visible), worker, rng))
    gone = np.array([b for _, b in runs(drawn) if b < len(drawn)], np.int64)
    at = np.concatenate([visible, gone])
    every = np.concatenate([points, np.full((len(gone), 4), np.nan)])
    flags = {"outside": np.arange(len(at)) >= len(visible), "occluded": hidden[at]}
    more = {"attributes": meant.attributes, "changes": _changes(meant, visible + start)}
    return make_track("", label, at + start, every.round(2), **flags, **more)


def _pieces(track: Track, start: int, stop: int, worker: Worker, rng: np.random.Generator) -> list[Track]:
    """A track as the pieces in which it was drawn, each ended by an `outside` keyframe where the next one begins."""
    if worker.piece_frames <= 0:
        return [track]
    cuts = start + np.cumsum(np.maximum(2, rng.exponential(worker.piece_frames, stop - start).astype(np.int64)))
    ends = [start, *cuts[cuts < stop - 2].tolist(), stop]
    out = []
    for a, b in pairwise(ends):
        for piece in clip_to(Tracks(start, stop, (track,)), a, b).tracks:
            over = int(b < stop and not piece.outside[-1])
            at = np.concatenate([piece.frames, np.full(over, b)])
            boxes = np.concatenate([piece.points, np.full((over, 4), np.nan)])
            gone = np.concatenate([piece.outside, np.ones(over, bool)])
            hidden = np.concatenate([piece.occluded, np.zeros(over, bool)])
            out.append(replace(piece, frames=at, points=boxes, outside=gone, occluded=hidden))
    return out


def runs(mask: Bools) -> list[tuple[int, int]]:
    """Half-open ranges where a mask is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _shift_ends(here: Bools, most: int, rng: np.random.Generator) -> Bools:
    """Presence with every start and end some frames off; nothing is seen before the range or after it."""
    drawn = np.zeros(len(here), bool)
    for a, b in runs(here):
        early, late = rng.integers(-most, most + 1, 2).tolist()
        drawn[max(0, a + early) : max(0, b + late)] = True
    return drawn


def _keyframes(a: int, b: int, worker: Worker, rng: np.random.Generator) -> Ints:
    """From the first to the last of `[a, b)`, both included, and every so many frames in between."""
    step = max(1, worker.keyframe_step)
    if not worker.uneven:
        return np.unique(np.append(np.arange(a, b, step), b - 1))
    places = a + np.cumsum(np.maximum(1, rng.exponential(step, b - a)).astype(np.int64))
    return np.unique(np.concatenate([[a], places[places < b], [b - 1]]))


def _errors(n: int, worker: Worker, rng: np.random.Generator) -> Floats:
    """(n, 4) errors of the edges on successive keyframes, as shares of the side."""
    fresh = rng.standard_t(3, (n, 4)) if worker.heavy_tailed else rng.normal(0, 1, (n, 4))
    bias, steady = rng.normal(0, worker.bias, 4), worker.steady
    out = fresh.copy()
    for k in range(1, n):
        if worker.heavy_tailed:  # a sum of errors would lose the tails: an error stays or is made anew
            out[k] = np.where(rng.random(4) < steady, out[k - 1], fresh[k])
        else:
            out[k] = steady * out[k - 1] + np.sqrt(1 - steady**2) * fresh[k]
    return out * worker.noise + bias


def _upright(boxes: Floats) -> Floats:
    """Boxes with x1 < x2 and y1 < y2 by at least 2 px, about the same centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, SMALLEST / 2)
    return np.concatenate([centre - half, centre + half], axis=1)


def _changes(meant: Track, visible: Ints) -> dict[int, dict[str, object]]:
    """The truth's mutable attributes on the drawn keyframes, each on the first one at or after its change."""
    out: dict[int, dict[str, object]] = {}
    for frame in sorted(meant.changes):
        place = int(np.searchsorted(visible, frame))
        if place < len(visible):
            out.setdefault(int(visible[place]), {}).update(meant.changes[frame])
    return out


def _invent(dense: Dense, worker: Worker, rng: np.random.Generator, width: float, height: float) -> Track:
    """An object that is not there, drifting for a while, of a usual size."""
    frames = dense.present.shape[1]
    first = int(rng.integers(frames))
    last = min(frames - 1, first + int(rng.integers(5, max(6, worker.invented_frames))))
    size = spamming.usual_size(dense, width, height) * rng.uniform(0.7, 1.3, 2)
    corner = rng.uniform(0, np.maximum([width, height] - size, 1.0))
    at = np.unique([first, last])
    corners = corner + np.outer(at - first, rng.normal(0, 0.5, 2))
    label = str(rng.choice(dense.labels)) if dense.labels else spamming.NO_LABEL
    boxes = np.concatenate([corners, corners + size], axis=1)
    gone = [last + 1] if last + 1 < frames else []
    points = np.concatenate([boxes, np.full((len(gone), 4), np.nan)]).round(2)
    outside = np.arange(len(points)) >= len(at)
    return make_track("", label, np.append(at, gone).astype(int) + dense.start, points, outside=outside)


def _within(track: Track, width: float, height: float) -> Track:
    """The track with no box wholly outside the picture: such a one is pushed back to its border."""
    size = np.array([width, height])
    low, high = track.points[:, :2], track.points[:, 2:]
    back = np.where(low > size - SMALLEST, size - SMALLEST - low, np.where(high < SMALLEST, SMALLEST - high, 0.0))
    return replace(track, points=track.points + np.tile(back, 2))
