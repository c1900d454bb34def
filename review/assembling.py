"""A stitched video as what readers and writers take: rows by the thousand frames, tracks, and where each came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np

from annotation.core.clipping import clip_to
from annotation.core.joins import Ref, SegmentTracks, Stitched
from annotation.core.likeness import inside, intervals_soft_f
from annotation.core.resolving import resolve, to_tracks
from annotation.core.tracks import Bools, Floats, Interval, Track, Tracks
from annotation.formats.content import Rows, rows_of_dense
from annotation.models import TrackSet
from review.core.objects import Growing, Object
from review.core.selection import Selection
from review.models import Stitch
from review.stitching import Inputs, load_segments, packed, segments_near
from review.supporting import support_of

EVERYTHING = Selection()
# Segments that are read in one query.
AT_ONCE = 8
# Tracks times frames that are filled at once: 100 bytes each.
PART_CELLS = 200_000
LEAST_FRAMES, MOST_FRAMES = 50, 5000


class Whole:
    """One stitch of a video, or what is selected of it, read in pieces: only what an object is as a whole is kept in
    memory, and the segments read last."""

    def __init__(self, row: Stitch, selection: Selection = EVERYTHING) -> None:
        self.row, self.selection = row, selection
        self.keeps = 0  # segments from the start that are kept for whoever reads rows right after what objects are
        self.packed = packed(row)
        self._pairs = {pair[1]: pair for pair in row.inputs}
        self._read: dict[str, SegmentTracks] = {}

    @cached_property
    def objects(self) -> dict[int, Object]:
        """Every full-video track that is selected by its number, in the order of the numbers."""
        return self._summary[0]

    @cached_property
    def _summary(self) -> tuple[dict[int, Object], list[tuple[str, Interval]]]:
        """What is said beside boxes, in one reading: the objects, and the intervals with their segments' ids."""
        growing: dict[int, Growing] = {}
        intervals: list[tuple[str, Interval]] = []
        for piece in self._pieces(self.row.inputs):
            if len(self._read) < self.keeps:
                self._read[piece.key] = piece
            intervals += [(piece.key, interval) for interval in piece.tracks.intervals]
            numbers = self.packed.numbers(piece.key)
            for track in piece.tracks.tracks:
                number = numbers[track.id]
                growing.setdefault(number, Growing(number)).add(piece, track)
        found = (growing.pop(number).grown() for number in sorted(growing))
        return {o.number: o for o in found if self._is_selected(o)}, intervals

    def one(self, number: int) -> Object | None:
        """One full-video track, for which just the segments that show it are read."""
        thread = self.packed.thread(number)
        if thread is None:
            return None
        refs, growing = set(thread.refs), Growing(number)
        showing = {segment for segment, _ in refs}
        for piece in self._pieces([pair for pair in self.row.inputs if pair[0] in showing]):
            for track in (t for t in piece.tracks.tracks if (piece.key, t.id) in refs):
                growing.add(piece, track)
        found = growing.grown()
        return found if self._is_selected(found) else None

    def _is_selected(self, found: Object) -> bool:
        wanted, sure = self.selection.labels, found.confidence
        return (wanted is None or found.label in wanted) and (sure is None or sure >= self.selection.min_confidence)

    def stitched(self, near: Iterable[SegmentTracks]) -> Stitched:
        """The identities of some segments' tracks."""
        return Stitched(identities=self.packed.identities(s.key for s in near))

    def shown(self, near: Iterable[SegmentTracks]) -> Stitched:
        """The same without the tracks that are not selected."""
        identities = self.packed.identities(s.key for s in near)
        return Stitched(identities={ref: n for ref, n in identities.items() if n in self.objects})

    @cached_property
    def spans(self) -> dict[str, tuple[int, int]]:
        """The frames `[start, stop)` of each stitched track set, by its id, in order of the video."""
        rows = TrackSet.objects.filter(pk__in=self._pairs).order_by("start", "stop").values_list("pk", "start", "stop")
        return {pk: (start, stop) for pk, start, stop in rows}

    def _pieces(self, inputs: Inputs) -> Iterator[SegmentTracks]:
        for at in range(0, len(inputs), AT_ONCE):
            yield from load_segments(inputs[at : at + AT_ONCE])

    def _near(self, start: int, stop: int) -> list[SegmentTracks]:
        """The segments that share frames with `[start, stop)`; those read are not read again until they are passed."""
        near = [self._pairs[key] for key, (begin, end) in self.spans.items() if begin < stop and end > start]
        fresh = load_segments([pair for pair in near if pair[0] not in self._read])
        known = self._read | {segment.key: segment for segment in fresh}
        self._read = {key: segment for key, segment in known.items() if segment.stop > start}
        return [known[segment] for segment, _ in near]

    def _part_stop(self, start: int) -> int:
        """Where the part ends that begins at a frame: where a segment begins, unless that is too much at once."""
        end = self.row.video.frame_count or 0
        stop, numbers = start, set[int]()
        begins = (begin for begin, _ in self.spans.values())
        borders = chain(islice(begins, 1, None), [end])
        for (key, (_, its_stop)), border in zip(self.spans.items(), borders, strict=False):
            if its_stop <= start:
                continue
            segment, _ = self._pairs[key]
            numbers.update(n for n in self.packed.numbers(segment).values() if n in self.objects)
            most = start + min(MOST_FRAMES, max(LEAST_FRAMES, PART_CELLS // max(1, len(numbers))))
            if border > most:
                return stop if stop > start else min(border, most)
            stop = max(stop, border)
        return stop if stop > start else min(end, start + MOST_FRAMES)

    def rows(self, names: Sequence[str], at: int = 0) -> Iterator[Rows]:
        """The boxes of the whole video from a frame on, in frame order, some segments at a time."""
        end = self.row.video.frame_count or 0
        while at < end:
            stop = self._part_stop(at)
            yield self._rows(names, at, stop)
            at = stop

    def _rows(self, names: Sequence[str], start: int, stop: int) -> Rows:
        near = self._near(start, stop)
        shown = self.shown(near)
        dense = resolve(near, shown, start, stop).dense
        objects = [self.objects[int(number)] for number in dense.ids]
        # A border can be between two labels; an object has one.
        dense = replace(dense, labels=tuple(o.label for o in objects))
        rows = rows_of_dense(
            dense,
            names,
            confidence=[o.confidence for o in objects],
            attributes=[o.attributes for o in objects],
            changes=[o.changes for o in objects],
        )
        kept = rows.frames % self.selection.frame_step == 0
        if self.selection.min_support:
            counts = support_of(near, shown.identities, start, stop)
            table = np.array([counts[o.number] for o in objects], np.int64).reshape(len(objects), stop - start)
            place = np.searchsorted([o.number for o in objects], rows.numbers)
            kept &= table[place, rows.frames - start] >= self.selection.min_support
        return rows if kept.all() else rows.only(kept)

    def boxes(self, numbers: Sequence[int], start: int, stop: int) -> tuple[Floats, Bools]:
        """Boxes (t, n, 4), NaN where absent, and presence (t, n) of some tracks on `[start, stop)`."""
        near = segments_near(self.row, start, stop)
        dense = resolve(near, self.stitched(near), start, stop).dense
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
        kept = {ref: number for ref, number in self.shown(near).identities.items() if number in wanted}
        whole = to_tracks([_only(s, kept) for s in near], Stitched(identities=kept))
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
        found: dict[tuple[Any, ...], list[tuple[str, Interval]]] = {}
        labels = self.selection.labels
        for segment, one in self._summary[1]:
            number = self.packed.numbers(segment).get(one.track) if one.track else None
            if (one.track and number not in self.objects) or (labels is not None and one.label not in labels):
                continue
            one = replace(one, track=str(number) if number else None)
            found.setdefault((one.label, one.track, repr(sorted(one.attributes.items()))), []).append((segment, one))
        spans = {self._pairs[key][0]: span for key, span in self.spans.items()}
        merged = [i for group in found.values() for i in _merged(group, spans)]
        return tuple(sorted(merged, key=lambda i: (i.start, i.stop, i.label)))


def _only(segment: SegmentTracks, kept: Mapping[Ref, int]) -> SegmentTracks:
    tracks = tuple(t for t in segment.tracks.tracks if (segment.key, t.id) in kept)
    return replace(segment, tracks=replace(segment.tracks, tracks=tracks))


def _on_keyframes(changes: Mapping[int, Mapping[str, Any]], track: Track) -> dict[int, dict[str, Any]]:
    """Changes moved to the first keyframe at or after them."""
    out: dict[int, dict[str, Any]] = {}
    for frame in sorted(changes):
        later = np.searchsorted(track.frames, frame)
        at = int(track.frames[later]) if later < len(track.frames) else None
        if at is not None:
            out[at] = out.get(at, {}) | dict(changes[frame])
    return out


def _merged(group: list[tuple[str, Interval]], spans: Mapping[str, tuple[int, int]]) -> list[Interval]:
    """Intervals of one kind with their segments, whose ranges are `spans`: what one segment says twice is two.

    Of several that one may belong to, it does to what is most like it on the frames that both segments show.
    """
    out: list[Interval] = []
    reached: list[tuple[int, dict[str, Interval]]] = []  # those that what comes may belong to: their places and pieces
    for segment, one in sorted(group, key=lambda said: (said[1].start, said[1].stop)):
        reached = [(place, pieces) for place, pieces in reached if out[place].stop >= one.start]
        free = [(place, pieces) for place, pieces in reached if segment not in pieces]
        if not free:
            reached.append((len(out), {segment: one}))
            out.append(one)
            continue
        alike = [max(_alike(spans[segment], one, spans[s], i) for s, i in pieces.items()) for _, pieces in free]
        best = max(range(len(free)), key=lambda k: (alike[k], out[free[k][0]].stop, -k))
        place, pieces = free[best]
        out[place] = replace(out[place], stop=max(out[place].stop, one.stop))
        pieces[segment] = one
    return out


def _alike(span: tuple[int, int], one: Interval, other_span: tuple[int, int], other: Interval) -> float:
    """Temporal IoU of two intervals on the frames that both of their segments show."""
    start, stop = max(span[0], other_span[0]), min(span[1], other_span[1])
    a, b = (inside([i], start, stop) for i in (one, other))
    return intervals_soft_f(a, b) if a and b else 0.0
