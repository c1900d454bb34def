"""Rows in frame order made into tracks, one stretch at a time, through a file aside.

Boxes come frame by frame, since that is how a stitched video is read within bounded memory; some formats want them
track by track. The rows are put aside on disk, those of each part sorted by track, and gathered again for one track
after the other, a stretch of it at a time: memory holds one part, or one stretch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

import numpy as np

from annotation.core.tracks import Bools, Floats, Ints
from annotation.formats.content import PIECE_ROWS, Rows, VideoTracks
from annotation.formats.parting import EVERYTHING, parts_from
from annotation.formats.zipping import ZipWriter

STRETCH = 20_000
SURE = 1e-7  # boxes that bend by more are no straight line, whatever the last bits say
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
    """A stretch of one track's boxes, by frame: `own` are its rows, with one of the track's before and after them
    where there is any, for comparison. `states` index `attributes`, which all tracks of a video share; `place` counts
    the tracks from 0.
    """

    number: int
    label: int
    confidence: float
    frames: Ints
    boxes: Floats
    occluded: Bools
    states: Ints
    attributes: list[Mapping[str, Any]]
    own: slice
    place: int
    first: bool
    last: bool
    step: int = 1

    def pieces(self) -> Iterator[slice]:
        """The stretch's own rows, a few thousand at a time."""
        for start in range(self.own.start, self.own.stop, PIECE_ROWS):
            yield slice(start, min(start + PIECE_ROWS, self.own.stop))


@dataclass(slots=True)
class _Aside:
    """Records in a file: the places (first, count) of each track's, and the sets of attributes that they refer to."""

    file: IO[bytes]
    records: int = 0
    places: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    known: dict[str, int] = field(default_factory=dict)
    sets: list[Mapping[str, Any]] = field(default_factory=list)

    def put(self, rows: Rows) -> None:
        """Rows in frame order, after all that were put before."""
        records = _records(rows, self.known, self.sets)
        records = records[np.argsort(records["number"], kind="stable")]
        numbers, first, counts = np.unique(records["number"], return_index=True, return_counts=True)
        for number, at, count in zip(numbers.tolist(), first.tolist(), counts.tolist(), strict=True):
            self.places[number].append((self.records + at, count))
        self.file.write(records.tobytes())
        self.records += len(records)

    def to_json(self) -> dict[str, Any]:
        return {"records": self.records, "places": list(self.places.items()), "sets": self.sets}

    @classmethod
    def from_json(cls, file: IO[bytes], said: Mapping[str, Any]) -> _Aside:
        aside = cls(file, said["records"])
        for number, places in said["places"]:
            aside.places[number] = [(first, count) for first, count in places]
        aside.sets = list(said["sets"])
        aside.known = {_key(s): i for i, s in enumerate(aside.sets)}
        return aside

    def stretches(self, place: int, number: int, step: int) -> Iterator[TrackRows]:
        """One track, a stretch at a time. Its label is that of its first row."""
        total = sum(count for _, count in self.places[number])
        before = np.zeros(0, RECORD)
        parts = self._read(number)
        held = next(parts)
        label, sure = int(held["label"][0]), float(held["confidence"][0])
        for start in range(0, total, STRETCH):
            stop = min(start + STRETCH, total)
            wanted = stop - start + (stop < total)  # one more, to compare
            while len(held) < wanted:
                held = np.concatenate([held, next(parts)])
            seen = np.concatenate([before, held[:wanted]])
            own = slice(len(before), len(before) + stop - start)
            columns = (seen["frame"], seen["box"], seen["occluded"], seen["state"])
            yield TrackRows(number, label, sure, *columns, self.sets, own, place, not start, stop == total, step)
            before, held = held[stop - start - 1 : stop - start], held[stop - start :]

    def _read(self, number: int) -> Iterator[np.ndarray]:
        for first, count in self.places[number]:
            self.file.seek(first * RECORD.itemsize)
            yield np.frombuffer(self.file.read(count * RECORD.itemsize), RECORD)


def tracks_in_parts(archive: ZipWriter, phase: str, video: VideoTracks) -> Iterator[TrackRows]:
    """The tracks of a video by their numbers, each in stretches, from where the archive stands."""
    for stretches in groups_in_parts(archive, phase, video):
        yield from stretches


def groups_in_parts(
    archive: ZipWriter, phase: str, video: VideoTracks, there: set[int] | None = None
) -> Iterator[list[TrackRows]]:
    """The same, some thousand boxes of short tracks at a time. `there` gets the numbers of all tracks that have boxes,
    also of those that were written before a crash."""
    putting, gathering = f"{phase}:aside", f"{phase}:tracks"
    at = archive.begin(putting)
    aside = None if at is None else _put_aside(archive, putting, video, at)
    at = archive.begin(gathering)
    if at is None:
        return
    aside = aside or _Aside.from_json(archive.aside("rows", at["aside"]["records"] * RECORD.itemsize), at["aside"])
    with aside.file:
        numbers, waiting = sorted(aside.places), _Waiting()
        if there is not None:
            there.update(numbers)
        for done in range(at.get("tracks", 0) + 1, len(numbers) + 1):
            for stretch in aside.stretches(done - 1, numbers[done - 1], video.video.step):
                yield from waiting.with_next(stretch)
            if waiting.rows >= STRETCH or done == len(numbers):
                yield from waiting.rest()
                archive.note(gathering, partial(_standing, aside, tracks=done), done / len(numbers), aside.file)


class _Waiting:
    """Stretches that wait until there are `STRETCH` rows of them; `rows` is how many came since the last rest."""

    def __init__(self) -> None:
        self.rows, self._held, self._here = 0, 0, list[TrackRows]()

    def with_next(self, stretch: TrackRows) -> Iterator[list[TrackRows]]:
        rows = stretch.own.stop - stretch.own.start
        self.rows += rows
        if self._held + rows > STRETCH:
            yield from self._given()
        self._here.append(stretch)
        self._held += rows

    def rest(self) -> Iterator[list[TrackRows]]:
        yield from self._given()
        self.rows = 0

    def _given(self) -> Iterator[list[TrackRows]]:
        if self._here:
            yield self._here
        self._here, self._held = [], 0


def _standing(aside: _Aside, **more: int) -> dict[str, Any]:
    return {"aside": aside.to_json(), **more}


def _put_aside(archive: ZipWriter, phase: str, video: VideoTracks, at: Mapping[str, Any]) -> _Aside:
    said = at.get("aside", {"records": 0, "places": [], "sets": []})
    aside = _Aside.from_json(archive.aside("rows", said["records"] * RECORD.itemsize), said)
    more = partial(_standing, aside)
    for rows in parts_from(archive, phase, video, at.get("frame", 0), EVERYTHING, more=more, files=(aside.file,)):
        aside.put(rows)
    return aside


def last_rows(track: TrackRows, frame_count: int) -> Bools:
    """The own rows after which the track is absent for a while, or to the end of the video."""
    after = track.frames + track.step
    ends = (np.append(track.frames[1:], -1) != after) & (after < frame_count)
    return ends[track.own]


def resting(track: TrackRows) -> Bools:
    """The own rows that interpolation between their neighbours gives back exactly, occlusion and all."""
    same = np.zeros(len(track.frames), bool)
    same[1:] = (np.diff(track.frames) == track.step) & (track.boxes[1:] == track.boxes[:-1]).all(axis=1)
    rests = same & np.append(same[1:], False)
    rests[1:] &= track.occluded[1:] == track.occluded[:-1]
    return rests[track.own]


def own_rows(tracks: Sequence[TrackRows]) -> tuple[Ints, Floats, Bools, Ints]:
    """Frames, boxes and occlusion of the own rows of some stretches, one after the other, and where each begins."""
    columns = ([getattr(t, name)[t.own] for t in tracks] for name in ("frames", "boxes", "occluded"))
    frames, boxes, occluded = (np.concatenate(parts) for parts in columns)
    return frames, boxes, occluded, np.cumsum([0, *(t.own.stop - t.own.start for t in tracks)])


def interpolated(tracks: Sequence[TrackRows], kept: Bools) -> Bools:
    """The own rows that interpolation gives back to the last bit once the others are keyframes; `kept` ones are."""
    frames, boxes, occluded, begins = own_rows(tracks)
    keys = kept.copy()
    keys[[0, -1]] = True
    apart = np.diff(frames) != tracks[0].step
    apart[begins[1:-1] - 1] = True
    keys[1:] |= apart | (np.diff(occluded) != 0)
    keys[:-1] |= apart
    if len(boxes) > 2:
        keys[1:-1] |= (np.abs(boxes[2:] - 2 * boxes[1:-1] + boxes[:-2]) > SURE).any(axis=1)
    at = np.flatnonzero(keys)
    run = np.maximum(np.cumsum(keys) - 1, 0)
    left, right = at[run], at[np.minimum(run + 1, len(at) - 1)]
    share = ((frames - frames[left]) / np.maximum(frames[right] - frames[left], 1))[:, None]
    wrong = (boxes[left] + (boxes[right] - boxes[left]) * share != boxes).any(axis=1)
    # A line that is off by a bit somewhere keeps all of its boxes.
    spoilt = np.bincount(run, weights=wrong & ~keys, minlength=len(at)) > 0
    return ~keys & ~spoilt[run]


def _records(rows: Rows, known: dict[str, int], sets: list[Mapping[str, Any]]) -> np.ndarray:
    states = np.zeros(len(rows.attributes), np.int32)
    for i, attributes in enumerate(rows.attributes):
        states[i] = known.setdefault(_key(attributes), len(sets))
        if states[i] == len(sets):
            sets.append(attributes)
    records = np.empty(len(rows), RECORD)
    columns = (rows.frames, rows.numbers, rows.boxes, rows.confidence, rows.labels, states[rows.states], rows.occluded)
    for name, column in zip(RECORD.names or (), columns, strict=True):
        records[name] = column
    return records


def _key(attributes: Mapping[str, Any]) -> str:
    return repr(sorted(attributes.items()))
