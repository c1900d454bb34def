"""Consensus of real annotators: radiologists' tracks (lidc) and crowd workers' boxes (pedestrians) of ../shared/data.

    python -m benchmarks.consensus_real [--only lidc pedestrians]

lidc: nodules that four radiologists outlined; the consensus of every three predicts the fourth. Slice IoU over slices
on which all four have a box; track IoU (ΣIoU / slices of either), and the share of slices on which three say rightly
whether the fourth has a box, over whole nodules. Presence of the plain methods is the majority's.
pedestrians: an image is a segment of one frame; errors per image are consensus boxes without an expert's box (IoU 0.5)
plus expert's boxes without one, above 30 px in height. Fixed numbers of workers in the order in which they came, and
adaptive: from two, one more while the consensus is not sure enough.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from annotation.core.boxes import iou, iou_aligned
from annotation.core.matching import match
from annotation.core.tracks import Floats, Tracks, fill, make_track
from benchmarks.consensus_crowds import SHARED
from review.core.consensus import Consensus, Submission, make_consensus
from review.core.learning import Answers, learn

WBF_FLOOR, TALL, FOUND, MOST = 0.55, 30.0, 0.5, 7

Boxes = dict[int, Floats]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=["lidc", "pedestrians"])
    args = parser.parse_args()
    if "lidc" in args.only:
        lidc()
    if "pedestrians" in args.only:
        pedestrians()


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
    start, stop = min(map(min, three)), max(map(max, three)) + 1
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


def pedestrians() -> None:
    answers: dict[str, dict[str, tuple[int, list[Floats]]]] = defaultdict(dict)
    for row in _rows("pedestrians/answers.csv"):
        _, boxes = answers[row["image"]].setdefault(row["worker"], (int(row["order"]), []))
        if row["x1"]:
            boxes.append(np.array([float(row[c]) for c in ("x1", "y1", "x2", "y2")]))
    truth: dict[str, list[list[float]]] = defaultdict(list)
    for row in _rows("pedestrians/truth.csv"):
        truth[row["image"]] += [[float(row[c]) for c in ("x1", "y1", "x2", "y2")]] if row["x1"] else []
    images = {
        image: [_answer(worker, boxes) for worker, (_, boxes) in sorted(given.items(), key=lambda g: g[1][0])]
        for image, given in answers.items()
    }
    learnt = learn(
        [Answers(0, 1, tuple(s.worker for s in some), tuple(s.tracks for s in some)) for some in images.values()]
    )
    skilled = {
        image: [Submission(s.id, s.worker, s.tracks, learnt.skills[s.worker]) for s in some]
        for image, some in images.items()
    }
    print(f"pedestrians: {len(truth)} images with an expert's boxes, {len(images)} in all")
    for n in (1, 3, 5, 7):
        _tell(f"fixed {n}", skilled, truth, lambda _, k, n=n: k < n)
    for floor in (0.7, 0.8, 0.9):
        _tell(f"agreement under {floor}", skilled, truth, lambda c, k, floor=floor: k < 2 or c.agreement < floor)
    for risk in (0.4, 0.3, 0.2, 0.15, 0.1, 0.05):
        _tell(f"risk over {risk}", skilled, truth, lambda c, k, risk=risk: k < 2 or c.risk > risk)


def _answer(worker: str, boxes: list[Floats]) -> Submission:
    tracks = tuple(make_track(str(i), "pedestrian", [0], [box]) for i, box in enumerate(boxes))
    return Submission(worker, worker, Tracks(0, 1, tracks))


def _tell(
    name: str,
    images: dict[str, list[Submission]],
    truth: dict[str, list[list[float]]],
    more: Callable[[Consensus, int], bool],
) -> None:
    used, wrong, boxes = [], [], 0
    for image, expert in truth.items():
        some, k = images.get(image, []), 1
        made = make_consensus(some[:1], 0, 1, lone=True)
        while k < min(len(some), MOST) and more(made, k):
            k += 1
            made = make_consensus(some[:k], 0, 1, lone=True)
        used.append(k)
        wrong.append(_errors(fill(made.tracks.tracks, 0, 1).boxes[:, 0], np.array(expert).reshape(-1, 4)))
        boxes += len(expert)
    print(f"{name:22} {np.mean(used):.2f} annotations per image, {np.mean(wrong):.4f} errors per image ({boxes} boxes)")


def _errors(made: Floats, expert: Floats) -> int:
    found = match(iou(made, expert), FOUND)
    lone = np.concatenate([made[found.left], expert[found.right]])
    return int((lone[:, 3] - lone[:, 1] > TALL).sum())


def _rows(name: str) -> Iterable[dict[str, str]]:
    path = SHARED / name
    if not path.exists():
        raise SystemExit(f"{path} is not there: set TRACKWEAVE_SHARED")
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


if __name__ == "__main__":
    main()
