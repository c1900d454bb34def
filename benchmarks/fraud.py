"""How well copies are told from honest work.

    python -m benchmarks.fraud [--seed 7] [--segments 60] [--pools 0]

Simulated workers over the real truth of mot15 and mot17, in segments of 4 s. Honest ones differ in skill, see the
same hard objects in the same wrong way (common errors), find some scenes easy together, and where there are
pre-labels leave those alone that look right. One in five of the workers at a task copies another one, with jitter,
shifted frames, tracks left out and ids dealt anew. `false` is the share of independent pairs of submissions of one
task at or above the threshold, `found` that of copies. What is usual is learnt from all tasks of a setting, copies
included, as the program learns it from a project's.

With --pools, so many pools of 12 workers, three of whom copy from one accomplice each wherever both are at a task (four
times of five), over 200 tasks with three workers each. `auc` is then of people: how far each stands out beside whomever
they are most like. `false` is the share of the others who are flagged by the rule of the program (alike on two tasks
and on a tenth of those on which both were), `found` that of those who copy.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata

from annotation.core.matching import match, track_iou
from annotation.core.tracks import Dense, Tracks, fill, make_track
from benchmarks.consensus_crowds import Sequence, as_tracks, sequences
from crowd.core import copying, spamming
from crowd.core.comparing import compare
from crowd.core.simulation import Worker, draw, make_pool

POOL, SEGMENT_S = 12, 4
COMMON = 0.03  # share of the side by which everybody sees an object wrong
EASY, EASE = 0.2, 0.1  # how often a scene is easy, and what is left of everybody's errors there
LEFT_ALONE = 0.6  # of the pre-labels that an honest worker leaves as they are
ACCOMPLICES, FAITHFUL, TASKS = {9: 0, 10: 1, 11: 2}, 0.8, 200
MODEL = Worker("model", noise=0.03, bias=0.03, missed=0.1, invented=0.5)


@dataclass(frozen=True)
class Setting:
    name: str
    workers: int
    easy: bool = False
    model: bool = False
    jitter: float = 0.01
    part: float = 0.0
    heavy: bool = False


SETTINGS = (
    *(Setting("usual", n) for n in (2, 3, 5)),
    *(Setting("a fifth of the scenes easy", n, easy=True) for n in (2, 3, 5)),
    *(Setting("pre-labels", n, model=True) for n in (2, 3, 5)),
    *(Setting("jitter of 2 %", n, jitter=0.02) for n in (2, 3, 5)),
    Setting("half is drawn by the copyist", 3, part=0.5),
    Setting("heavy-tailed errors", 3, heavy=True),
)


@dataclass(frozen=True)
class Scene:
    """One task's submissions; `copies` are pairs (source, copy)."""

    drawn: list[Dense]
    copies: set[tuple[int, int]]
    given: Dense | None


def scenes(some: list[Sequence], setting: Setting, segments: int, rng: np.random.Generator) -> Iterator[Scene]:
    truths = {s.name: as_tracks(s.truth) for s in some}
    pool = make_pool(POOL, rng, spammers=0.0, heavy_tailed=setting.heavy)
    for _ in range(segments):
        scene = _set(some, truths, rng)
        chosen = rng.permutation(len(pool))[: setting.workers]
        yield _drawn(scene, [pool[at] for at in chosen], setting, rng, lambda i: _anybody(i, rng))


def _anybody(i: int, rng: np.random.Generator) -> int | None:
    """Whom the worker who comes i-th copies: one in five copies somebody."""
    return int(rng.integers(i)) if i and rng.random() < 0.2 else None


def _set(some: list[Sequence], truths: dict[str, Tracks], rng: np.random.Generator) -> tuple[Sequence, Tracks]:
    video = some[rng.integers(len(some))]
    frames = min(SEGMENT_S * video.fps, video.truth.stop)
    start = int(rng.integers(video.truth.stop - frames + 1))
    return video, _seen_alike(truths[video.name], start, start + frames, rng)


def _seen_alike(truth: Tracks, start: int, stop: int, rng: np.random.Generator) -> Tracks:
    """The truth of a range with the errors that everybody makes there."""
    inside = [t for t in truth.tracks if ((t.frames >= start) & (t.frames < stop)).any()]
    out = []
    for t in inside:
        side = np.tile(t.points[:, 2:] - t.points[:, :2], 2)
        points = t.points + side * rng.normal(0, COMMON, 4)
        out.append(make_track(t.id, t.label, t.frames, points, outside=t.outside, occluded=t.occluded))
    return Tracks(start, stop, tuple(out))


def _drawn(
    scene: tuple[Sequence, Tracks],
    workers: list[Worker],
    setting: Setting,
    rng: np.random.Generator,
    source_of: Callable[[int], int | None],
) -> Scene:
    video, seen = scene
    size = (video.width, video.height)
    ease = EASE if setting.easy and rng.random() < EASY else float(np.exp(rng.normal(0, 0.3)))
    model = draw(seen, seen.start, seen.stop, MODEL, rng, *size) if setting.model else None
    works, copies = [], set()
    for i, usual in enumerate(workers):
        worker = replace(usual, noise=usual.noise * ease, bias=usual.bias * ease)
        if (source := source_of(i)) is not None:
            copies.add((source, i))
            works.append(_copy(works[source], setting, rng))
            if setting.part:
                own = draw(seen, seen.start, seen.stop, worker, rng, *size)
                works[i] = _mixed(works[i], own, setting.part, rng)
        else:
            own = draw(seen, seen.start, seen.stop, worker, rng, *size)
            works.append(own if model is None else _from(model, own, rng))
    given = None if model is None else fill(model.tracks, seen.start, seen.stop)
    return Scene([fill(w.tracks, w.start, w.stop) for w in works], copies, given)


def _copy(source: Tracks, setting: Setting, rng: np.random.Generator) -> Tracks:
    shift, dropped = int(rng.integers(-3, 4)), float(rng.choice([0.0, 0.3]))
    return spamming.copied(source, rng, jitter=setting.jitter, shift=shift, dropped=dropped)


def _mixed(copy: Tracks, own: Tracks, part: float, rng: np.random.Generator) -> Tracks:
    """A copy of which a share is replaced by what its author drew."""
    mine, theirs = (fill(w.tracks, w.start, w.stop) for w in (own, copy))
    mine_too = {
        int(j): int(i) for i, j in match(track_iou(mine, theirs, labels=False), 0.3).pairs if rng.random() < part
    }
    tracks = [own.tracks[mine_too[j]] if j in mine_too else t for j, t in enumerate(copy.tracks)]
    return Tracks(copy.start, copy.stop, tuple(replace(t, id=str(n)) for n, t in enumerate(tracks)))


def _from(model: Tracks, own: Tracks, rng: np.random.Generator) -> Tracks:
    """What an honest worker makes of pre-labels: some stay, the others are drawn anew, and so is what was missing."""
    start, stop = own.start, own.stop
    mine, given = fill(own.tracks, start, stop), fill(model.tracks, start, stop)
    pairs = match(track_iou(mine, given, labels=False), 0.5).pairs
    stays = {int(i): int(j) for i, j in pairs if rng.random() < LEFT_ALONE}
    tracks = [model.tracks[stays[i]] if i in stays else t for i, t in enumerate(own.tracks)]
    return Tracks(start, stop, tuple(replace(t, id=str(n)) for n, t in enumerate(tracks)))


def measure(some: list[Sequence], setting: Setting, segments: int, seed: int) -> tuple[list[float], list[float]]:
    """Scores of independent pairs, and of copies."""
    rng = np.random.default_rng(seed)
    honest, caught = [], []
    drawn = [(scene, compare(scene.drawn, given=scene.given)) for scene in scenes(some, setting, segments, rng)]
    usual = copying.usual_of([task for _, task in drawn])
    for scene, task in drawn:
        found = copying.judge(task, [0.05] * task.workers, usual)
        groups = copying.groups(sorted(scene.copies), len(scene.drawn))
        same = {frozenset((i, j)) for group in groups for i in group for j in group if i != j}
        for i in range(len(scene.drawn)):
            for j in range(i + 1, len(scene.drawn)):
                score = found[i, j].score if (i, j) in found else 0.0
                (caught if frozenset((i, j)) in same else honest).append(score)
    return honest, caught


def figures(honest: list[float], caught: list[float]) -> dict[str, float]:
    low, high = np.array(honest), np.array(caught)
    return {
        "auc": auc(honest, caught),
        "pairs": len(low),
        "copies": len(high),
        "false": float(np.mean(low >= copying.ALIKE)),
        "found": float(np.mean(high >= copying.ALIKE)),
        "found at 1 % false": float(np.mean(high > np.quantile(low, 0.99))),
    }


def measure_people(some: list[Sequence], setting: Setting, pools: int, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    honest: list[tuple[float, bool]] = []
    caught: list[tuple[float, bool]] = []
    for _ in range(pools):
        for at, told in enumerate(_people(some, setting, rng)):
            (caught if at in ACCOMPLICES else honest).append(told)
    return {
        "auc": auc([score for score, _ in honest], [score for score, _ in caught]),
        "people": len(honest),
        "copy": len(caught),
        "false": float(np.mean([flagged for _, flagged in honest])),
        "found": float(np.mean([flagged for _, flagged in caught])),
    }


def _people(some: list[Sequence], setting: Setting, rng: np.random.Generator) -> list[tuple[float, bool]]:
    """How far each of a pool stands out, and whether they are flagged."""
    truths = {s.name: as_tracks(s.truth) for s in some}
    pool = make_pool(POOL, rng, spammers=0.0)
    total, alike, met = np.zeros((POOL, POOL)), np.zeros((POOL, POOL), int), Counter[frozenset[int]]()
    met_at = []
    for _ in range(TASKS):
        chosen = sorted(int(at) for at in rng.permutation(POOL)[: setting.workers])
        sources = {i: chosen.index(ACCOMPLICES[at]) for i, at in enumerate(chosen) if ACCOMPLICES.get(at) in chosen}
        faithful = {i: source for i, source in sources.items() if rng.random() < FAITHFUL}
        scene = _drawn(_set(some, truths, rng), [pool[at] for at in chosen], setting, rng, faithful.get)
        met_at.append((chosen, compare(scene.drawn, given=scene.given)))
    usual = copying.usual_of([task for _, task in met_at])
    for chosen, task in met_at:
        for (i, j), found in copying.judge(task, [0.05] * len(chosen), usual).items():
            met[frozenset((chosen[i], chosen[j]))] += 1
            total[chosen[j], chosen[i]] += max(found.score, 0.0)
            alike[chosen[j], chosen[i]] += found.score >= copying.ALIKE
    suspected = [
        any(alike[a, b] and copying.often(alike[a, b] + alike[b, a], met[frozenset((a, b))]) for b in range(POOL))
        for a in range(POOL)
    ]
    return list(zip(total.max(axis=1).tolist(), suspected, strict=True))


def auc(low: list[float], high: list[float]) -> float:
    """Chance that one of `high` exceeds one of `low`, ties by half."""
    ranks = rankdata(np.concatenate([low, high]))[len(low) :]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(low) * len(high)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--segments", type=int, default=60)
    parser.add_argument("--pools", type=int, default=0)
    args = parser.parse_args()
    some = sequences()
    if args.pools:
        for setting in [s for s in SETTINGS if s.workers == 3]:
            report(setting.name, 3, measure_people(some, setting, args.pools, args.seed))
        return
    all_honest: list[float] = []
    all_caught: list[float] = []
    for setting in SETTINGS:
        honest, caught = measure(some, setting, args.segments, args.seed)
        report(setting.name, setting.workers, figures(honest, caught))
        all_honest += honest
        all_caught += caught
    report("all", 0, figures(all_honest, all_caught))


def report(name: str, workers: int, row: dict[str, float]) -> None:
    print(f"{name:30} {workers or ' '}", " ".join(f"{k} {v:.3f}" for k, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
