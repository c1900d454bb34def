"""How many worker boxes per second the consensus of one segment takes in, beside others, in one run on one input.

    python -m benchmarks.consensus_speed [--objects 10 50] [--frames 300] [--only peers growth]

Five workers, objects that wander over a full-HD picture. Ours is the whole consensus (clusters, presence, boxes,
keyframes, agreement). The others know no tracks and work picture by picture: datumaro's IntersectMerge (a few frames of
the same boxes: it is linear in frames, and slow), weighted boxes fusion of ensemble-boxes, and a Hungarian that matches
every worker with the first and takes the mean. Processor time, best of three (once for datumaro). Growth is the time
of one doubling after the other: of frames, of workers, and of objects that are far apart, where n log n is the bound.
Needs the extras `test` and `bench`.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import match
from annotation.core.tracks import Floats, Tracks, fill, make_track
from review.core.consensus import Submission, make_consensus

WORKERS, KEYFRAMES, DATUMARO_FRAMES, WBF_FRAMES = 5, 10, 6, 60
WIDTH, HEIGHT, APART = 1920, 1080, 300


def scene(objects: int, frames: int, seed: int = 1, *, workers: int = WORKERS, far: bool = False) -> list[Submission]:
    """Workers' keyframed tracks with 4 % noise, each worker's on other frames; `far` apart, the picture is as large as
    it takes."""
    rng = np.random.default_rng(seed)
    size = rng.uniform([30, 80], [60, 160], (objects, 2))
    rows = np.arange(objects)
    middle = (
        np.stack([rows % 16, rows // 16], axis=1) * APART if far else rng.uniform([0, 0], [1800, 900], (objects, 2))
    )
    speed = rng.normal(0, 0.5, (objects, 2))
    out = []
    for worker in range(workers):
        tracks = []
        at = np.unique(np.concatenate([[0], np.arange(worker * 3 % KEYFRAMES, frames, KEYFRAMES), [frames - 1]]))
        place = middle + speed * at[:, None, None]
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


def boxes_fusion(dense: list[Floats]) -> None:
    from ensemble_boxes import weighted_boxes_fusion

    size = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    for frame in range(WBF_FRAMES):
        boxes = [np.clip(own[:, frame] / size, 0, 1).tolist() for own in dense]
        same = [[1.0] * len(b) for b in boxes]
        weighted_boxes_fusion(boxes, same, [[0] * len(b) for b in boxes], iou_thr=0.5)


def clocked(work: Callable[[], object], times: int = 3) -> float:
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def beside_peers(objects: int, frames: int) -> None:
    some = scene(objects, frames)
    dense = [fill(s.tracks.tracks, 0, frames).boxes for s in some]
    boxes_fusion(dense)  # it compiles itself at first
    one = WORKERS * objects
    ours = one * frames / clocked(lambda: make_consensus(some, 0, frames))
    others = {
        "frame-wise Hungarian": one * frames / clocked(lambda: framewise(dense)),
        "WBF": one * WBF_FRAMES / clocked(lambda: boxes_fusion(dense)),
        "IntersectMerge": one * DATUMARO_FRAMES / clocked(lambda: datumaro_merge(dense), 1),
    }
    beside = ", ".join(f"{name} {speed:,.0f} ({ours / speed:.1f} ×)" for name, speed in others.items())
    print(f"{objects} objects: ours {ours:,.0f} boxes/s, {beside}", flush=True)


def growth() -> None:
    """Times of doublings, and the power of n that each is."""
    asked = {
        "frames": [({"objects": 10, "frames": n}, n) for n in (300, 600, 1200, 2400)],
        "workers": [({"objects": 10, "frames": 300, "workers": n}, n) for n in (3, 6, 12, 24)],
        "objects far apart": [({"objects": n, "frames": 100, "far": True}, n) for n in (25, 50, 100, 200)],
    }
    for name, steps in asked.items():
        spent = []
        for how, _ in steps:
            some = scene(**how)
            spent.append(clocked(lambda s=some, n=how["frames"]: make_consensus(s, 0, n)))
        sizes = [n for _, n in steps]
        powers = [math.log2(b / a) for a, b in zip(spent[:-1], spent[1:], strict=True)]
        times = ", ".join(f"{n}: {t * 1000:.0f} ms" for n, t in zip(sizes, spent, strict=True))
        print(f"{name} {times}; powers {', '.join(f'{p:.2f}' for p in powers)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--only", nargs="+", default=["peers", "growth"])
    args = parser.parse_args()
    for objects in args.objects if "peers" in args.only else ():
        beside_peers(objects, args.frames)
    if "growth" in args.only:
        growth()


if __name__ == "__main__":
    main()
