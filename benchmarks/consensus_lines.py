"""Boxes alone, where everybody knows who is who: with the lines that tools draw, and with what these leave out.

    python -m benchmarks.consensus_lines [--seeds 901 902] [--workers 3 5 8] [--picture DIR]

Every object of every segment is drawn by all, none is missed or confused. Keyframes are every ten frames, or at random
distances of ten in the mean. The figure is HOTA's of detection (true boxes by true, missed and false ones, the mean
over 19 thresholds of IoU), each sequence's as a share of what the plain mean of the boxes has: of the fused boxes, of
those that a consensus has (`review.core.inbetweening`), and of the fused ones if no line was wrong, that is with
nothing but what workers erred by on their keyframes. `--picture` draws an edge over time instead, of the
object of one video that gains most.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.segments import cut
from annotation.core.tracks import Dense, Floats, Ints, Track, Tracks, fill
from benchmarks.consensus_crowds import OVERLAP_S, POOL, SEGMENT_S, Sequence, as_tracks, sequences
from crowd.core.simulation import Worker, draw, make_pool
from review.core.consensus import SPREAD
from review.core.fusing import fuse
from review.core.inbetweening import inbetween
from review.core.stacking import stack

PICTURED, EDGE, LONG = "PETS09-S2L1", 0, 50  # whose left edge is drawn over time, of an object that is there for long
WIDE, HIGH = 840, 300
WORKERS, TRUE, FUSED, BETWEEN = ("#c05020", "#2070c0", "#20a060"), "#888", "#bbb", "#000"
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


def gains_most(drawn: list[Drawn]) -> tuple[Drawn, int]:
    """What is moved nearest to the truth, of what is there for long."""

    def gain(one: Drawn, row: int) -> float:
        wide = one.truth.boxes[row, :, 2] - one.truth.boxes[row, :, 0]
        _, fused, between, _ = (((made - one.truth.boxes)[row, :, EDGE] / wide) ** 2 for made in boxes(one))
        return float(np.nanmean(fused - between))

    asked = [(one, row) for one in drawn for row in np.flatnonzero(one.truth.present.sum(axis=1) >= LONG).tolist()]
    return max(asked, key=lambda place: gain(*place))


def picture(drawn: Drawn, row: int) -> str:
    """An edge of one object over time, off the straight line from its first place to its last: SVG."""
    frames = np.flatnonzero(drawn.truth.present[row])
    _, fused, between, _ = boxes(drawn)
    ends = drawn.truth.boxes[row, frames[[0, -1]], EDGE]
    straight = np.interp(np.arange(drawn.truth.boxes.shape[1]), frames[[0, -1]], ends)
    every = [made[row, frames, EDGE] - straight[frames] for made in (drawn.truth.boxes, fused, between)]
    low, high = np.nanmin(every), np.nanmax(every)

    def at(frame: Ints, x: Floats) -> str:
        across = 10 + (frame - frames[0]) / (frames[-1] - frames[0]) * (WIDE - 20)
        down = HIGH - 20 - (x - low) / (high - low) * (HIGH - 60)
        return " ".join(f"{a:.1f},{d:.1f}" for a, d in zip(across, down, strict=True) if not np.isnan(d))

    def line(x: Floats, color: str, how: str) -> str:
        return f'<polyline points="{at(frames, x)}" stroke="{color}" {how}/>'

    parts = [line(every[1], FUSED, 'stroke-width="3"'), line(every[2], BETWEEN, 'stroke-width="2"')]
    parts.append(line(every[0], TRUE, 'stroke-dasharray="4 3"'))
    for color, own in zip(WORKERS, drawn.workers, strict=True):
        track = own[row]
        places = track.frames[~track.outside] - drawn.truth.start
        x = track.points[~track.outside, EDGE] - straight[places]
        parts.append(f'<polyline points="{at(places, x)}" stroke="{color}"/>')
        dots = (p.split(",") for p in at(places, x).split())
        parts += [f'<circle cx="{a}" cy="{b}" r="3" fill="{color}"/>' for a, b in dots]
    names = [("truth", TRUE), ("fused lines", FUSED), ("between keyframes", BETWEEN)]
    names += [(f"worker {i + 1}", color) for i, color in enumerate(WORKERS)]
    key = [f'<text x="{10 + 140 * i}" y="14" fill="{c}">{name}</text>' for i, (name, c) in enumerate(names)]
    size = f'width="{WIDE}" height="{HIGH}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    return "\n".join([start, *key, f'<g fill="none">{"".join(parts)}</g>', "</svg>\n"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[901, 902])
    parser.add_argument("--workers", type=int, nargs="+", default=[3, 5, 8])
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    some = sequences()
    if args.picture:
        shown = [sequence for sequence in some if sequence.name == PICTURED]
        drawn = list(segments(shown, args.seeds[0], len(WORKERS), heavy=False, uneven=False))
        args.picture.mkdir(parents=True, exist_ok=True)
        (args.picture / "between.svg").write_text(picture(*gains_most(drawn)))
        return
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
