"""On how many submissions each box of a stitched video rests, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotation import recording
from annotation.core.boxes import iou_aligned
from annotation.core.stitching import Ref, SegmentTracks
from annotation.core.tracks import Bools, Ints, Track, Tracks, fill, fill_track
from crowd.models import Assignment

AGREES = 0.5  # IoU at or above which a submission's box counts as the same
UNVOTED = 2**31  # of tracks that come from no submissions: nobody could have agreed or not


def support_of(near: Sequence[SegmentTracks], identities: Mapping[Ref, int], start: int, stop: int) -> dict[int, Ints]:
    """For each full-video track that is near the frames `[start, stop)` how many submissions agree with it on each.

    A submission agrees where a track of its own with the same label overlaps with the segment's. On frames that two
    segments show it is the larger of their counts: they are of the same frames, by different people.
    """
    counts: dict[int, Ints] = {}
    for segment in near:
        low, high = max(start, segment.start), min(stop, segment.stop)
        tracks = [t for t in segment.tracks.tracks if (segment.key, t.id) in identities]
        drawn = _drawn({seat for track in tracks for seat in track.support})
        for track in tracks if low < high else ():
            out = counts.setdefault(identities[segment.key, track.id], np.zeros(stop - start, np.int64))
            here = out[low - start : high - start]
            np.maximum(here, _votes(track, drawn, low, high), out=here)
    return counts


def _votes(track: Track, drawn: Mapping[str, Tracks], low: int, high: int) -> Ints | int:
    if not track.support:
        return UNVOTED
    boxes = fill_track(track, low, high)[0]
    votes = np.zeros(high - low, np.int64)
    for seat in track.support:
        votes += _agrees(boxes, drawn[seat], track.label, low, high) if seat in drawn else 0
    return votes


def _agrees(boxes: np.ndarray, drawn: Tracks, label: str, low: int, high: int) -> Bools:
    dense = fill([t for t in drawn.tracks if t.label == label], low, high)
    return (iou_aligned(boxes[None], dense.boxes) >= AGREES).any(axis=0)


def _drawn(seats: set[str]) -> dict[str, Tracks]:
    rows = Assignment.objects.filter(pk__in=seats, track_set__isnull=False).select_related("track_set")
    return {row.pk: recording.load(row.track_set) for row in rows if row.track_set is not None}
