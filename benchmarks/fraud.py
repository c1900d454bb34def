"""How well copies are told from honest work.

    python -m benchmarks.fraud [--seed 7] [--segments 60]

Simulated workers over the real truth of mot15 and mot17, in segments of 4 s. Honest ones differ in skill, see the
same hard objects in the same wrong way (common errors), find some scenes easy together, and where there are
pre-labels leave those alone that look right. One in five of the workers at a task copies another one, with jitter,
shifted frames, tracks left out and ids dealt anew. `false` is the share of independent pairs of submissions of one
task at or above the threshold, `found` that of copies.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata

from annotation.core.matching import match, track_iou
from annotation.core.tracks import Dense, Tracks, fill, make_track
from benchmarks.consensus_crowds import Sequence, as_tracks, sequences
from crowd.core import copying, spamming
from crowd.core.simulation import Worker, draw, make_pool

POOL, SEGMENT_S = 12, 4
COMMON = 0.03  # share of the side by which everybody sees an object wrong
EASY, EASE = 0.2, 0.1  # how often a scene is easy, and what is left of everybody's errors there
LEFT_ALONE = 0.6  # of the pre-labels that an honest worker leaves as they are
MODEL = Worker("model", noise=0.03, bias=0.03, missed=0.1, invented=0.5)


@dataclass(frozen=True)
class Setting:
    name: str
    workers: int
    easy: bool = False
    model: bool = False
    jitter: float = 0.01


SETTINGS = (
    *(Setting("usual", n) for n in (2, 3, 5)),
    *(Setting("a fifth of the scenes easy", n, easy=True) for n in (2, 3, 5)),
    *(Setting("pre-labels", n, model=True) for n in (2, 3, 5)),
    *(Setting("jitter of 2 %", n, jitter=0.02) for n in (2, 3, 5)),
)


@dataclass(frozen=True)
class Scene:
    """One task's submissions; `copies` are pairs (source, copy)."""

    drawn: list[Dense]
    copies: set[tuple[int, int]]
    given: Dense | None


def scenes(some: list[Sequence], setting: Setting, segments: int, rng: np.random.Generator) -> Iterator[Scene]:
    truths = {s.name: as_tracks(s.truth) for s in some}
    pool = make_pool(POOL, rng, spammers=0.0)
    for _ in range(segments):
        video = some[rng.integers(len(some))]
        frames = min(SEGMENT_S * video.fps, video.truth.stop)
        start = int(rng.integers(video.truth.stop - frames + 1))
        yield _scene(_seen_alike(truths[video.name], start, start + frames, rng), video, pool, setting, rng)


def _seen_alike(truth: Tracks, start: int, stop: int, rng: np.random.Generator) -> Tracks:
    """The truth of a range with the errors that everybody makes there."""
    inside = [t for t in truth.tracks if ((t.frames >= start) & (t.frames < stop)).any()]
    out = []
    for t in inside:
        side = np.tile(t.points[:, 2:] - t.points[:, :2], 2)
        points = t.points + side * rng.normal(0, COMMON, 4)
        out.append(make_track(t.id, t.label, t.frames, points, outside=t.outside, occluded=t.occluded))
    return Tracks(start, stop, tuple(out))


def _scene(seen: Tracks, video: Sequence, pool: tuple, setting: Setting, rng: np.random.Generator) -> Scene:
    size = (video.width, video.height)
    ease = EASE if setting.easy and rng.random() < EASY else float(np.exp(rng.normal(0, 0.3)))
    model = draw(seen, seen.start, seen.stop, MODEL, rng, *size) if setting.model else None
    works, copies = [], set()
    for i, at in enumerate(rng.permutation(len(pool))[: setting.workers]):
        worker = replace(pool[at], noise=pool[at].noise * ease, bias=pool[at].bias * ease)
        if i and rng.random() < 0.2:
            source = int(rng.integers(i))
            copies.add((source, i))
            works.append(_copy(works[source], setting, rng))
        else:
            own = draw(seen, seen.start, seen.stop, worker, rng, *size)
            works.append(own if model is None else _from(model, own, rng))
    given = None if model is None else fill(model.tracks, seen.start, seen.stop)
    return Scene([fill(w.tracks, w.start, w.stop) for w in works], copies, given)


def _copy(source: Tracks, setting: Setting, rng: np.random.Generator) -> Tracks:
    shift, dropped = int(rng.integers(-3, 4)), float(rng.choice([0.0, 0.3]))
    return spamming.copied(source, rng, jitter=setting.jitter, shift=shift, dropped=dropped)


def _from(model: Tracks, own: Tracks, rng: np.random.Generator) -> Tracks:
    """What an honest worker makes of pre-labels: some stay, the others are drawn anew, and so is what was missing."""
    start, stop = own.start, own.stop
    mine, given = fill(own.tracks, start, stop), fill(model.tracks, start, stop)
    pairs = match(track_iou(mine, given, labels=False), 0.5).pairs
    stays = {int(i): int(j) for i, j in pairs if rng.random() < LEFT_ALONE}
    tracks = [model.tracks[stays[i]] if i in stays else t for i, t in enumerate(own.tracks)]
    return Tracks(start, stop, tuple(replace(t, id=str(n)) for n, t in enumerate(tracks)))


def measure(some: list[Sequence], setting: Setting, segments: int, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    honest, caught = [], []
    for scene in scenes(some, setting, segments, rng):
        found = copying.likenesses(scene.drawn, [0.05] * len(scene.drawn), given=scene.given)
        groups = copying.groups(sorted(scene.copies), len(scene.drawn))
        same = {frozenset((i, j)) for group in groups for i in group for j in group if i != j}
        for i in range(len(scene.drawn)):
            for j in range(i + 1, len(scene.drawn)):
                score = found[i, j].score if (i, j) in found else 0.0
                (caught if frozenset((i, j)) in same else honest).append(score)
    low, high = np.array(honest), np.array(caught)
    return {
        "auc": auc(honest, caught),
        "pairs": len(low),
        "copies": len(high),
        "false": float(np.mean(low >= copying.ALIKE)),
        "found": float(np.mean(high >= copying.ALIKE)),
        "found at 1 % false": float(np.mean(high > np.quantile(low, 0.99))),
    }


def auc(low: list[float], high: list[float]) -> float:
    """Chance that one of `high` exceeds one of `low`, ties by half."""
    ranks = rankdata(np.concatenate([low, high]))[len(low) :]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(low) * len(high)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--segments", type=int, default=60)
    args = parser.parse_args()
    some = sequences()
    for setting in SETTINGS:
        row = measure(some, setting, args.segments, args.seed)
        print(f"{setting.name:30} {setting.workers}", " ".join(f"{k} {v:.3f}" for k, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
