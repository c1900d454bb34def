"""Truth in MOT form on a file, checked with the place of every mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from annotation.core.keyframes import FARTHEST
from annotation.core.tracks import Bools, Dense, Floats
from review.core.lines import BadLine, lines_of

MOST_FRAMES = 10_000_000


def read_mot(path: Path, frames: int = 0) -> Dense:
    """Truth in MOT form on every frame of `[0, n)`, n the last frame in it or `frames`, whichever is more.

    Lines are `frame,id,x,y,w,h,conf[,class,visibility]` with frames from 1. With 9 columns a conf of 0 marks what is
    not to be scored and is left out; with other numbers of columns every line counts.
    """
    rows = np.array(list(_mot_rows(path))).reshape(-1, 7)
    names, row = np.unique(rows[:, 1], return_inverse=True)
    frame = rows[:, 0].astype(np.int64) - 1
    n = max(frames, int(frame.max(initial=-1)) + 1)
    boxes: Floats = np.full((len(names), n, 4), np.nan)
    present: Bools = np.zeros((len(names), n), bool)
    boxes[row, frame] = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    present[row, frame] = True
    ids = tuple(str(int(name)) for name in names)
    return Dense(0, ids, ("",) * len(ids), boxes, present, np.zeros_like(present))


def _mot_rows(path: Path) -> Iterator[list[float]]:
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
        yield values[:7]


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
