"""Who is who within segments, and nothing else: the share of workers' boxes that are in the cluster of their object.

    python -m benchmarks.consensus_identity [--seeds 1] [--workers 3] [--out FILE] [--against FILE]

HOTA and IDF1 of whole videos hang on a few events each; this soon asks of thousands of segments. Skills are learnt
from all submissions, cold start. A worker's box is of the true object that it is matched with on its frame (IoU at
least 0.5), and an object's cluster is that of the one to one assignment with the greatest weight of boxes. `lost` is
the share of boxes that are elsewhere, summed over segments. `--out` keeps each segment's share, `--against` compares
with what another version kept: how many are better and worse by more than 0.003.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import match
from annotation.core.tracks import Dense, Floats, Ints
from benchmarks.consensus_crowds import FOUND, crowd, sequences
from benchmarks.consensus_switches import part
from crowd.core.skill import Skill
from review.core.cases import Case, Task
from review.core.clustering import cluster
from review.core.consensus import MIN_WEIGHT
from review.core.evaluating import answers_to
from review.core.learning import learn
from review.core.stacking import Stack, stack

FARTHER = 0.003


def shares(cases: Sequence[Case]) -> Iterator[tuple[str, float]]:
    """Every segment, and the share of its boxes that are in their object's cluster."""
    skills = learn([answers_to(t, t.drawn) for case in cases for t in case.tasks]).skills
    for case in cases:
        for task in case.tasks:
            block, weights = _trusted(task, skills)
            objects = _objects(part(case.truth, task.start, task.stop), block)
            if (objects >= 0).any():
                yield f"{case.name} {task.start}", share(objects, cluster(block, weights), weights[block.owners])


def share(objects: Ints, member: Ints, weights: Floats) -> float:
    """The share of tracks' boxes (t, n) in their object's cluster, by the weight of each track (t,)."""
    track, frame = np.nonzero(objects >= 0)
    table = np.zeros((objects.max() + 1, member.max() + 1))
    np.add.at(table, (objects[track, frame], member[track, frame]), weights[track])
    pairs = match(table).pairs
    return float(table[pairs[:, 0], pairs[:, 1]].sum() / table.sum())


def _trusted(task: Task, skills: Mapping[str, Skill]) -> tuple[Stack, Floats]:
    """The submissions of those who have a say, and their weights."""
    heard = [d for d in task.drawn if skills[d.worker].weight > 0] or task.drawn
    weights = np.array([max(skills[d.worker].weight, MIN_WEIGHT) for d in heard])
    return stack([d.tracks for d in heard], task.start, task.stop), weights


def _objects(truth: Dense, block: Stack) -> Ints:
    """The true object of each box, (t, n); -1 where there is none."""
    out = np.full(block.present.shape, -1)
    for owner, frame in itertools.product(range(block.workers), range(block.present.shape[1])):
        mine = np.flatnonzero((block.owners == owner) & block.present[:, frame])
        there = np.flatnonzero(truth.present[:, frame])
        pairs = match(iou(truth.boxes[there, frame], block.boxes[mine, frame]), FOUND).pairs
        out[mine[pairs[:, 1]], frame] = there[pairs[:, 0]]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--workers", type=int, nargs="+", default=[3])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--against", type=Path)
    args = parser.parse_args()
    some = sequences()
    found: dict[str, float] = {}
    for workers, bad, heavy in itertools.product(args.workers, (0.0, 0.2), (False, True)):
        kind = f"{workers} workers, {bad:.0%} spam, {'heavy' if heavy else 'Gaussian'}"
        here = {
            f"{kind}, seed {seed}: {name}": value
            for seed in args.seeds
            for name, value in shares(crowd(some, seed, workers=workers, spammers=bad, heavy=heavy))
        }
        print(f"{kind}: {len(here)} segments, lost {sum(1 - v for v in here.values()):.2f}", flush=True)
        found |= here
    print(f"all: {len(found)} segments, lost {sum(1 - v for v in found.values()):.2f}")
    if args.against:
        before = json.loads(args.against.read_text())
        gained = np.array([found[name] - before[name] for name in found if name in before])
        better, worse = int((gained > FARTHER).sum()), int((gained < -FARTHER).sum())
        print(f"of {len(gained)} known before: {better} better, {worse} worse, {gained.sum():+.2f}")
    if args.out:
        args.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
