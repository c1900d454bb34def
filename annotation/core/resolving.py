"""Where every object of a stitched video is: one box for each frame, and what it was made from.

A frame that two segments share has two boxes of an object. Where they agree they are cross-faded, so that the whole
track has no jump at the border; where they do not, the more trusted side is taken and the frame is marked disputed. A
track that starts late or ends early by a few frames at its segment's edge leaves the other segment's box standing; the
frames between an early end and a late start that no segment shows are interpolated, and marked disputed.

Everything is computed for the range asked for: memory is bounded by that range, whatever the video's length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.absences import outermost
from annotation.core.boxes import iou_aligned
from annotation.core.joins import Ref, SegmentTracks, Stitched
from annotation.core.linking import EDGE
from annotation.core.tracks import (
    Bools,
    Dense,
    Floats,
    Ints,
    Track,
    Tracks,
    fill,
    fill_track,
    make_track,
)

AGREE = 0.5  # IoU at or above which two segments' boxes are cross-faded


@dataclass(frozen=True, eq=False, slots=True)
class Resolved:
    """Full-video tracks on the frames of `dense`; its ids are the identities in decimal, sorted by number.

    `sources` are the segments' tracks; `left` and `right` (t, n) index them for each box (-1 where none), `share`
    (t, n) is the weight of `right`'s box, `disputed` (t, n) marks frames on which the two sides differ.
    """

    dense: Dense
    identities: Ints
    sources: tuple[Ref, ...]
    left: Ints
    right: Ints
    share: Floats
    disputed: Bools


def resolve(segments: Sequence[SegmentTracks], stitched: Stitched, start: int, stop: int) -> Resolved:
    """Boxes of every identity on the frames `[start, stop)`, with their provenance."""
    stop = max(start, stop)
    near = sorted((s for s in segments if s.start < stop and s.stop > start), key=lambda s: (s.start, s.stop, s.key))
    sources = [(s, t) for s in near for t in s.tracks.tracks if (s.key, t.id) in stitched.identities]
    refs = tuple((s.key, t.id) for s, t in sources)
    numbers = sorted({stitched.identities[ref] for ref in refs})
    row_of = {number: i for i, number in enumerate(numbers)}
    out = _Canvas(len(numbers), start, stop)
    first = 0
    for segment in near:
        tracks = [t for t in segment.tracks.tracks if (segment.key, t.id) in stitched.identities]
        rows = np.array([row_of[stitched.identities[segment.key, t.id]] for t in tracks], np.int64)
        out.add(rows, segment, tracks, np.arange(first, first + len(tracks)))
        first += len(tracks)
    _bridge(out, sources, [row_of[stitched.identities[ref]] for ref in refs], start, stop)
    labels = _labels(sources, [row_of[stitched.identities[ref]] for ref in refs], len(numbers))
    dense = Dense(start, tuple(map(str, numbers)), labels, out.boxes, out.left >= 0, out.occluded)
    return Resolved(dense, np.array(numbers, np.int64), refs, out.left, out.right, out.share, out.disputed)


@dataclass(frozen=True, eq=False, slots=True)
class _Edge:
    """Tracks at their segment's edges in a range of frames: how far in it is, where absence is slack, whom to trust."""

    depth: Floats
    slack: Bools
    trust: Floats

    @classmethod
    def of(cls, segment: SegmentTracks, tracks: Sequence[Track], low: int, high: int) -> _Edge:
        frames = np.arange(low, high)
        inside = np.minimum(frames - segment.start + 1, segment.stop - frames)
        near = (frames - segment.start < EDGE) | (segment.stop - frames <= EDGE)
        trust = np.array([1.0 if t.confidence is None else t.confidence for t in tracks])[:, None]
        return cls(inside.astype(float), near, trust)

    def cut(self, at: slice) -> _Edge:
        return _Edge(self.depth[at], self.slack[at], self.trust)


def _bridge(
    out: _Canvas, sources: Sequence[tuple[SegmentTracks, Track]], rows: Sequence[int], start: int, stop: int
) -> None:
    """Fill the few frames between an early end and a late start at one border, which neither segment shows."""
    latest: dict[int, int] = {}
    for right, ((segment, track), row) in enumerate(zip(sources, rows, strict=True)):
        left = latest.get(row)
        latest[row] = right
        if left is None:
            continue
        earlier, its = sources[left]
        low, high = max(segment.start, start), min(earlier.stop, stop)
        if low >= high or (out.left[row, low - start : high - start] >= 0).all():
            continue
        last, first = outermost(earlier, its, True), outermost(segment, track, False)
        if last is None or first is None or not 1 < first - last <= 2 * EDGE + 1:
            continue
        if last < segment.start and first >= earlier.stop:
            continue  # both say that it was away over the whole overlap
        frames = np.arange(max(last + 1, start), min(first, stop))
        share = (frames - last) / (first - last)
        a, b = fill_track(its, last, last + 1)[0], fill_track(track, first, first + 1)[0]
        out.put(row, frames - start, (left, right), share, a + (b - a) * share[:, None])


class _Canvas:
    """The boxes of `[start, stop)` so far, to which segments are added from left to right."""

    def __init__(self, rows: int, start: int, stop: int) -> None:
        frames = stop - start
        self.start, self.stop = start, stop
        self.reached = start  # no frame from here on was shown by any segment yet
        self.boxes = np.full((rows, frames, 4), np.nan)
        self.occluded = np.zeros((rows, frames), bool)
        self.left = np.full((rows, frames), -1)
        self.right = np.full((rows, frames), -1)
        self.share = np.zeros((rows, frames))
        self.disputed = np.zeros((rows, frames), bool)
        self.seen = np.full((rows, frames), -1)  # the source that showed the frame, whether or not it had a box there
        self.depth = np.zeros((rows, frames))
        self.slack = np.zeros((rows, frames), bool)
        self.trust = np.zeros((rows, frames))

    def add(self, rows: Ints, segment: SegmentTracks, tracks: Sequence[Track], sources: Ints) -> None:
        """A segment's tracks, whose objects are `rows`, as the sources of those numbers."""
        low, high = max(self.start, segment.start), min(self.stop, segment.stop)
        shared = min(max(self.reached, low), high)
        self.reached = max(self.reached, high)
        if not tracks:
            return
        dense, edge = fill(tracks, low, high), _Edge.of(segment, tracks, low, high)
        for a, b, put in ((low, shared, self._blend), (shared, high, self._lay)):
            if a < b:
                at, its = slice(a - self.start, b - self.start), slice(a - low, b - low)
                put(rows, at, sources[:, None], dense.cut(its), edge.cut(its))

    def _lay(self, rows: Ints, at: slice, sources: Ints, dense: Dense, edge: _Edge) -> None:
        """Frames that nobody showed before."""
        self.boxes[rows, at], self.occluded[rows, at] = dense.boxes, dense.occluded
        self.left[rows, at] = np.where(dense.present, sources, -1)
        self._show(rows, at, sources, edge)

    def _blend(self, rows: Ints, at: slice, sources: Ints, dense: Dense, edge: _Edge) -> None:
        """Frames that an earlier segment showed as well."""
        here, depth, trust = dense.present, self.depth[rows, at], self.trust[rows, at]
        before, shown, slack = self.left[rows, at] >= 0, self.seen[rows, at] >= 0, self.slack[rows, at]
        old, new = self.boxes[rows, at], dense.boxes
        agree = before & here & (iou_aligned(old, new) >= AGREE)
        share = edge.depth / (depth + edge.depth)
        trusts = np.where(trust == edge.trust, share >= 0.5, edge.trust > trust)
        clash = before & here & ~agree
        gone = shown & ~before & here & ~slack & ~trusts
        lost = before & ~here & ~edge.slack & trusts
        takes = (here & ~before & ~gone) | (clash & trusts)
        boxes = np.where(agree[..., None], old + (new - old) * share[..., None], old)
        boxes[takes], boxes[lost] = new[takes], np.nan
        fades = agree & (share >= 0.5)
        self.disputed[rows, at] |= clash | (shown & (before != here) & ~np.where(here, slack, edge.slack))
        self.boxes[rows, at] = boxes
        self.occluded[rows, at] = np.where(takes | fades, dense.occluded, self.occluded[rows, at] & ~lost)
        self.right[rows, at] = np.where(agree, sources, -1)
        self.share[rows, at] = np.where(agree, share, 0.0)
        self.left[rows, at] = np.where(takes, sources, np.where(lost, -1, self.left[rows, at]))
        self._show(rows, at, sources, edge)

    def _show(self, rows: Ints, at: slice, sources: Ints, edge: _Edge) -> None:
        self.seen[rows, at], self.depth[rows, at] = sources, edge.depth
        self.slack[rows, at], self.trust[rows, at] = edge.slack, edge.trust

    def put(self, row: int, at: Ints, sources: tuple[int, int], share: Floats, boxes: Floats) -> None:
        """Boxes between two sources' own, marked disputed."""
        self.boxes[row, at] = boxes
        self.left[row, at], self.right[row, at] = sources
        self.share[row, at] = share
        self.disputed[row, at] = True


def _labels(sources: Sequence[tuple[SegmentTracks, Track]], rows: Sequence[int], count: int) -> tuple[str, ...]:
    """Each identity's label: that of most of its tracks by confidence, the earliest winning a tie."""
    votes: list[dict[str, float]] = [{} for _ in range(count)]
    for (_, track), row in zip(sources, rows, strict=True):
        weight = 1.0 if track.confidence is None else track.confidence
        votes[row][track.label] = votes[row].get(track.label, 0.0) + weight
    return tuple(max(v, key=lambda label: v[label]) for v in votes)


def to_tracks(segments: Sequence[SegmentTracks], stitched: Stitched) -> Tracks:
    """The whole video as tracks with a keyframe on every frame they are present; ids are the identities in decimal."""
    start = min((s.start for s in segments), default=0)
    stop = max((s.stop for s in segments), default=0)
    resolved = resolve(segments, stitched, start, stop)
    dense = resolved.dense
    tracks = tuple(
        _track(dense, row, resolved.disputed[row]) for row in range(len(dense.ids)) if dense.present[row].any()
    )
    return Tracks(start, stop, tracks)


def _track(dense: Dense, row: int, disputed: Bools) -> Track:
    present = dense.present[row]
    ends = np.flatnonzero(present[:-1] & ~present[1:]) + 1
    at = np.concatenate([np.flatnonzero(present), ends])
    return make_track(
        dense.ids[row],
        dense.labels[row],
        at + dense.start,
        dense.boxes[row][at],
        outside=~present[at],
        occluded=dense.occluded[row][at] & present[at],
        disputes=tuple(_ranges(disputed, dense.start)),
    )


def _ranges(flags: Bools, start: int) -> Iterable[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a) + start, int(b) + start) for a, b in edges.reshape(-1, 2)]
