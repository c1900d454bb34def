"""Truth, submissions and gold on files: what `manage.py evaluate` reads, checked with the place of every mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.core.json_input import InvalidJson, read_json
from annotation.core.parsing import Limits, parse_tracks
from annotation.core.problems import Invalid
from annotation.core.tracks import Dense, Tracks
from annotation.core.values import name_problem
from review.core.lines import BadLine, lines_of
from review.core.truth import MOST_FRAMES, Truth, on_every_frame, places_problem, read_truth

# Tracks times frames of one line. Making a consensus of a single submission takes some 200 bytes a box (of two, 900),
# so these are 50 GiB and more. Ten hours at 30 frames a second have room for some 250 tracks.
MOST_FILLED = 2**28
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
    tasks = tuple(Task(*span, _of(drawn, span), _covering(submissions, golds, *span)) for span in spans)
    return Case(name, _truth_beneath(read_truth(truth), submissions, drawn), tasks)


def _truth_beneath(truth: Truth, submissions: Path, drawn: list[Drawn]) -> Dense:
    """On all frames that somebody drew on, too."""
    stop = max((d.tracks.stop for d in drawn), default=0)
    if problem := places_problem(truth, stop):
        raise BadLine(submissions, next(d.line for d in drawn if d.tracks.stop == stop), "/stop", problem)
    return on_every_frame(truth, stop)


def _of(drawn: list[Drawn], span: tuple[int, int]) -> tuple[Drawn, ...]:
    return tuple(d for d in drawn if (d.tracks.start, d.tracks.stop) == span)


def _covering(path: Path, golds: list[tuple[int, Tracks]], start: int, stop: int) -> Tracks | None:
    """The last gold said about all these frames; a consensus may read it filled over the smaller range."""
    covers = ((n, gold) for n, gold in reversed(golds) if gold.start <= start and stop <= gold.stop)
    number, found = next(covers, (0, None))
    if found and (problem := _filled_problem(found, start, stop)):
        raise BadLine(path, number, "/tracks", problem)
    return found


def _filled_problem(tracks: Tracks, start: int, stop: int) -> str | None:
    """Why tracks cannot be filled over `[start, stop)`, or None."""
    count, frames = len(tracks.tracks), stop - start
    if count * frames <= MOST_FILLED:
        return None
    return f"{count} tracks on {frames} frames are too much; at most {MOST_FILLED} boxes of one line are held in memory"


def _read_lines(path: Path) -> tuple[list[Drawn], list[tuple[int, Tracks]]]:
    """Submissions, and gold with its line."""
    drawn, golds = [], []
    seen: dict[tuple[str, int, int], int] = {}
    for number, data in _objects(path):
        worker, start, stop, _ = _header(path, number, data)
        tracks = _tracks(path, number, data, start, stop)
        if worker is None:
            golds.append((number, tracks))
            continue
        first = seen.setdefault((worker, start, stop), number)
        if first != number:  # they would be two people who agree
            raise BadLine(path, number, "/worker", f"has a submission on these frames already, in line {first}")
        if problem := _filled_problem(tracks, start, stop):
            raise BadLine(path, number, "/stop", problem)
        drawn.append(Drawn(number, worker, tracks))
    return drawn, golds


def _tracks(path: Path, number: int, data: dict[str, Any], start: int, stop: int) -> Tracks:
    try:
        return parse_tracks(data, ontology=None, start=start, stop=stop, limits=LIMITS, allow_empty=True)
    except Invalid as error:
        first = error.errors[0]
        raise BadLine(path, number, first.pointer, first.message) from error


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in lines_of(path):
        try:
            data = read_json(line)
        except InvalidJson as error:
            raise BadLine(path, number, "", error.errors[0].message) from error
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
    if worker is not None and (problem := name_problem(worker)):
        raise BadLine(path, number, "/worker", f"is no name: {problem}")
    if worker is None and not gold:
        raise BadLine(path, number, "/worker", "is missing; only a line of gold has no worker")
    for name in ("start", "stop"):
        value = data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_FRAMES:
            raise BadLine(path, number, f"/{name}", f"must be a whole number from 0 to {MOST_FRAMES}")
    if data["start"] >= data["stop"]:
        raise BadLine(path, number, "/stop", "must be after start")
    return worker, data["start"], data["stop"], gold
