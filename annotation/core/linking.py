"""What speaks for two tracks of neighbouring segments being one object.

On the frames that both segments show, the tracks' boxes are compared directly. Where one of them starts late or ends
early at the border, its motion is carried on for a few frames and compared with what the other one really did there:
five shared frames are few, and two people who cross on them differ only in where they come from and go to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.joins import Ref, SegmentTracks
from annotation.core.piling import heaped
from annotation.core.tracks import Bools, Floats, Ints, fill_each

EDGE = 4  # frames by which a track may start late or end early at a border
REACH = 8  # frames that a motion is carried on, and that a border's window shows beyond the overlap
FIT = 10  # frames from which a motion is read
FADE = 0.75  # weight of a carried-on frame for each frame of distance from the last real one
FEW = 10  # frames of an overlap up to which each of them may be long
GUESSED = 0.5  # there carried-on frames weigh at most half of the shared ones
ABSENT = 0.1  # weight of a frame on which only one of the two is present, beyond the tolerance of EDGE
APART = 0.2  # mean IoU on three shared frames or more under which motion is not asked
LOOKS = 6  # shared frames on which that is looked at first
LABELS = 0.3  # what two different labels take off the similarity
MANY = 1 << 14  # pairs that meet at one border, from which heaps are looked for: hundreds in a crowd have fewer
AT_ONCE = 1 << 15  # pairs whose frames are held in memory at once
UNSEEN = 0.35  # what it takes off that no frame shows both: motion alone speaks

_FADED = FADE ** np.arange(2 * REACH + 1.0)


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """The tracks on one side of some borders, each in its border's window of T frames; `border` (t,) says which.

    `boxes` and `carried` are (t, T, 4) with NaN where there is none: real ones, and the motion beyond their ends.
    `present` is (t, T), `distance` (t, T) the frames between a carried box and the last real one (0 where neither).
    """

    refs: Sequence[Ref]
    labels: Sequence[str]
    border: Ints
    boxes: Floats
    present: Bools
    carried: Floats
    distance: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """The candidates of some borders: pairs of rows of their two sides, with similarity (0 to 1) and shared frames.

    `error` is how far their edges lie apart on those, root mean square, in sides of the box, `nearest` how far on the
    frames on which they are nearest.
    """

    left: Ints
    right: Ints
    similarity: Floats
    shared: Ints
    error: Floats
    nearest: Floats


def carry(boxes: Floats, present: Bools) -> tuple[Floats, Ints]:
    """Motion carried on by REACH frames beyond the last present frame: boxes (t, T, 4) and distances (t, T).

    The centre moves on the least-squares line through the last FIT frames (shrunk a little, so that one frame stands
    still), the size stays at their mean.
    """
    tracks, frames = present.shape
    last = np.where(present.any(axis=1), frames - 1 - np.argmax(present[:, ::-1], axis=1), -REACH - 1)
    row = np.arange(tracks)[:, None]
    at = last[:, None] + np.arange(1 - FIT, 1)
    inside = np.maximum(at, 0)
    used = present[row, inside] & (at >= 0)
    count = np.maximum(used.sum(axis=1), 1)[:, None]
    known = np.where(used[..., None], boxes[row, inside], 0.0)
    mean = known.sum(axis=1) / count
    when = np.where(used, at, 0).sum(axis=1, keepdims=True) / count
    lever = (at - when) * used
    speed = np.einsum("tf,tfc->tc", lever, known) / ((lever**2).sum(axis=1) + 1.0)[:, None]
    drift = (speed[:, :2] + speed[:, 2:]) / 2
    ahead = last[:, None] + np.arange(1, REACH + 1)
    moved = mean[:, None] + (np.tile(drift, 2))[:, None] * (ahead - when)[..., None]
    track, step = np.nonzero((ahead >= 0) & (ahead < frames))
    to = ahead[track, step]
    carried, distance = np.full(boxes.shape, np.nan), np.zeros((tracks, frames), np.int64)
    carried[track, to], distance[track, to] = moved[track, step], step + 1
    return carried, distance


def see(segments: Sequence[SegmentTracks], starts: Sequence[int], width: int, *, forward: bool) -> Side:
    """Segments' tracks in the windows of `width` frames of one border each.

    `forward` carries motion past their ends, which lie REACH frames before the window's; else before their starts.
    """
    tracks = [track for segment in segments for track in segment.tracks.tracks]
    refs = [(segment.key, track.id) for segment in segments for track in segment.tracks.tracks]
    border = np.repeat(np.arange(len(segments)), [len(segment.tracks.tracks) for segment in segments])
    shown = slice(0, width - REACH) if forward else slice(REACH, width)
    boxes, present = np.full((len(tracks), width, 4), np.nan), np.zeros((len(tracks), width), bool)
    begin = np.array(starts, np.int64) + shown.start
    boxes[:, shown], present[:, shown], _ = fill_each(tracks, begin[border], width - REACH)
    at = np.arange(width)
    inside = [(at >= s.start - start) & (at < s.stop - start) for s, start in zip(segments, starts, strict=True)]
    beyond = present & ~np.array(inside)[border]
    boxes[beyond] = np.nan
    present &= ~beyond
    way = slice(None) if forward else slice(None, None, -1)
    carried, distance = carry(boxes[:, way], present[:, way])
    return Side(refs, [track.label for track in tracks], border, boxes, present, carried[:, way], distance[:, way])


def _hulls(side: Side) -> Floats:
    """The box around all of a track's boxes, real and carried, (t, 4); NaN where it has none."""
    sign = np.array([-1.0, -1.0, 1.0, 1.0])  # all four edges are greatest ones then
    far = np.fmin(side.boxes, side.carried) * sign  # a frame has one of them at most
    while (frames := far.shape[1]) > 1:  # halves against halves: quicker than a reduction over so short an axis
        half = frames // 2
        far = np.fmax(far[:, : frames - half], far[:, half:])
    return far[:, 0] * sign


def _meetings(left: Side, right: Side) -> tuple[Ints, Ints]:
    """Pairs of rows of one border whose hulls meet. Of what is heaped up in one place a few are looked at."""
    a, b = _hulls(left).T, _hulls(right).T
    rows, columns = [], []
    borders = np.arange(max([-1, *left.border[-1:], *right.border[-1:]]) + 2)
    bounds = zip(*(np.searchsorted(side.border, borders).tolist() for side in (left, right)), strict=True)
    for (i, j), (i_stop, j_stop) in pairwise(bounds):
        (x1, y1, x2, y2), (u1, v1, u2, v2) = a[:, i:i_stop, None], b[:, None, j:j_stop]
        meets = (x1 < u2) & (u1 < x2) & (y1 < v2) & (v1 < y2)
        if np.count_nonzero(meets) > MANY:
            meets[heaped(left.boxes[i:i_stop], left.present[i:i_stop])] = False
            meets[:, heaped(right.boxes[j:j_stop], right.present[j:j_stop])] = False
        row, column = np.nonzero(meets)
        rows.append(row + i)
        columns.append(column + j)
    return np.concatenate([*rows, np.zeros(0, np.int64)]), np.concatenate([*columns, np.zeros(0, np.int64)])


def weigh(left: Side, right: Side, overlap: slice) -> Evidence:
    """Similarities of all pairs that could be one object; `overlap` is the shared frames' place in the window."""
    i, j = _meetings(left, right)
    some = (slice(at, at + AT_ONCE) for at in range(0, max(1, len(i)), AT_ONCE))
    parts = [_weigh(left, right, overlap, i[at], j[at]) for at in some]
    return Evidence(*(np.concatenate([getattr(p, name) for p in parts]) for name in Evidence.__slots__))


def _weigh(left: Side, right: Side, overlap: slice, i: Ints, j: Ints) -> Evidence:
    """`weigh` of some of the pairs."""
    a, b = left.present[:, overlap], right.present[:, overlap]
    boxes_a, boxes_b = left.boxes[:, overlap], right.boxes[:, overlap]
    looks = max(1, a.shape[1] // LOOKS)
    for step in (looks, 1)[looks == 1 :]:  # at some frames first: most pairs that meet are soon told apart
        total = iou_aligned(boxes_a[:, ::step][i], boxes_b[:, ::step][j]).sum(axis=1)
        shared = (a[:, ::step][i] & b[:, ::step][j]).sum(axis=1)
        near = (shared < 3) | (total >= APART * shared)
        i, j, total, shared = i[near], j[near], total[near], shared[near]
    guess, weight = np.zeros_like(total), np.zeros_like(total)
    # Most tracks last through the overlap: their motion is carried on beyond it only.
    lasts, begins = left.present[i, overlap.stop - 1], right.present[j, overlap.start]
    for at, frames in _split(lasts, slice(overlap.stop, None), slice(overlap.start, None)):
        x, y = i[at], j[at]
        carried, distance = left.carried[:, frames][x], left.distance[:, frames][x]
        _add(guess, weight, at, carried, right.boxes[:, frames][y], distance)
    for at, frames in _split(begins, slice(0, overlap.start), slice(0, overlap.stop)):
        x, y = i[at], j[at]
        carried, distance = right.carried[:, frames][y], right.distance[:, frames][y]
        _add(guess, weight, at, left.boxes[:, frames][x], carried, distance)
    # Where an overlap of a second has but a few frames, nobody foresees where people go in eight.
    bounded = (shared > 0) & (overlap.stop - overlap.start <= FEW)
    most = np.where(bounded, GUESSED * shared, np.inf)
    part = np.divide(most, weight, out=np.ones_like(weight), where=weight > most)
    total += part * guess
    weight = shared + part * weight
    none = np.flatnonzero(shared == 0)
    x, y = i[none], j[none]
    _add(total, weight, none, left.carried[x], right.carried[y], left.distance[x] + right.distance[y])
    alone = a.sum(axis=1)[i] - shared, b.sum(axis=1)[j] - shared
    weight += ABSENT * (np.maximum(alone[0] - EDGE, 0) + np.maximum(alone[1] - EDGE, 0))
    similarity = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    code = {label: at for at, label in enumerate(dict.fromkeys((*left.labels, *right.labels)))}
    codes = [np.array([code[label] for label in side.labels], np.int64) for side in (left, right)]
    names = codes[0][i] != codes[1][j]
    keep = _enough(*alone, shared, overlap.stop - overlap.start) & ~(names & (shared < 3))
    similarity = np.maximum(similarity - LABELS * names - UNSEEN * (shared == 0), 0.0)
    keep &= similarity > 0
    i, j = i[keep], j[keep]
    return Evidence(i, j, similarity[keep], shared[keep], *_errors(boxes_a[i], boxes_b[j]))


def _split(flags: Bools, then: slice, otherwise: slice) -> list[tuple[Ints, slice]]:
    return [(np.flatnonzero(flags), then), (np.flatnonzero(~flags), otherwise)]


def _add(total: Floats, weight: Floats, at: Ints, a: Floats, b: Floats, distance: Ints) -> None:
    """Add to the pairs `at` what a carried motion says, the less the farther it was carried."""
    known = ~(np.isnan(a[..., 0]) | np.isnan(b[..., 0]))
    faded = np.where(known, _FADED[distance], 0.0)
    total[at] += np.einsum("pf,pf->p", iou_aligned(a, b), faded)
    weight[at] += faded.sum(axis=1)


def _errors(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Root mean square distance of two tracks' edges on the frames that both have, in sides of the box, and the most
    that it is on the quarter of these frames (three at least) on which it is least; 0 if none.

    Whoever exchanges two objects just where two segments meet draws them right on some of the shared frames.
    """
    size = np.tile(a[..., 2:] - a[..., :2] + b[..., 2:] - b[..., :2], 2) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = ((a - b) / size) ** 2
    by_frame = squares.mean(axis=2)
    count = np.isfinite(by_frame).sum(axis=1)
    total = np.where(np.isfinite(by_frame), by_frame, 0.0).sum(axis=1)
    place = np.minimum(np.maximum(3, -(-count // 4)), np.maximum(count, 1)) - 1
    least = np.sort(np.where(np.isfinite(by_frame), by_frame, np.inf), axis=1) if by_frame.shape[1] else total[:, None]
    nearest = np.take_along_axis(least, place[:, None], axis=1)[:, 0]
    return np.sqrt(total / np.maximum(count, 1)), np.sqrt(np.where(count > 0, nearest, 0.0))


def _enough(left_alone: Ints, right_alone: Ints, shared: Ints, overlap: int) -> Bools:
    """Whether a pair shares frames enough, or its two presences differ by no more than late starts and early ends."""
    if not overlap:
        return np.ones(len(shared), bool)
    least = np.minimum(min(3, -(-overlap // 4)), left_alone + right_alone + shared)
    return (shared >= np.maximum(least, 1)) | (np.maximum(left_alone, right_alone) <= 2 * EDGE)
