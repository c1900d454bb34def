"""What speaks for an object that was gone for a while being the one that comes back.

Two open ends are compared by motion and size: how far the second is from where the first was going, if it changed its
pace evenly in between (the trapezoid of both velocities), how their sizes differ and how their velocities do, each in
units of what the same objects of real ground truth show after such an absence. Up to GAP frames that is enough; up to
FAR frames only where everything fits as if drawn from one line, since after a long time somebody else may stand there.

An absence is no join where one of the two segments shows the other track's object for more than EDGE frames and has
not drawn it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.joins import Ref, SegmentTracks
from annotation.core.linking import EDGE, FIT
from annotation.core.piling import heaped
from annotation.core.ranges import ranges
from annotation.core.tracks import Bools, Floats, Ints, Track, fill_each

GAP = 100  # frames of absence that motion and size bridge
MANY = 200  # open ends of one segment, from which heaps are looked for
AT_ONCE = 1 << 18  # pairs that are held in memory at once
FAR = 1000  # frames that they bridge where they fit as if perfect
NEAR_LIMIT, LIMIT, FAR_LIMIT = 9.0, 6.0, 0.5  # squared deviation allowed up to NEAR frames, GAP frames, FAR frames
NEAR = 40
ALIKE = 0.25  # difference of log sizes beyond which no deviation is within its limit
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
    """The last (or first) frames of each component; components that are never present are left out.

    They are read from the outermost member and its neighbour, which shows the same frames where they overlap.
    """
    nearest = [members[-2:][::-1] if last else members[:2] for members in components]
    frames = [outermost(*members[0], last) for members in nearest]
    nearest = [members for members, frame in zip(nearest, frames, strict=True) if frame is not None]
    frame = np.array([frame for frame in frames if frame is not None], np.int64)
    start = frame + 1 - FIT if last else frame
    boxes, present = np.full((2, len(frame), FIT, 4), np.nan), np.zeros((2, len(frame), FIT), bool)
    for turn in (0, 1):
        rows = [row for row, members in enumerate(nearest) if len(members) > turn]
        boxes[turn, rows], present[turn, rows] = _windows([nearest[row][turn] for row in rows], start[rows])
    ends = [members[0] for members in nearest]
    refs, labels = tuple((s.key, t.id) for s, t in ends), tuple(t.label for _, t in ends)
    ranges = np.array([(s.start, s.stop) for s, _ in ends], np.int64).reshape(-1, 2)
    at, span, centre, speed, size = _motion(boxes, present, start)
    return Ends(refs, labels, frame, at, span, centre, speed, size, ranges)


def _windows(members: Members, start: Ints) -> tuple[Floats, Bools]:
    """Boxes (m, FIT, 4) and presence of tracks on FIT frames from each one's own start."""
    boxes, present, _ = fill_each([track for _, track in members], start, FIT)
    ranges = np.array([(s.start, s.stop) for s, _ in members], np.int64).reshape(-1, 2)
    at = start[:, None] + np.arange(FIT)
    present &= (at >= ranges[:, :1]) & (at < ranges[:, 1:])
    return np.where(present[..., None], boxes, np.nan), present


def _motion(boxes: Floats, present: Bools, start: Ints) -> tuple[Floats, ...]:
    """Mean frame, span, mean centre, speed and mean size (e, …) of boxes (2, e, FIT, 4) from two members each."""
    count = present.sum(axis=(0, 2))
    frames = np.arange(FIT)
    mean_frame = (present * frames).sum(axis=(0, 2)) / count
    seen = np.any(present, axis=0)
    span = FIT - np.argmax(seen[:, ::-1], axis=1) - np.argmax(seen, axis=1)
    known = np.where(present[..., None], boxes, 0.0)
    mean = known.sum(axis=(0, 2)) / count[:, None]
    lever = (frames - mean_frame[:, None]) * present
    slope = np.einsum("mef,mefc->ec", lever, known) / np.maximum((lever**2).sum(axis=(0, 2)), 1e-9)[:, None]
    centre, speed = (mean[:, :2] + mean[:, 2:]) / 2, (slope[:, :2] + slope[:, 2:]) / 2
    return mean_frame + start, span.astype(float), centre, speed, mean[:, 2:] - mean[:, :2]


def outermost(segment: SegmentTracks, track: Track, last: bool) -> int | None:
    """The last or first frame on which a track is present."""
    edge = len(track.frames) - 1 if last else 0
    if len(track.frames) and not track.outside[edge]:  # as most are
        return max(segment.stop - 1, int(track.frames[edge])) if last else int(track.frames[edge])
    visible = np.flatnonzero(~track.outside)
    if not len(visible):
        return None
    if not last:
        return int(track.frames[visible[0]])
    following = visible[-1] + 1
    return max(min(int(track.frames[following]), segment.stop) - 1, int(track.frames[visible[-1]]))


def weigh_absences(tails: Ends, heads: Ends, noise: float, gate: float) -> tuple[Ints, Ints, Floats]:
    """Pairs of a tail and a later head that may be one object: rows, rows, similarities from `gate` to 1.

    `noise` is the standard deviation of a drawn edge in sides of the box.
    """
    found = [_weigh(tails, heads, i, j, min(noise, NOISIEST), gate) for i, j in _later(tails, heads)]
    rows, columns, similarities = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, columns, similarities


def _weigh(tails: Ends, heads: Ends, i: Ints, j: Ints, noise: float, gate: float) -> tuple[Ints, Ints, Floats]:
    """`weigh_absences` of some of the pairs."""
    # Beyond this the difference of sizes alone is over the limit of far ones, as which most pairs come.
    far = min(ALIKE, (FAR_LIMIT * (SIZE**2 + noise**2)) ** 0.5 * (1 + 1e-9))
    alike = np.where(heads.frame[j] - tails.frame[i] - 1 <= GAP, ALIKE, far)
    near = np.ones(len(i), bool)
    for one, other in zip(np.log(tails.size).T, np.log(heads.size).T, strict=True):
        near &= np.abs(one[i] - other[j]) <= alike
    i, j = i[near], j[near]
    same = np.array(tails.labels, dtype=object)[i] == np.array(heads.labels, dtype=object)[j]
    seen = (tails.frame[i] - heads.segment[j, 0] >= EDGE) | (tails.segment[i, 1] - heads.frame[j] > EDGE)
    keep = same.astype(bool) & ~seen & (tails.segment[i, 0] != heads.segment[j, 0])
    i, j = i[keep], j[keep]
    gap = heads.frame[j] - tails.frame[i] - 1
    deviation = _deviation(tails, heads, i, j, np.where(gap <= GAP, gap, 0), noise)
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


def _later(tails: Ends, heads: Ends) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of a tail and the heads that come at most FAR frames after it, some tails at a time."""
    order = np.argsort(heads.frame, kind="stable")
    order = order[~_heaped(heads)[order]]
    frames = heads.frame[order]
    first = np.searchsorted(frames, tails.frame, side="right")
    count = np.where(_heaped(tails), 0, np.searchsorted(frames, tails.frame + FAR, side="right") - first)
    part = np.cumsum(count) // AT_ONCE
    for rows in np.split(np.arange(len(count)), np.flatnonzero(np.diff(part)) + 1):
        which, place = ranges(first[rows], count[rows])
        yield rows[which], order[place]


def _heaped(ends: Ends) -> Bools:
    """Which ends lie where many others of their segment do, (e,): any of them could be anybody."""
    out = np.zeros(len(ends.frame), bool)
    _, segment, count = np.unique(ends.segment[:, 0], return_inverse=True, return_counts=True)
    boxes = np.concatenate([ends.centre - ends.size / 2, ends.centre + ends.size / 2], axis=1)[:, None]
    for at in np.flatnonzero(count > MANY).tolist():
        rows = np.flatnonzero(segment == at)
        out[rows] = heaped(boxes[rows], np.ones((len(rows), 1), bool))
    return out
