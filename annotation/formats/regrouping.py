"""Rows in frame order made into tracks, one at a time, through a temporary file.

Boxes come frame by frame, since that is how a stitched video is read within bounded memory; some formats want them
track by track. The rows are put aside on disk, each large piece sorted by track, and gathered again for one track
after the other: memory holds one piece, or one track.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from annotation.core.tracks import Bools, Floats, Ints
from annotation.formats.content import Rows

PIECE = 100_000
RECORD = np.dtype(
    [
        ("frame", "<i8"),
        ("number", "<i8"),
        ("box", "<f8", 4),
        ("confidence", "<f8"),
        ("label", "<i4"),
        ("state", "<i4"),
        ("occluded", "?"),
    ]
)


@dataclass(frozen=True, eq=False, slots=True)
class TrackRows:
    """All boxes of one track, by frame. `states` index `attributes`, which all tracks of a video share."""

    number: int
    label: int
    confidence: float
    frames: Ints
    boxes: Floats
    occluded: Bools
    states: Ints
    attributes: list[Mapping[str, Any]]


def by_track(pieces: Iterable[Rows]) -> Iterator[TrackRows]:
    """The tracks of one video by their numbers, each good until the next. A track's label is that of its first row."""
    with tempfile.TemporaryFile() as aside:
        places, sets = _put_aside(pieces, aside)
        # One room for all tracks, since one may last for hours: a track's arrays hold until the next is asked for.
        room = np.empty(max((sum(n for _, n in p) for p in places.values()), default=0), RECORD)
        for number in sorted(places):
            records = _gather(aside, places[number], room)
            yield TrackRows(
                number=number,
                label=int(records["label"][0]),
                confidence=float(records["confidence"][0]),
                frames=records["frame"],
                boxes=records["box"],
                occluded=records["occluded"],
                states=records["state"],
                attributes=sets,
            )


def last_rows(track: TrackRows, frame_count: int) -> Bools:
    """Rows after which the track is absent for a while, or to the end of the video."""
    after = track.frames + 1
    return (np.append(track.frames[1:], -1) != after) & (after < frame_count)


def resting(track: TrackRows) -> Bools:
    """Rows that interpolation between their neighbours gives back exactly, occlusion and all."""
    same = np.zeros(len(track.frames), bool)
    same[1:] = (np.diff(track.frames) == 1) & (track.boxes[1:] == track.boxes[:-1]).all(axis=1)
    rests = same & np.append(same[1:], False)
    rests[1:] &= track.occluded[1:] == track.occluded[:-1]
    return rests


def _put_aside(
    pieces: Iterable[Rows], aside: BinaryIO
) -> tuple[dict[int, list[tuple[int, int]]], list[Mapping[str, Any]]]:
    """Where the records of each track lie, as (first, count), and the sets of attributes that they refer to."""
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    known: dict[str, int] = {}
    sets: list[Mapping[str, Any]] = []
    waiting: list[np.ndarray] = []
    done = 0
    for rows in pieces:
        waiting.append(_records(rows, known, sets))
        if sum(map(len, waiting)) >= PIECE:
            done = _flush(waiting, aside, done, places)
    _flush(waiting, aside, done, places)
    return places, sets


def _records(rows: Rows, known: dict[str, int], sets: list[Mapping[str, Any]]) -> np.ndarray:
    states = np.zeros(len(rows.attributes), np.int32)
    for i, attributes in enumerate(rows.attributes):
        states[i] = known.setdefault(repr(sorted(attributes.items())), len(sets))
        if states[i] == len(sets):
            sets.append(attributes)
    records = np.empty(len(rows), RECORD)
    columns = (rows.frames, rows.numbers, rows.boxes, rows.confidence, rows.labels, states[rows.states], rows.occluded)
    for name, column in zip(RECORD.names or (), columns, strict=True):
        records[name] = column
    return records


def _flush(waiting: list[np.ndarray], aside: BinaryIO, done: int, places: dict[int, list[tuple[int, int]]]) -> int:
    if not waiting:
        return done
    records = np.concatenate(waiting)
    waiting.clear()
    records = records[np.argsort(records["number"], kind="stable")]
    numbers, first, counts = np.unique(records["number"], return_index=True, return_counts=True)
    for number, at, count in zip(numbers.tolist(), first.tolist(), counts.tolist(), strict=True):
        places[number].append((done + at, count))
    aside.write(records.tobytes())
    return done + len(records)


def _gather(aside: BinaryIO, places: list[tuple[int, int]], room: np.ndarray) -> np.ndarray:
    """A track's records, read into the room without a second copy."""
    records = room[: sum(count for _, count in places)]
    raw, at = records.view(np.uint8), 0
    for first, count in places:
        aside.seek(first * RECORD.itemsize)
        size = count * RECORD.itemsize
        raw[at : at + size] = np.frombuffer(aside.read(size), np.uint8)
        at += size
    return records
