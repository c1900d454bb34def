"""How many worker boxes per second the consensus of one segment takes in, beside others, in one run on one input.

    python -m benchmarks.consensus_speed [--objects 10 50] [--frames 300] [--no-datumaro]

Five workers, objects that wander over a full-HD picture. Ours is the whole consensus (clusters, presence, boxes,
keyframes, agreement). datumaro's IntersectMerge gets the same boxes as items of a few frames (it is linear in frames,
and slow); the frame-wise Hungarian matches every worker with the first and takes the mean. Processor time, best of
three (once for datumaro).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import match
from annotation.core.tracks import Floats, Tracks, fill, make_track
from review.core.consensus import Submission, make_consensus

WORKERS, KEYFRAMES, DATUMARO_FRAMES = 5, 10, 6


def scene(objects: int, frames: int, seed: int = 1) -> list[Submission]:
    """Five workers' keyframed tracks with 4 % noise."""
    rng = np.random.default_rng(seed)
    at = np.unique(np.append(np.arange(0, frames, KEYFRAMES), frames - 1))
    size = rng.uniform([30, 80], [60, 160], (objects, 2))
    place = rng.uniform([0, 0], [1800, 900], (objects, 2)) + rng.normal(0, 0.5, (objects, 2)) * at[:, None, None]
    out = []
    for worker in range(WORKERS):
        tracks = []
        for k in range(objects):
            boxes = np.concatenate([place[:, k], place[:, k] + size[k]], axis=1)
            noise = rng.normal(0, 0.04, boxes.shape) * np.tile(size[k], 2)
            tracks.append(make_track(str(k), "person", at, boxes + noise))
        out.append(Submission(str(worker), str(worker), Tracks(0, frames, tuple(tracks))))
    return out


def framewise(dense: list[Floats]) -> list[Floats]:
    """Every frame's boxes of the first worker, averaged with the others' that match them."""
    out = []
    for frame in range(dense[0].shape[1]):
        total, count = dense[0][:, frame].copy(), np.ones(len(dense[0]))
        for other in dense[1:]:
            pairs = match(iou(dense[0][:, frame], other[:, frame]), 0.5).pairs
            total[pairs[:, 0]] += other[pairs[:, 1], frame]
            count[pairs[:, 0]] += 1
        out.append(total / count[:, None])
    return out


def datumaro_merge(dense: list[Floats]) -> None:
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.merge.intersect_merge import IntersectMerge

    sets = []
    for boxes in dense:
        items = [
            DatasetItem(str(f), annotations=[Bbox(*b[:2], *(b[2:] - b[:2]), label=0) for b in boxes[:, f]])
            for f in range(DATUMARO_FRAMES)
        ]
        sets.append(Dataset.from_iterable(items, categories=["person"]))
    IntersectMerge(conf=IntersectMerge.Conf(pairwise_dist=0.5)).merge(sets)


def clocked(work: Callable[[], object], times: int = 3) -> float:
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--no-datumaro", action="store_true")
    args = parser.parse_args()
    for objects in args.objects:
        some = scene(objects, args.frames)
        dense = [fill(s.tracks.tracks, 0, args.frames).boxes for s in some]
        boxes = WORKERS * objects * args.frames
        ours = boxes / clocked(lambda s=some: make_consensus(s, 0, args.frames))
        plain = boxes / clocked(lambda d=dense: framewise(d))
        text = f"{objects} objects: ours {ours:,.0f} boxes/s, frame-wise Hungarian {plain:,.0f} ({ours / plain:.1f} ×)"
        if not args.no_datumaro:
            merged = WORKERS * objects * DATUMARO_FRAMES / clocked(lambda d=dense: datumaro_merge(d), 1)
            text += f", IntersectMerge {merged:,.0f} ({ours / merged:.0f} ×)"
        print(text, flush=True)


if __name__ == "__main__":
    main()
