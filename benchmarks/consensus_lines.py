"""Boxes alone, where everybody knows who is who: with the lines that tools draw, and with what these leave out.

    python -m benchmarks.consensus_lines [--seeds 901 902] [--workers 3 5 8]

Every object of every segment is drawn by all, none is missed or confused. Keyframes are every ten frames, or at random
distances of ten in the mean. The figure is HOTA's of detection (true boxes by true, missed and false ones, the mean
over 19 thresholds of IoU), each sequence's as a share of what the plain mean of the boxes has: of the fused boxes, of
those that a consensus has (`review.core.inbetweening`), and of the fused ones if no line was wrong, that is with
nothing but what workers erred by on their keyframes.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.segments import cut
from annotation.core.tracks import Dense, Floats, Track, Tracks, fill
from benchmarks.consensus_crowds import OVERLAP_S, POOL, SEGMENT_S, Sequence, as_tracks, sequences
from crowd.core.simulation import Worker, draw, make_pool
from review.core.consensus import SPREAD
from review.core.fusing import fuse
from review.core.inbetweening import inbetween
from review.core.stacking import stack

THRESHOLDS = np.arange(0.05, 0.96, 0.05)
SHOWN = ("mean", "fused", "in between", "no line wrong")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The objects of one segment that all workers drew: the truth, and each one's tracks of them in its order."""

    sequence: str
    truth: Dense
    workers: tuple[tuple[Track, ...], ...]


def segments(some: list[Sequence], seed: int, workers: int, heavy: bool, uneven: bool) -> Iterator[Drawn]:
    rng = np.random.default_rng(seed)
    pool = make_pool(POOL, rng, spammers=0.0, heavy_tailed=heavy)
    surely = [replace(w, missed=0.0, swaps=0.0, invented=0.0, mislabelled=0.0, uneven=uneven) for w in pool]
    for sequence in some:
        truth = as_tracks(sequence.truth)
        for start, stop in cut(sequence.truth.stop, SEGMENT_S * sequence.fps, OVERLAP_S * sequence.fps):
            sit = [surely[i] for i in rng.permutation(POOL)[:workers]]
            drawn = {t: [_alone(t, start, stop, w, rng, sequence) for w in sit] for t in truth.tracks}
            by_all = {t: [one for one in own if one is not None] for t, own in drawn.items() if None not in own}
            if by_all:
                yield Drawn(sequence.name, fill(by_all, start, stop), tuple(zip(*by_all.values(), strict=True)))


def _alone(
    track: Track, start: int, stop: int, worker: Worker, rng: np.random.Generator, sequence: Sequence
) -> Track | None:
    only = Tracks(0, sequence.truth.stop, (track,))
    made = draw(only, start, stop, worker, rng, sequence.width, sequence.height).tracks
    return made[0] if made else None


def boxes(some: Drawn) -> list[Floats]:
    """What each of `SHOWN` makes of the drawings, (k, n, 4)."""
    k, w = len(some.truth.ids), len(some.workers)
    start, stop = some.truth.start, some.truth.stop
    named = [tuple(replace(t, id=str(i)) for i, t in enumerate(own)) for own in some.workers]
    block = stack([Tracks(start, stop, own) for own in named], start, stop)
    rows = np.array([int(t.id) for t in block.tracks])
    drawn = np.full((k, w, stop - start, 4), np.nan)
    drawn[rows, block.owners] = block.boxes
    spreads = np.full(w, SPREAD)
    fused, votes = fuse(drawn, spreads)
    member = np.where(block.present, rows[:, None], -1)
    errors = np.full_like(drawn, np.nan)
    for j, own in enumerate(named):
        errors[:, j] = fill([_error(t, some.truth, i) for i, t in enumerate(own)], start, stop).boxes
    exact, _ = fuse(np.where(np.isnan(drawn), np.nan, errors + _always(some.truth)[:, None]), spreads)
    there = ~np.isnan(drawn[..., :1])
    mean = np.where(there, drawn, 0.0).sum(axis=1) / np.where(there.any(axis=1), there.sum(axis=1), np.nan)
    return [mean, fused, inbetween(block, member, fused, votes), exact]


def _error(track: Track, truth: Dense, row: int) -> Track:
    """A track of nothing but how far a worker was off on the keyframes."""
    at = np.clip(track.frames - truth.start, 0, truth.boxes.shape[1] - 1)
    return replace(track, points=track.points - _always(truth)[row, at])


def _always(truth: Dense) -> Floats:
    """True boxes on every frame, those around where there is none."""
    out, every = truth.boxes.copy(), np.arange(truth.boxes.shape[1])
    for row, edge in itertools.product(range(len(out)), range(4)):
        known = np.flatnonzero(truth.present[row])
        out[row, :, edge] = np.interp(every, known, truth.boxes[row, known, edge])
    return out


def shares(some: list[Sequence], drawn: Iterator[Drawn]) -> dict[str, dict[str, float]]:
    """Of all but the first of `SHOWN`, each sequence's figure as a share of the mean's."""
    alike: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    for one in drawn:
        for name, made in zip(SHOWN, boxes(one), strict=True):
            both = one.truth.present & ~np.isnan(made[..., 0])
            alike[one.sequence, name].append(iou_aligned(made[both], one.truth.boxes[both]))
    right = {key: _detected(np.concatenate(found)) for key, found in alike.items()}
    return {n: {s.name: right[s.name, n] / right[s.name, SHOWN[0]] for s in some} for n in SHOWN[1:]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[901, 902])
    parser.add_argument("--workers", type=int, nargs="+", default=[3, 5, 8])
    args = parser.parse_args()
    some = sequences()
    for workers, uneven, heavy in itertools.product(args.workers, (False, True), (False, True)):
        drawn = (segments(some, seed, workers, heavy, uneven) for seed in args.seeds)
        found = shares(some, itertools.chain.from_iterable(drawn))
        means = ", ".join(f"{n} {np.mean(list(by.values())):.4f}" for n, by in found.items())
        beside = ", ".join(f"{s.name} {found['in between'][s.name] / found['fused'][s.name]:.3f}" for s in some)
        crowd = f"{workers} workers, {'heavy' if heavy else 'Gaussian'}, {'uneven' if uneven else 'every 10'}"
        print(f"{crowd}: {means}; in between by fused: {beside}", flush=True)


def _detected(alike: Floats) -> float:
    share = np.mean(alike[:, None] >= THRESHOLDS, axis=0)
    return float((share / (2 - share)).mean())


if __name__ == "__main__":
    main()
