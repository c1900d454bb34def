"""Truth, submissions and gold on files: what `manage.py evaluate` reads, checked with the place of every mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.core.parsing import Limits, parse_tracks
from annotation.core.problems import Invalid
from annotation.core.tracks import Dense, Tracks
from review.core.lines import BadLine, lines_of
from review.core.truth import MOST_FRAMES, read_mot

LIMITS = Limits(tracks=100_000, keyframes=50_000_000, intervals=1_000_000)


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
    for number, line in lines_of(path):
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
