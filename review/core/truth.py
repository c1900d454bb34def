"""Truth in MOT form on a file, checked with the place of every mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.core.keyframes import FARTHEST
from annotation.core.tracks import Bools, Dense, Floats, Ints
from review.core.lines import BadLine, lines_of

MOST_FRAMES = 10_000_000
# Ids times frames. A box is four float64, so these are 16 GiB of boxes before anything is compared with them: a wrong
# frame number, not a video. Ten hours at 30 frames a second have room for some 500 ids.
MOST_PLACES = 2**29


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Rows of a file: k boxes `x, y, w, h`, each of the `row`-th of the ids on a frame from 0, with its line."""

    path: Path
    ids: tuple[str, ...]
    row: Ints
    frame: Ints
    boxes: Floats
    lines: Ints

    @property
    def stop(self) -> int:
        return int(self.frame.max(initial=-1)) + 1


def read_mot(path: Path, frames: int = 0) -> Dense:
    """Truth in MOT form on every frame of `[0, n)`, n the last frame in it or `frames`, whichever is more.

    Lines are `frame,id,x,y,w,h,conf[,class,visibility]` with frames from 1. With 9 columns a conf of 0 marks what is
    not to be scored and is left out; with other numbers of columns every line counts.
    """
    return on_every_frame(read_truth(path), frames)


def read_truth(path: Path) -> Truth:
    """As it is in the file. BadLine where something is wrong, or where it could not be held on every frame."""
    numbered = list(_mot_rows(path))
    lines = np.array([number for number, _ in numbered], np.int64)
    rows = np.array([values for _, values in numbered]).reshape(-1, 7)
    names, row = np.unique(rows[:, 1], return_inverse=True)
    ids = tuple(str(int(name)) for name in names)
    truth = Truth(path, ids, row, rows[:, 0].astype(np.int64) - 1, rows[:, 2:6], lines)
    if problem := places_problem(truth, truth.stop):
        raise BadLine(path, int(lines[truth.frame.argmax()]), "", problem)
    return truth


def places_problem(truth: Truth, stop: int) -> str | None:
    """Why truth cannot be held on every frame before `stop`, or None."""
    if len(truth.ids) * stop <= MOST_PLACES:
        return None
    return f"truth would have {len(truth.ids)} ids on {stop} frames; at most {MOST_PLACES} boxes are held in memory"


def on_every_frame(truth: Truth, frames: int) -> Dense:
    """Filled out over `[0, n)` as `read_mot` says."""
    n = max(frames, truth.stop)
    at = truth.row, truth.frame
    boxes: Floats = np.full((len(truth.ids), n, 4), np.nan)
    present: Bools = np.zeros((len(truth.ids), n), bool)
    boxes[at] = np.concatenate([truth.boxes[:, :2], truth.boxes[:, :2] + truth.boxes[:, 2:]], axis=1)
    present[at] = True
    return Dense(0, truth.ids, ("",) * len(truth.ids), boxes, present, np.zeros_like(present))


def _mot_rows(path: Path) -> Iterator[tuple[int, list[float]]]:
    seen: set[tuple[float, float]] = set()
    for number, line in lines_of(path):
        values = _mot_values(path, number, line)
        if len(values) == 9 and values[6] == 0:
            continue
        if min(values[4:6]) <= 0 or max(map(abs, values[2:6])) > FARTHEST:
            raise BadLine(path, number, "", f"width and height must be above 0, and no number beyond {FARTHEST:.0f}")
        if (values[0], values[1]) in seen:
            raise BadLine(path, number, "", f"id {values[1]:.0f} is on frame {values[0]:.0f} already")
        seen.add((values[0], values[1]))
        yield number, values[:7]


def _mot_values(path: Path, number: int, line: str) -> list[float]:
    try:
        values = [float(v) for v in _columns(line)]
    except ValueError as error:
        raise BadLine(path, number, "", "must hold numbers, with commas between them, and no empty column") from error
    if len(values) < 6 or not np.isfinite(values).all():
        raise BadLine(path, number, "", "must be frame,id,x,y,w,h,conf[,class,visibility]")
    if not 1 <= values[0] <= MOST_FRAMES or values[0] % 1 or values[1] % 1:
        raise BadLine(path, number, "", "frame and id must be whole numbers, frames from 1")
    return (values + [1.0])[: max(7, len(values))]


def _columns(line: str) -> list[str]:
    """Between commas where there are some, so that an empty column stays one; a comma may end the line."""
    if "," not in line:
        return line.split()
    return line.strip().removesuffix(",").split(",")
