"""Simulated crowds over real truth, as files' content: what the consensus benchmarks run on.

Every sequence of ../shared/data/mot15 and mot17, cut into 10 s segments with 1 s overlap, each drawn by some of a pool
of ten workers (`crowd.core.simulation`), who are the same persons in all sequences.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from annotation.core.boxes import iou
from annotation.core.matching import match
from annotation.core.segments import cut
from annotation.core.tracks import Dense, Floats, Tracks, fill, make_track
from crowd.core.simulation import KINDS, Kind, draw, make_pool
from review.core.cases import Case, Drawn, Task
from review.core.truth import read_mot

SHARED = Path(os.environ.get("TRACKWEAVE_SHARED", Path(__file__).resolve().parents[1] / "../shared")) / "data"
POOL, SEGMENT_S, OVERLAP_S = 10, 10, 1
FOUND = 0.5  # IoU at which a worker's box is a true object's, for the bound


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One video's truth on every frame, and what of it matters here."""

    name: str
    truth: Dense
    fps: int
    width: int
    height: int


def sequences() -> list[Sequence]:
    """All that are there, by name; SystemExit where there are none."""
    found = sorted([*SHARED.glob("mot15/*/gt.txt"), *SHARED.glob("mot17/*/gt.txt")])
    if not found:
        raise SystemExit(f"no sequences in {SHARED}: set TRACKWEAVE_SHARED")
    return [_read(path) for path in found]


def _read(path: Path) -> Sequence:
    info = ConfigParser()
    info.read(path.parent / "seqinfo.ini")
    said = info["Sequence"]
    truth = read_mot(path, said.getint("seqLength"))
    labelled = replace(truth, labels=("person",) * len(truth.ids))
    return Sequence(
        path.parent.name, labelled, said.getint("frameRate"), said.getint("imWidth"), said.getint("imHeight")
    )


def thinned(sequence: Sequence, every: int) -> Sequence:
    """Every so many-th frame only: what a video of fewer frames a second shows of the same."""
    truth = sequence.truth
    present = truth.present[:, ::every]
    seen = present.any(axis=1)
    kept = replace(
        truth,
        ids=tuple(np.array(truth.ids)[seen].tolist()),
        labels=tuple(np.array(truth.labels)[seen].tolist()),
        boxes=truth.boxes[seen, ::every],
        present=present[seen],
        occluded=truth.occluded[seen, ::every],
    )
    return replace(sequence, truth=kept, fps=max(1, round(sequence.fps / every)))


def as_tracks(truth: Dense) -> Tracks:
    """The truth with a keyframe on every frame."""
    tracks = []
    for row, name in enumerate(truth.ids):
        here = truth.present[row]
        at = np.flatnonzero(here | np.concatenate([[False], here[:-1] & ~here[1:]]))
        tracks.append(make_track(name, "person", at, truth.boxes[row, at], outside=~here[at]))
    return Tracks(truth.start, truth.stop, tuple(tracks))


def crowd(
    some: list[Sequence],
    seed: int,
    *,
    workers: int,
    spammers: float,
    heavy: bool,
    gold: float = 0.0,
    kinds: tuple[Kind, ...] = KINDS,
    size: int = POOL,
    worse: Mapping[str, float] | None = None,
    pieces_s: float = 0.0,
    twice: float = 0.0,
    uneven: bool = False,
    batch: int = 0,
) -> list[Case]:
    """Cases of a pool of `size`; a share `gold` of the tasks have the truth as gold. Spammers are of `kinds` in turn.

    `worse` names errors of every worker that are so many times as large; whole numbers stay whole, and above 0.
    After `pieces_s` seconds in the mean everybody ends a track and begins another in its place; with the chance
    `twice` they draw an object a second time. Keyframes are at random distances where they are `uneven`.
    Another `batch` is other work of the same pool.
    """
    rng = np.random.default_rng(seed)
    pool = make_pool(size, rng, spammers=spammers, heavy_tailed=heavy, kinds=kinds)
    pool = tuple(replace(w, **{k: _times(getattr(w, k), by) for k, by in (worse or {}).items()}) for w in pool)
    if batch:
        rng = np.random.default_rng([seed, batch])
    cases = []
    for sequence in some:
        truth, line, tasks = as_tracks(sequence.truth), 0, []
        for start, stop in cut(sequence.truth.stop, SEGMENT_S * sequence.fps, OVERLAP_S * sequence.fps):
            sit = rng.permutation(size)[:workers]
            picture = (sequence.width, sequence.height)
            at_it = [replace(pool[i], piece_frames=pieces_s * sequence.fps, twice=twice, uneven=uneven) for i in sit]
            drawn = [(w.name, draw(truth, start, stop, w, rng, *picture)) for w in at_it]
            known = replace(truth, start=start, stop=stop) if rng.random() < gold else None
            tasks.append(Task(start, stop, tuple(Drawn(line + k, *d) for k, d in enumerate(drawn)), known))
            line += workers
        cases.append(Case(sequence.name, sequence.truth, tuple(tasks)))
    return cases


def _times(value: float, by: float) -> float:
    return max(1, int(value * by + 0.5)) if isinstance(value, int) else value * by


def bound(case: Case) -> Dense:
    """Every worker's box given its true identity by matching each frame with the truth, then the plain mean."""
    total, count = np.zeros(case.truth.boxes.shape), np.zeros(case.truth.present.shape)
    for task in case.tasks:
        for drawn in task.drawn:
            own = fill(drawn.tracks.tracks, task.start, task.stop)
            for frame in range(task.start, task.stop):
                _give(case.truth, own, frame, total, count)
    there = count > 0
    boxes = np.where(there[..., None], total / np.maximum(count, 1)[..., None], np.nan)
    return replace(case.truth, boxes=boxes, present=there, occluded=np.zeros_like(there))


def _give(truth: Dense, own: Dense, frame: int, total: Floats, count: Floats) -> None:
    """Add one worker's boxes of one frame to those of the objects that they are."""
    rows, mine = np.flatnonzero(truth.present[:, frame]), np.flatnonzero(own.present[:, frame - own.start])
    boxes = own.boxes[mine, frame - own.start]
    pairs = match(iou(truth.boxes[rows, frame], boxes), FOUND).pairs
    total[rows[pairs[:, 0]], frame] += boxes[pairs[:, 1]]
    count[rows[pairs[:, 0]], frame] += 1
