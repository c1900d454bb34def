"""Consensus of crowd workers' boxes on single images, beside what was published on the same answers.

    python -m benchmarks.consensus_real --only pedestrians [--orders 1 2 3] [--gain-floors 0.0145 0.006 0.004]

An image is a segment of one frame. Errors are counted as by Branson, Van Horn & Perona 2017 ("Lean Crowdsourcing",
sbranson/online_crowdsourcing, `CrowdLabelBBox.loss`), on the images that an expert labelled: boxes are paired with the
expert's; one that has no partner with an overlap of one half is an error, false or missed, if it is wider than 30 px,
and a false one whose partner is a narrow box of the expert's is none.

Peers in the same run: their majority vote (a box that half of the workers have, as one of them drew it; published
0.071 / 0.041 / 0.030 at 3, 5 and 7 workers) and clusters of fixed n with the median (0.042 / 0.027 / 0.021). Ours with
a fixed number of workers in the order in which they came, and adaptive: two of every image, skills learnt from what is
in, one more wherever that is worth it, and so on. Nobody knows more than the answers that were asked for. A box
is right here from an overlap of one half on (`Worth.right_from`), and nobody is asked because of what is drawn no wider
than the 30 px from which errors count. One error is 0.002 of the 473 images' figure, so with
`--orders` (seeds) the adaptive ones are also printed for random orders of each image's answers, and their mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import match
from annotation.core.tracks import Floats, Tracks, fill, make_track
from review.core.consensus import Consensus, Submission, make_consensus
from review.core.learning import Answers, Learnt, learn
from review.core.risking import OF_ITS_OWN, Worth

WIDE, FOUND, FIRST, MOST = 30.0, 0.5, 2, 7
GAIN_FLOORS = (0.03, 0.02, 0.0145, 0.01, 0.006, 0.004, 0.003, 0.002)

Answered = dict[str, list[Submission]]


def pedestrians(
    answers: Iterable[Mapping[str, str]],
    truth: Iterable[Mapping[str, str]],
    gain_floors: Sequence[float] = GAIN_FLOORS,
    orders: Sequence[int] = (),
) -> None:
    """Print errors and annotations per image of every method, from the rows of the two files."""
    images, expert = _submissions(answers), _truth(truth)
    print(f"pedestrians: {len(expert)} images with an expert's boxes, {len(images)} in all")
    for n in (3, 5, 7):
        drawn = {i: [_boxes(s.tracks) for s in images[i][:n]] for i in expert}
        _tell(f"majority vote, {n}", expert, {i: majority(some, median=False) for i, some in drawn.items()}, n)
        _tell(f"clusters and median, {n}", expert, {i: majority(some, median=True) for i, some in drawn.items()}, n)
    for n in (1, 2, 3, 5, 7):
        some = {i: given[:n] for i, given in images.items()}
        learnt = _learn(some)
        made = {i: _boxes(_consent(some[i], learnt).tracks) for i in expert}
        _tell(f"consensus, {n}", expert, made, n)
    for floor in gain_floors:
        made, spent = _adapted(images, expert, floor)
        _tell(f"adaptive, gain floor {floor}", expert, made, spent)
        mixed = [_adapted(_shuffled(images, seed), expert, floor) for seed in orders]
        for seed, (made, spent) in zip(orders, mixed, strict=True):
            _tell(f"  in order {seed}", expert, made, spent)
        if mixed:
            wrong, spent = np.mean([(_wrong(expert, made), spent) for made, spent in mixed], axis=0).tolist()
            print(f"  {len(mixed)} orders: {spent:.2f} annotations, {wrong:.4f} errors per image")


def _adapted(images: Answered, expert: Mapping[str, Floats], floor: float) -> tuple[dict[str, Floats], float]:
    """The boxes of the adaptive consensus, and answers spent per image, of those with an expert's."""
    used, done = adaptive(images, floor)
    return {i: _boxes(done[i].tracks) for i in expert}, float(np.mean([len(used[i]) for i in expert]))


def _shuffled(images: Answered, seed: int) -> Answered:
    rng = np.random.default_rng(seed)
    return {image: [given[k] for k in rng.permutation(len(given))] for image, given in images.items()}


def adaptive(images: Answered, gain_floor: float) -> tuple[Answered, dict[str, Consensus]]:
    """What was asked for of every image, and its consensus with the skills learnt from all of that."""
    used = {image: given[:FIRST] for image, given in images.items()}
    waiting = set(images)
    usual = np.mean([_wide(_boxes(s.tracks)).sum() for some in used.values() for s in some])
    worth = Worth(float(usual), FOUND, WIDE)
    while waiting:
        learnt = _learn(used)
        more = (i for i in waiting if len(used[i]) < min(len(images[i]), MOST))
        waiting = {i for i in more if _consent(used[i], learnt, worth).gain > gain_floor}
        for image in waiting:
            used[image] = images[image][: len(used[image]) + 1]
    learnt = _learn(used)
    return used, {image: _consent(some, learnt) for image, some in used.items()}


def _learn(images: Answered) -> Learnt:
    some = images.values()
    return learn([Answers(0, 1, tuple(s.worker for s in s_), tuple(s.tracks for s in s_)) for s_ in some])


def _consent(some: Sequence[Submission], learnt: Learnt, worth: Worth = OF_ITS_OWN) -> Consensus:
    skilled = [Submission(s.id, s.worker, s.tracks, learnt.skills[s.worker]) for s in some]
    return make_consensus(skilled, 0, 1, lone=True, worth=worth)


def _boxes(tracks: Tracks) -> Floats:
    return fill(tracks.tracks, 0, 1).boxes[:, 0]


def _submissions(rows: Iterable[Mapping[str, str]]) -> Answered:
    """Every image's answers in the order in which they came; a row without a box says that there is none."""
    given: dict[str, dict[int, tuple[str, list[list[float]]]]] = defaultdict(dict)
    for row in rows:
        _, boxes = given[row["image"]].setdefault(int(row["order"]), (row["worker"], []))
        boxes += _box(row)
    return {image: [_answer(*some[order]) for order in sorted(some)] for image, some in given.items()}


def _answer(worker: str, boxes: Sequence[Sequence[float]]) -> Submission:
    tracks = tuple(make_track(str(i), "pedestrian", [0], [box]) for i, box in enumerate(boxes))
    return Submission(worker, worker, Tracks(0, 1, tracks))


def _truth(rows: Iterable[Mapping[str, str]]) -> dict[str, Floats]:
    expert: dict[str, list[list[float]]] = defaultdict(list)
    for row in rows:
        expert[row["image"]] += _box(row)
    return {image: np.array(boxes, float).reshape(-1, 4) for image, boxes in expert.items()}


def _box(row: Mapping[str, str]) -> list[list[float]]:
    return [[float(row[c]) for c in ("x1", "y1", "x2", "y2")]] if row["x1"] else []


def _tell(name: str, expert: Mapping[str, Floats], made: Mapping[str, Floats], spent: float) -> None:
    print(f"{name:22} {spent:.2f} annotations per image, {_wrong(expert, made):.4f} errors per image", flush=True)


def _wrong(expert: Mapping[str, Floats], made: Mapping[str, Floats]) -> float:
    return float(np.mean([errors(made[image], boxes) for image, boxes in expert.items()]))


def errors(made: Floats, expert: Floats) -> int:
    """False and missed boxes of one image, (n, 4) and (m, 4), as the published code counts them."""
    alike = iou(made, expert)
    pairs = match(alike).pairs
    good = alike[pairs[:, 0], pairs[:, 1]] >= FOUND
    wide, expected = _wide(made), _wide(expert)
    partner = np.full(len(made), -1)
    partner[pairs[:, 0]] = pairs[:, 1]
    wide[partner >= 0] &= expected[partner[partner >= 0]]
    wide[pairs[good, 0]] = expected[pairs[good, 1]] = False
    return int(wide.sum() + expected.sum())


def _wide(boxes: Floats) -> np.ndarray:
    return boxes[:, 2] - boxes[:, 0] > WIDE


def majority(drawn: Sequence[Floats], *, median: bool) -> Floats:
    """Boxes (k, 4) that at least half of the workers have, those that most have first.

    A box stands for at most one of every other worker that overlaps it by half. With `median` the most alike group
    goes first and gives its median, else the first of equals gives the box that it stands around.
    """
    owner = np.repeat(np.arange(len(drawn)), [len(b) for b in drawn])
    boxes = np.concatenate(drawn)
    alike = iou(boxes, boxes)
    left, out = np.ones(len(boxes), bool), []
    while left.any():
        groups = [_around(k, owner, left, alike) for k in np.flatnonzero(left)]
        group = max(groups, key=lambda g: (len(g), median * alike[g[0], g].sum()))
        if 2 * len(group) < len(drawn):
            break
        left[group] = False
        out.append(np.median(boxes[group], axis=0) if median else boxes[group[0]])
    return np.array(out).reshape(-1, 4)


def _around(middle: int, owner: np.ndarray, left: np.ndarray, alike: Floats) -> list[int]:
    """A box and the most alike one of every other worker, of those that are left."""
    group = [int(middle)]
    for worker in np.unique(owner[owner != owner[middle]]):
        rows = np.flatnonzero(left & (owner == worker))
        if len(rows) and alike[middle, rows].max() > FOUND:
            group.append(int(rows[alike[middle, rows].argmax()]))
    return group
