"""What speaks for an object that was gone for a while being the one that comes back.

Two open ends are compared by motion and size: how far the second is from where the first was going, if it changed its
pace evenly in between (the trapezoid of both velocities), how their sizes differ and how their velocities do, each in
units of what the same objects of real ground truth show after such an absence. Up to GAP frames that is enough; up to
FAR frames only where everything fits as if drawn from one line, since after a long time somebody else may stand there.

An absence is no join where one of the two segments shows the other track's object for more than EDGE frames and has
not drawn it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.core.joins import Ref, SegmentTracks
from annotation.core.linking import EDGE, FIT
from annotation.core.tracks import Floats, Ints, Track, fill_track

GAP = 100  # frames of absence that motion and size bridge
FAR = 1000  # frames that they bridge where they fit as if perfect
NEAR_LIMIT, LIMIT, FAR_LIMIT = 9.0, 6.0, 0.5  # squared deviation allowed up to NEAR frames, GAP frames, FAR frames
NEAR = 40
NOISIEST = 0.05  # noise beyond this buys no more tolerance: then precision goes before recall
PLACE, PLACE_DRIFT, SIZE, PACE = 0.05, 0.002, 0.05, 0.008  # deviations, in sides of the box (PACE: a frame)


@dataclass(frozen=True, eq=False, slots=True)
class Ends:
    """Open ends of components, e of them: where the object was at frame `at`, its speed a frame, its size.

    `centre`, `speed` and `size` are (e, 2); `span` is the number of frames that they were read from, `segment` (e, 2)
    the range of frames that the end's segment shows.
    """

    refs: tuple[Ref, ...]
    labels: tuple[str, ...]
    frame: Ints
    at: Floats
    span: Floats
    centre: Floats
    speed: Floats
    size: Floats
    segment: Ints


Members = Sequence[tuple[SegmentTracks, Track]]


def read_ends(components: Sequence[Members], *, last: bool) -> Ends:
    """The last (or first) frames of each component; components that are never present are left out."""
    rows = [row for row in (_read_end(members, last) for members in components) if row is not None]
    refs, labels, frame, at, span, centre, speed, size, ranges = zip(*rows, strict=True) if rows else [()] * 9
    pairs = [np.array(values, float).reshape(-1, 2) for values in (centre, speed, size)]
    segments = np.array(ranges, np.int64).reshape(-1, 2)
    numbers = [np.array(frame, np.int64), np.array(at, float), np.array(span, float)]
    return Ends(tuple(refs), tuple(labels), *numbers, *pairs, segments)


def _read_end(members: Members, last: bool) -> tuple[Any, ...] | None:
    """One row of Ends, from the outermost member and its neighbour, which shows the same frames where they overlap."""
    nearest = members[::-1] if last else members
    segment, track = nearest[0]
    frame = _outermost(segment, track, last)
    if frame is None:
        return None
    window = (frame + 1 - FIT, frame + 1) if last else (frame, frame + FIT)
    filled = []
    for other, its in nearest[:2]:
        low, high = max(window[0], other.start), min(window[1], other.stop)
        boxes, present, _ = fill_track(its, low, high)
        filled.append((np.arange(low, high)[present], boxes[present]))
    frames, boxes = (np.concatenate(parts) for parts in zip(*filled, strict=True))
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    lever = frames - frames.mean()
    speed = (lever[:, None] * centre).sum(axis=0) / max((lever**2).sum(), 1e-9)
    place = (float(frames.mean()), float(np.ptp(frames)) + 1.0, centre.mean(axis=0), speed, size.mean(axis=0))
    return (segment.key, track.id), track.label, frame, *place, (segment.start, segment.stop)


def _outermost(segment: SegmentTracks, track: Track, last: bool) -> int | None:
    """The last or first frame on which a track is present."""
    visible = np.flatnonzero(~track.outside)
    if not len(visible):
        return None
    if not last:
        return int(track.frames[visible[0]])
    following = visible[-1] + 1
    stop = segment.stop if following == len(track.frames) else min(int(track.frames[following]), segment.stop)
    return max(stop - 1, int(track.frames[visible[-1]]))


def weigh_absences(tails: Ends, heads: Ends, noise: float, gate: float) -> tuple[Ints, Ints, Floats]:
    """Pairs of a tail and a later head that may be one object: rows, rows, similarities from `gate` to 1.

    `noise` is the standard deviation of a drawn edge in sides of the box.
    """
    i, j = _later(tails, heads)
    same = np.array(tails.labels, dtype=object)[i] == np.array(heads.labels, dtype=object)[j]
    seen = (tails.frame[i] - heads.segment[j, 0] >= EDGE) | (tails.segment[i, 1] - heads.frame[j] > EDGE)
    keep = same.astype(bool) & ~seen & (tails.segment[i, 0] != heads.segment[j, 0])
    i, j = i[keep], j[keep]
    gap = heads.frame[j] - tails.frame[i] - 1
    deviation = _deviation(tails, heads, i, j, np.where(gap <= GAP, gap, 0), min(noise, NOISIEST))
    limit = np.select([gap <= NEAR, gap <= GAP], [NEAR_LIMIT, LIMIT], FAR_LIMIT)
    keep = deviation <= limit
    return i[keep], j[keep], 1.0 - (1.0 - gate) * (deviation / limit)[keep]


def _deviation(tails: Ends, heads: Ends, i: Ints, j: Ints, gap: Ints, noise: float) -> Floats:
    """How far pairs are from one motion and one size: a sum of three squares in units of what is usual."""
    scale = np.sqrt(tails.size[i] * heads.size[j])
    between = heads.at[j] - tails.at[i]
    going = (tails.speed[i] + heads.speed[j]) / 2 * between[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.abs((heads.centre[j] - tails.centre[i] - going) / scale).max(axis=1)
        size = np.abs(np.log(heads.size[j] / tails.size[i])).max(axis=1)
        pace = np.abs((heads.speed[j] - tails.speed[i]) / scale).max(axis=1)
    wobble = 2 * noise**2 * (1 / tails.span[i] ** 2 + 1 / heads.span[j] ** 2)  # variance of both speeds together
    usual_place = (PLACE + PLACE_DRIFT * gap) ** 2 + noise**2 + wobble * between**2 / 4
    return place**2 / usual_place + size**2 / (SIZE**2 + noise**2) + pace**2 / (PACE**2 + wobble)


def _later(tails: Ends, heads: Ends) -> tuple[Ints, Ints]:
    """Pairs of a tail and the heads that come at most FAR frames after it."""
    order = np.argsort(heads.frame, kind="stable")
    frames = heads.frame[order]
    first = np.searchsorted(frames, tails.frame, side="right")
    count = np.searchsorted(frames, tails.frame + FAR, side="right") - first
    i = np.repeat(np.arange(len(count)), count)
    offset = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    return i, order[np.repeat(first, count) + offset]
