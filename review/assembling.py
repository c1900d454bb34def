"""A stitched video as what readers and writers take: rows by the thousand frames, tracks, and where each came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from annotation.core.resolving import resolve, to_tracks
from annotation.core.stitching import Ref, SegmentTracks, Stitched
from annotation.core.tracks import Bools, Floats, Interval, Track, Tracks, clip_to
from annotation.formats.content import PART_FRAMES, Rows, rows_of_dense
from review.models import Stitch
from review.stitching import load_segments, segments_near, unpack


@dataclass(frozen=True)
class Object:
    """One full-video track: its number, its segments' tracks in order, and what is true of it as a whole."""

    number: int
    label: str
    sources: tuple[Ref, ...]
    start: int
    stop: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    confidence: float | None = None
    support: tuple[str, ...] = ()


class Whole:
    """One stitch of a video, read in pieces: only what an object is as a whole is kept in memory."""

    def __init__(self, row: Stitch) -> None:
        self.row = row
        self.stitched: Stitched = unpack(row)

    @cached_property
    def objects(self) -> dict[int, Object]:
        """Every full-video track by its number, in the order of the numbers."""
        parts: dict[int, list[tuple[SegmentTracks, Track]]] = {}
        for piece in self._pieces():
            for track in piece.tracks.tracks:
                parts.setdefault(self.stitched.identities[(piece.key, track.id)], []).append((piece, track))
        return {number: _object(number, parts[number]) for number in sorted(parts)}

    def _pieces(self) -> Iterator[SegmentTracks]:
        for pair in self.row.inputs:
            yield from load_segments([pair])

    def rows(self, names: Sequence[str], at: int = 0) -> Iterator[Rows]:
        """The boxes of the whole video in frame order, a thousand frames at a time."""
        for start in range(at, self.row.video.frame_count or 0, PART_FRAMES):
            stop = min(start + PART_FRAMES, self.row.video.frame_count or 0)
            dense = resolve(segments_near(self.row, start, stop), self.stitched, start, stop).dense
            objects = [self.objects[int(number)] for number in dense.ids]
            # A border can be between two labels; an object has one.
            dense = replace(dense, labels=tuple(o.label for o in objects))
            yield rows_of_dense(
                dense,
                names,
                confidence=[o.confidence for o in objects],
                attributes=[o.attributes for o in objects],
                changes=[o.changes for o in objects],
            )

    def boxes(self, numbers: Sequence[int], start: int, stop: int) -> tuple[Floats, Bools]:
        """Boxes (t, n, 4), NaN where absent, and presence (t, n) of some tracks on `[start, stop)`."""
        dense = resolve(segments_near(self.row, start, stop), self.stitched, start, stop).dense
        out, present = np.full((len(numbers), stop - start, 4), np.nan), np.zeros((len(numbers), stop - start), bool)
        place = {str(number): i for i, number in enumerate(numbers)}
        rows = [row for row, number in enumerate(dense.ids) if number in place]
        to = [place[dense.ids[row]] for row in rows]
        out[to], present[to] = dense.boxes[rows], dense.present[rows]
        return out, present

    def tracks(self, numbers: Sequence[int], start: int, stop: int) -> Tracks:
        """Some full-video tracks on `[start, stop)`, with a keyframe on every frame on which they are present."""
        wanted = set(numbers)
        near = segments_near(self.row, start, stop)
        kept = {ref: number for ref, number in self.stitched.identities.items() if number in wanted}
        whole = to_tracks([_only(s, kept) for s in near], replace(self.stitched, identities=kept))
        cut = clip_to(replace(whole, intervals=()), start, stop)
        return replace(cut, tracks=tuple(self._described(t) for t in cut.tracks))

    def _described(self, track: Track) -> Track:
        found = self.objects[int(track.id)]
        return replace(
            track,
            label=found.label,
            attributes=found.attributes,
            changes=_on_keyframes(found.changes, track),
            confidence=found.confidence,
            support=found.support,
        )

    def intervals(self) -> tuple[Interval, ...]:
        """The segments' intervals; those of one kind that touch or overlap across a border are one."""
        found: dict[tuple[Any, ...], list[Interval]] = {}
        for piece in self._pieces():
            for one in piece.tracks.intervals:
                number = self.stitched.identities.get((piece.key, one.track)) if one.track else None
                one = replace(one, track=str(number) if number else None)
                found.setdefault((one.label, one.track, repr(sorted(one.attributes.items()))), []).append(one)
        merged = [i for group in found.values() for i in _merged(group)]
        return tuple(sorted(merged, key=lambda i: (i.start, i.stop, i.label)))


def _only(segment: SegmentTracks, kept: Mapping[Ref, int]) -> SegmentTracks:
    tracks = tuple(t for t in segment.tracks.tracks if (segment.key, t.id) in kept)
    return replace(segment, tracks=replace(segment.tracks, tracks=tracks))


def _object(number: int, parts: list[tuple[SegmentTracks, Track]]) -> Object:
    spans = [_span(segment, track) for segment, track in parts]
    sure = [(t.confidence, b - a) for (_, t), (a, b) in zip(parts, spans, strict=True) if t.confidence is not None]
    labels: Counter[str] = Counter()
    for (_, track), (a, b) in zip(parts, spans, strict=True):
        labels[track.label] += b - a
    return Object(
        number,
        labels.most_common(1)[0][0],
        tuple((segment.key, track.id) for segment, track in parts),
        min(a for a, _ in spans),
        max(b for _, b in spans),
        _attributes(parts, spans),
        _changes(parts),
        float(np.average([c for c, _ in sure], weights=[max(n, 1) for _, n in sure])) if sure else None,
        tuple(dict.fromkeys(s for _, t in parts for s in t.support)),
    )


def _span(segment: SegmentTracks, track: Track) -> tuple[int, int]:
    """From the first visible keyframe to where the track ends in its segment."""
    visible = track.frames[~track.outside]
    first = int(visible[0]) if len(visible) else segment.start
    last = int(track.frames[-1]) if len(track.frames) and track.outside[-1] else segment.stop
    return first, max(last, first)


def _attributes(parts: list[tuple[SegmentTracks, Track]], spans: list[tuple[int, int]]) -> dict[str, Any]:
    """What most frames' tracks say of the object as a whole."""
    votes: dict[str, dict[str, list[Any]]] = {}
    for (_, track), (a, b) in zip(parts, spans, strict=True):
        for name, value in track.attributes.items():
            vote = votes.setdefault(name, {}).setdefault(repr(value), [0, value])
            vote[0] += b - a + 1
    return {name: max(found.values(), key=lambda v: v[0])[1] for name, found in votes.items()}


def _changes(parts: list[tuple[SegmentTracks, Track]]) -> dict[int, dict[str, Any]]:
    """Mutable attributes over the borders: each segment has the word from the middle of its overlap on."""
    changes: dict[int, dict[str, Any]] = {}
    reached = None
    for segment, track in parts:
        begin = segment.start if reached is None else max(segment.start, (segment.start + reached) // 2)
        state: dict[str, Any] = {}
        for frame in sorted(track.changes):
            state |= track.changes[frame]
            at = max(frame, begin)
            changes[at] = dict(state) if at == begin else changes.get(at, {}) | dict(track.changes[frame])
        reached = segment.stop
    return dict(sorted(changes.items()))


def _on_keyframes(changes: Mapping[int, Mapping[str, Any]], track: Track) -> dict[int, dict[str, Any]]:
    """Changes moved to the first keyframe at or after them."""
    out: dict[int, dict[str, Any]] = {}
    for frame in sorted(changes):
        later = np.searchsorted(track.frames, frame)
        at = int(track.frames[later]) if later < len(track.frames) else None
        if at is not None:
            out[at] = out.get(at, {}) | dict(changes[frame])
    return out


def _merged(group: list[Interval]) -> list[Interval]:
    out: list[Interval] = []
    for one in sorted(group, key=lambda i: (i.start, i.stop)):
        if out and one.start <= out[-1].stop:
            out[-1] = replace(out[-1], stop=max(out[-1].stop, one.stop))
        else:
            out.append(one)
    return out
