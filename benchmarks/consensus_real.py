"""Consensus of real annotators: radiologists' tracks (lidc) and crowd workers' boxes (pedestrians) of ../shared/data.

    python -m benchmarks.consensus_real [--only lidc pedestrians] [--gain-floors …] [--orders …]

lidc: nodules that four radiologists outlined; the consensus of every three predicts the fourth. Slice IoU over slices
on which all four have a box; track IoU (ΣIoU / slices of either), and the share of slices on which three say rightly
whether the fourth has a box, over whole nodules. Presence of the plain methods is the majority's.
pedestrians: see `consensus_pedestrians`.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from annotation.core.boxes import iou, iou_aligned
from annotation.core.tracks import Floats, Tracks, fill, make_track
from benchmarks.consensus_crowds import SHARED
from benchmarks.consensus_pedestrians import GAIN_FLOORS, pedestrians
from review.core.consensus import Submission, make_consensus

WBF_FLOOR = 0.55
BEYOND = 10  # slices of the scan that everybody saw around a nodule, too

Boxes = dict[int, Floats]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=["lidc", "pedestrians"])
    parser.add_argument("--gain-floors", type=float, nargs="+", default=GAIN_FLOORS)
    parser.add_argument("--orders", type=int, nargs="*", default=[])
    args = parser.parse_args()
    if "lidc" in args.only:
        lidc()
    if "pedestrians" in args.only:
        answers, truth = _rows("pedestrians/answers.csv"), _rows("pedestrians/truth.csv")
        pedestrians(answers, truth, args.gain_floors, args.orders)


def lidc() -> None:
    nodules: dict[tuple[str, str], dict[str, Boxes]] = defaultdict(lambda: defaultdict(dict))
    for row in _rows("lidc/boxes.csv"):
        x, y, w, h = (float(row[c]) for c in "xywh")
        nodules[row["patient"], row["nodule"]][row["annotator"]][int(row["frame"])] = np.array([x, y, x + w, y + h])
    methods: dict[str, Callable[[list[Boxes]], Boxes]] = {"one other": lambda three: three[0]}
    methods |= {name: _by_slice(pick) for name, pick in PICKS.items()}
    methods["consensus"] = _consensus
    figures: dict[str, list[tuple[list[float], float, list[bool]]]] = defaultdict(list)
    four = [n for n in nodules.values() if len(n) == 4]
    for drawn in four:
        for held in drawn:
            rest = [drawn[a] for a in sorted(drawn) if a != held]
            for name, method in methods.items():
                turns = [[r] for r in rest] if name == "one other" else [rest]
                figures[name] += [_compare(method(turn), drawn[held], rest) for turn in turns]
    print(f"lidc: {len(four)} nodules by four")
    for name, found in figures.items():
        slices = np.mean([x for f in found for x in f[0]])
        right = np.mean([x for f in found for x in f[2]])
        print(f"{name:10} slice IoU {slices:.4f}  track IoU {np.mean([f[1] for f in found]):.4f}  found {right:.4f}")


def _compare(made: Boxes, held: Boxes, rest: list[Boxes]) -> tuple[list[float], float, list[bool]]:
    frames = range(min(min(b) for b in (held, *rest)), max(max(b) for b in (held, *rest)) + 1)
    common = [f for f in held if all(f in r for r in rest)]
    scores = [float(iou_aligned(made[f], held[f])) if f in made else 0.0 for f in common]
    total = sum(float(iou_aligned(made[f], held[f])) for f in held if f in made)
    return scores, total / len(set(made) | set(held)), [(f in made) == (f in held) for f in frames]


def _by_slice(pick: Callable[[Floats], Floats]) -> Callable[[list[Boxes]], Boxes]:
    """A method that fuses the boxes (m, 4) of a slice, where most have one."""

    def fused(three: list[Boxes]) -> Boxes:
        out = {}
        for frame in sorted(set().union(*three)):
            boxes = np.array([r[frame] for r in three if frame in r])
            if 2 * len(boxes) >= len(three):
                out[frame] = pick(boxes)
        return out

    return fused


def _wbf(boxes: Floats) -> Floats:
    """Weighted boxes fusion with equal scores: boxes join a cluster's mean above the floor; the largest cluster's."""
    clusters: list[list[Floats]] = []
    for box in boxes:
        near = [float(iou_aligned(box, np.mean(c, axis=0))) for c in clusters]
        if near and max(near) > WBF_FLOOR:
            clusters[int(np.argmax(near))].append(box)
        else:
            clusters.append([box])
    return np.mean(max(clusters, key=len), axis=0)


PICKS: dict[str, Callable[[Floats], Floats]] = {
    "mean": lambda boxes: boxes.mean(axis=0),
    "median": lambda boxes: np.median(boxes, axis=0),
    "medoid": lambda boxes: boxes[iou(boxes, boxes).sum(axis=1).argmax()],
    "WBF": _wbf,
}


def _consensus(three: list[Boxes]) -> Boxes:
    start, stop = min(map(min, three)) - BEYOND, max(map(max, three)) + 1 + BEYOND
    some = [Submission(str(i), str(i), _tracks(drawn, start, stop)) for i, drawn in enumerate(three)]
    dense = fill(make_consensus(some, start, stop).tracks.tracks, start, stop)
    if not len(dense.ids):
        return {}
    row = int(dense.present.sum(axis=1).argmax())
    return {int(f) + start: dense.boxes[row, f] for f in np.flatnonzero(dense.present[row])}


def _tracks(drawn: Boxes, start: int, stop: int) -> Tracks:
    frames = sorted(drawn)
    gone = [f + 1 for f in frames if f + 1 not in drawn and f + 1 < stop]
    points = [drawn[f] for f in frames] + [np.full(4, np.nan)] * len(gone)
    outside = [False] * len(frames) + [True] * len(gone)
    return Tracks(start, stop, (make_track("1", "nodule", frames + gone, points, outside=outside),))


def _rows(name: str) -> Iterable[dict[str, str]]:
    path = SHARED / name
    if not path.exists():
        raise SystemExit(f"{path} is not there: set TRACKWEAVE_SHARED")
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


if __name__ == "__main__":
    main()
