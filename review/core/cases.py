"""Truth, submissions and gold on files: what `manage.py evaluate` reads, checked with the place of every mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotation.core.parsing import Limits, parse_tracks
from annotation.core.problems import Invalid
from annotation.core.tracks import Bools, Dense, Floats, Tracks

MOST_FRAMES = 10_000_000
LIMITS = Limits(tracks=100_000, keyframes=50_000_000, intervals=1_000_000)


class BadLine(ValueError):
    """A line of a file cannot be used: says which file, which line and what of it."""

    def __init__(self, path: Path, line: int, pointer: str, message: str):
        self.path, self.line, self.pointer, self.message = path, line, pointer, message
        super().__init__(f"{path}, line {line}{', at ' + pointer if pointer else ''}: {message}")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One submission: its line in the file, who drew it, and what."""

    line: int
    worker: str
    tracks: Tracks


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The submissions of one range of frames in the file's order, and the gold that covers the range, if any."""

    start: int
    stop: int
    drawn: tuple[Drawn, ...]
    gold: Tracks | None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One video: its truth on every frame, and its tasks by their frames."""

    name: str
    truth: Dense
    tasks: tuple[Task, ...]


def read_case(name: str, truth: Path, submissions: Path) -> Case:
    """A case from its two files. BadLine where one of them is wrong, OSError where it cannot be read."""
    drawn, golds = _read_lines(submissions)
    spans = sorted({(d.tracks.start, d.tracks.stop) for d in drawn})
    tasks = tuple(Task(*span, _of(drawn, span), _covering(golds, *span)) for span in spans)
    return Case(name, read_mot(truth, max((stop for _, stop in spans), default=0)), tasks)


def _of(drawn: list[Drawn], span: tuple[int, int]) -> tuple[Drawn, ...]:
    return tuple(d for d in drawn if (d.tracks.start, d.tracks.stop) == span)


def _covering(golds: list[Tracks], start: int, stop: int) -> Tracks | None:
    """The last gold said about all these frames; a consensus may read it filled over the smaller range."""
    return next((g for g in reversed(golds) if g.start <= start and stop <= g.stop), None)


def _read_lines(path: Path) -> tuple[list[Drawn], list[Tracks]]:
    drawn, golds = [], []
    for number, data in _objects(path):
        worker, start, stop, gold = _header(path, number, data)
        try:
            tracks = parse_tracks(data, ontology=None, start=start, stop=stop, limits=LIMITS, allow_empty=True)
        except Invalid as error:
            first = error.errors[0]
            raise BadLine(path, number, first.pointer, first.message) from error
        if worker is None:
            golds.append(tracks)
        else:
            drawn.append(Drawn(number, worker, tracks))
    return drawn, golds


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadLine(path, number, "", f"is not JSON: {error}") from error
            if not isinstance(data, dict):
                raise BadLine(path, number, "", "must be a JSON object")
            yield number, data


def _header(path: Path, number: int, data: dict[str, Any]) -> tuple[str | None, int, int, bool]:
    """Worker (None for gold), start, stop and the gold flag of a line."""
    gold, worker = data.get("gold", False), data.get("worker")
    if not isinstance(gold, bool):
        raise BadLine(path, number, "/gold", "must be true or false")
    if worker is not None and (not isinstance(worker, str) or not worker):
        raise BadLine(path, number, "/worker", "must be a name")
    if worker is None and not gold:
        raise BadLine(path, number, "/worker", "is missing; only a line of gold has no worker")
    for name in ("start", "stop"):
        value = data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_FRAMES:
            raise BadLine(path, number, f"/{name}", f"must be a whole number from 0 to {MOST_FRAMES}")
    if data["start"] >= data["stop"]:
        raise BadLine(path, number, "/stop", "must be after start")
    return worker, data["start"], data["stop"], gold


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
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            values = _mot_values(path, number, line)
            if len(values) == 9 and values[6] == 0:
                continue
            if (values[0], values[1]) in seen:
                raise BadLine(path, number, "", f"id {values[1]:.0f} is on frame {values[0]:.0f} already")
            seen.add((values[0], values[1]))
            yield values[:7]


def _mot_values(path: Path, number: int, line: str) -> list[float]:
    try:
        values = [float(v) for v in line.replace(",", " ").split()]
    except ValueError as error:
        raise BadLine(path, number, "", "must hold numbers, with commas between them") from error
    if len(values) < 6 or not np.isfinite(values).all():
        raise BadLine(path, number, "", "must be frame,id,x,y,w,h,conf[,class,visibility]")
    if not 1 <= values[0] <= MOST_FRAMES or values[0] % 1 or values[1] % 1:
        raise BadLine(path, number, "", "frame and id must be whole numbers, frames from 1")
    return (values + [1.0])[: max(7, len(values))]
