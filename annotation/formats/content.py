"""What every writer takes: videos, and their boxes as rows in frame order, a bounded piece at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import IO, Any

import numpy as np

from annotation.core.ontology import Ontology
from annotation.core.tracks import Bools, Dense, Floats, Interval, Ints, Tracks, fill

# Frames that are filled at once: boxes of a crowded second or two, whatever the video's length.
PART_FRAMES = 1000
# Rows that are turned into text at once: enough to make up for the calls, little enough to stay in the cache.
PIECE_ROWS = 8000


@dataclass(frozen=True, slots=True)
class Video:
    """The facts of a video that files name; width and height in pixels, after rotation.

    Only frames on multiples of `step` are in the file; `picture` is the ending of their pictures' names.
    """

    name: str
    frame_count: int
    width: int
    height: int
    fps: float = 25.0
    step: int = 1
    picture: str = "jpg"

    def frames(self, start: int, stop: int) -> range:
        """The frames of `[start, stop)` that are in the file."""
        return range(-(-start // self.step) * self.step, stop, self.step)


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """The boxes of the frames `[start, stop)`, one row for each frame on which a track is present.

    Columns of one length, sorted by frame and then track number: `frames` (0-based), `numbers` (the track's public
    integer id, above 0), `labels` (index into `ontology.drawn`), `boxes` (r, 4), `occluded`, `confidence` (NaN
    where there is none), and `states`: an index into `attributes`, the sets of attributes in force.
    """

    start: int
    stop: int
    frames: Ints
    numbers: Ints
    labels: Ints
    boxes: Floats
    occluded: Bools
    confidence: Floats
    states: Ints
    attributes: tuple[Mapping[str, Any], ...] = ({},)

    def __len__(self) -> int:
        return len(self.frames)

    def between(self, start: int, stop: int) -> Rows:
        """The rows of the frames `[start, stop)` alone."""
        a, b = np.searchsorted(self.frames, (start, stop))
        return replace(self.only(slice(a, b)), start=start, stop=stop)

    def only(self, which: slice | Bools) -> Rows:
        """Some of the rows, in their order."""
        return replace(
            self,
            frames=self.frames[which],
            numbers=self.numbers[which],
            labels=self.labels[which],
            boxes=self.boxes[which],
            occluded=self.occluded[which],
            confidence=self.confidence[which],
            states=self.states[which],
        )


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A clip that goes alongside: the frames `[start, stop)` of its video, one for one."""

    start: int
    stop: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True, slots=True)
class VideoTracks:
    """One video's content. `parts(start)` gives the rows from a frame on, in frame order, in pieces that fit in memory.

    A part begins where the one before it stopped, and the parts from there on are the same whoever asks: `start` is 0,
    or where a part stopped. `provenance` says by track number where a track comes from (segments, submissions, joins,
    …), in words of the caller's; `support` and `disputes` among them are read back as a track's own. `pictures` gives
    a frame as a picture file of the video's kind (None where it cannot be shown), where they are wanted alongside.
    """

    video: Video
    parts: Callable[[int], Iterator[Rows]]
    intervals: tuple[Interval, ...] = ()
    provenance: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    pictures: Callable[[int], bytes | None] | None = None
    clips: tuple[ClipFile, ...] = ()


def pieces_of(rows: Rows, at_most: int = PIECE_ROWS) -> Iterator[Rows]:
    """A part cut between frames so that a piece has `at_most` rows, or one frame."""
    start = rows.start
    while start < rows.stop:
        begin = int(np.searchsorted(rows.frames, start))
        following = begin + at_most
        stop = rows.stop if following >= len(rows) else max(int(rows.frames[following]), start + 1)
        yield rows.between(start, stop)
        start = stop


@dataclass(frozen=True, slots=True)
class Content:
    """What an export holds. `manifest` says where it comes from and goes into the file as `manifest.json`."""

    ontology: Ontology
    videos: Sequence[VideoTracks]
    manifest: Mapping[str, Any] = field(default_factory=dict)


class UnknownLabel(ValueError):
    """A track has a label that the ontology does not know."""


def rows_of_dense(
    dense: Dense,
    names: Sequence[str],
    *,
    numbers: Sequence[int] | None = None,
    confidence: Sequence[float | None] | None = None,
    attributes: Sequence[Mapping[str, Any]] | None = None,
    changes: Sequence[Mapping[int, Mapping[str, Any]]] | None = None,
) -> Rows:
    """Rows of dense tracks. `names` are those of `ontology.drawn` in order; the others have an entry for each track.

    `numbers` defaults to the ids read as integers, `attributes` holds what is true of a whole track, `changes` the
    mutable attributes by the frame from which they hold (frames before the range count). UnknownLabel.
    """
    count = len(dense.ids)
    public = np.array([int(i) for i in dense.ids] if numbers is None else list(numbers), np.int64)
    order = np.argsort(public, kind="stable")
    frame, row = np.nonzero(np.ascontiguousarray(dense.present[order].T))
    row = order[row]
    cell = row * dense.present.shape[1] + frame
    sure = [np.nan if c is None else c for c in confidence] if confidence is not None else [np.nan] * count
    states, sets = _states(dense, attributes or [{}] * count, changes or [{}] * count)
    return Rows(
        dense.start,
        dense.stop,
        frame + dense.start,
        public[row],
        _label_indexes(dense.labels, names)[row],
        dense.boxes.reshape(-1, 4).take(cell, axis=0),
        dense.occluded.ravel().take(cell),
        np.array(sure, float)[row],
        states.ravel().take(cell) if len(sets) > 1 else np.zeros(len(row), np.int64),
        tuple(sets),
    )


def rows_of(tracks: Tracks, names: Sequence[str], start: int = 0, *, part_frames: int = PART_FRAMES) -> Iterator[Rows]:
    """Rows from a frame on of tracks whose ids are decimal numbers, or else numbered from 1 in their order."""
    numbers = numbers_of([t.id for t in tracks.tracks])
    for at in range(max(start, tracks.start), tracks.stop, part_frames):
        yield rows_of_dense(
            fill(tracks.tracks, at, min(at + part_frames, tracks.stop)),
            names,
            numbers=numbers,
            confidence=[t.confidence for t in tracks.tracks],
            attributes=[t.attributes for t in tracks.tracks],
            changes=[t.changes for t in tracks.tracks],
        )


def numbers_of(ids: Sequence[str]) -> list[int]:
    """Positive integers for ids: the ids themselves where all of them are such, else their places from 1.

    Longer ones than of 15 digits are no such: whoever reads numbers as floats would take two of them for one.
    """
    if all(re.fullmatch(r"[1-9][0-9]{0,14}", i) for i in ids) and len(set(ids)) == len(ids):
        return [int(i) for i in ids]
    return list(range(1, len(ids) + 1))


def _label_indexes(labels: Sequence[str], names: Sequence[str]) -> Ints:
    index = {name: i for i, name in enumerate(names)}
    unknown = sorted(set(labels) - set(index))
    if unknown:
        raise UnknownLabel(f"no such label in the ontology: {', '.join(unknown)}")
    return np.array([index[label] for label in labels], np.int64)


def _states(
    dense: Dense, attributes: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[int, Mapping[str, Any]]]
) -> tuple[Ints, list[Mapping[str, Any]]]:
    """For each track and frame the index of the attributes in force, and the distinct sets of them."""
    sets: list[Mapping[str, Any]] = [{}]
    known: dict[str, int] = {"[]": 0}
    states = np.zeros(dense.present.shape if any(attributes) or any(changes) else (0, 0), np.int64)
    for row in range(len(states)):
        current = dict(attributes[row])
        for frame in [dense.start, *sorted(changes[row])]:
            if frame >= dense.stop:
                break
            current |= changes[row].get(frame, {})
            key = repr(sorted(current.items()))
            if key not in known:
                known[key] = len(sets)
                sets.append(dict(current))
            states[row, max(0, frame - dense.start) :] = known[key]
    return states, sets


def folder_names(videos: Iterable[Video]) -> list[str]:
    """A folder name for each video: its own name without what file systems mind, numbered where two are alike."""
    taken: set[str] = set()
    given: dict[str, int] = {}  # the last number that a name got, so that many of one name are no square of many
    out = []
    for video in videos:
        plain = name = plain_name(video.name)
        n = given.get(plain, 1)
        while name.casefold() in taken:
            n += 1
            name = f"{plain}-{n}"
        given[plain] = n
        taken.add(name.casefold())
        out.append(name)
    return out


def plain_name(name: str) -> str:
    """A video's name without what file systems mind, as a folder has it."""
    return re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]', "_", name).strip(" .")[:100] or "video"
