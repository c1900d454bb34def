"""Where the boxes of two sets of tracks overlap: the sparse list that all scores, links and matchings start from.

Idea: frames are taken in blocks of 16. Two tracks are compared frame by frame only in blocks where the hulls of their
boxes touch, and those are found in cells of a grid over the picture, so objects that are far apart in time or space
cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.ranges import ranges
from annotation.core.tracks import Bools, Dense, Floats, Ints

_BLOCK = 16  # frames whose hull is tested at once: longer ones prune less, shorter ones cost more tests
_CELL = 2.0  # side of a cell by the middle one of the hulls' sides
_MOST_CELLS = 64  # along an axis, that one hull may lie in
_SLAB = 64  # blocks held in memory at once, so that memory does not grow with the length of a video
_AT_ONCE = 1 << 15  # hulls compared at once, likewise: hundreds of tracks in one place have a hundred thousand a block


class RangesDiffer(ValueError):
    """Two sets of tracks are compared on different ranges of frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """Pairs of boxes of one frame with an IoU above 0; four arrays of one length.

    `left` and `right` are rows of the two Dense, `frame` counts from their start, `iou` is in (0, 1].
    """

    left: Ints
    right: Ints
    frame: Ints
    iou: Floats


_NONE = np.zeros(0, np.int64)
_NOTHING = Overlaps(_NONE, _NONE, _NONE, np.zeros(0))


def overlaps(a: Dense, b: Dense) -> Overlaps:
    """All overlapping boxes of two sets of tracks filled over the same range. RangesDiffer if they were not."""
    if a is b:
        return overlaps_among((a,), np.ones((1, 1), bool))
    found = overlaps_among((a, b), np.array([[False, True], [False, False]]))
    return Overlaps(found.left, found.right - len(a.ids), found.frame, found.iou)


def overlaps_among(some: Sequence[Dense], compared: Bools) -> Overlaps:
    """`overlaps` of several sets, rows being of all their tracks in order: of those `compared` (s, s), a set on the
    left with one on the right, and nobody else. RangesDiffer."""
    parts = [*overlaps_in_parts(some, compared), _NOTHING]
    return Overlaps(*(np.concatenate([getattr(p, name) for p in parts]) for name in Overlaps.__slots__))


def overlaps_in_parts(some: Sequence[Dense], compared: Bools) -> Iterator[Overlaps]:
    """`overlaps_among`, part by part in its order, for sums: thousands of tracks that lie on each other have more
    overlaps than memory holds. RangesDiffer."""
    ranges = {(d.start, d.present.shape[1]) for d in some}
    if len(ranges) > 1:
        raise RangesDiffer("frames " + " against ".join(f"[{f}, {f + n})" for f, n in sorted(ranges)))
    step = _BLOCK * _SLAB
    owner = np.repeat(np.arange(len(some)), [len(d.ids) for d in some])
    for at in range(0, some[0].present.shape[1] if some else 0, step):
        yield from _found(np.concatenate([d.boxes[:, at : at + step] for d in some]), owner, compared, at)


def only(shared: Overlaps, keep: Bools) -> Overlaps:
    """Some of the overlaps, by a mask."""
    return Overlaps(shared.left[keep], shared.right[keep], shared.frame[keep], shared.iou[keep])


def _found(boxes: Floats, owner: Ints, compared: Bools, offset: int) -> Iterator[Overlaps]:
    """Overlaps of boxes (t, n, 4) whose first frame is `offset`; the tracks' sets are `owner` (t,)."""
    edges = _blocks(boxes)
    listed = edges.reshape(4, -1, _BLOCK)
    for block, left, right in _touching(*_hulls(edges), owner, compared):
        one, other = (np.moveaxis(listed.take(row * edges.shape[2] + block, axis=1), 0, -1) for row in (left, right))
        shared = iou_aligned(one, other)
        pair, k = np.nonzero(shared)
        yield Overlaps(left[pair], right[pair], block[pair] * _BLOCK + k + offset, shared[pair, k])


def _blocks(boxes: Floats) -> Floats:
    """(n, s, 4) → (4, n, ⌈s / 16⌉, 16), the last block filled up with absence. Going edge by edge is quicker."""
    n, s = boxes.shape[:2]
    blocks = -(-s // _BLOCK)
    edges = np.full((4, n, blocks * _BLOCK), np.nan)
    edges[:, :, :s] = np.moveaxis(boxes, -1, 0)
    return edges.reshape(4, n, blocks, _BLOCK)


def _hulls(edges: Floats) -> tuple[Floats, Floats]:
    """Left and top, right and bottom edge (2, n, k) of what a track covers in a block; NaN where it is absent."""
    low, high = edges[:2], edges[2:]
    half = _BLOCK
    while half > 1:  # halves against halves: many times quicker than a reduction over so short an axis
        half //= 2
        low = np.fmin(low[..., :half], low[..., half:])
        high = np.fmax(high[..., :half], high[..., half:])
    return low[..., 0], high[..., 0]


def _touching(low: Floats, high: Floats, owner: Ints, compared: Bools) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Every pair of hulls that overlap in one block: block, left row, right row, sorted by these, some at a time.

    All are listed in every cell that they lie in; of the cells that a pair shares, the one counts that has the top left
    corner of what they share.
    """
    at, track = np.nonzero(~np.isnan(low[0]).T)
    if not len(track):
        return
    low, high = low[:, track, at], high[:, track, at]
    sides = high - low
    middle = np.partition(sides, sides.shape[1] // 2, axis=1)[:, sides.shape[1] // 2]
    cell = np.maximum(np.maximum(_CELL * middle, sides.max(axis=1) / _MOST_CELLS), 1e-9)[:, None]
    first, last = (np.floor((edge - low.min(axis=1)[:, None]) / cell).astype(np.int64) for edge in (low, high))
    wide, tall = (last.max(axis=1) + 1).tolist()
    hull, key = _cells(at, first, last, wide, tall)
    for left, right, shared in _join(hull, key, owner[track[hull]], compared):
        x, y = np.maximum(first[:, left], first[:, right])
        kept = shared == (at[left] * wide + x) * tall + y
        for near, far in zip(low, high, strict=True):
            kept &= np.maximum(near[left], near[right]) < np.minimum(far[left], far[right])
        block, one, other = at[left[kept]], track[left[kept]], track[right[kept]]
        order = np.lexsort((other, one, block))
        yield block[order], one[order], other[order]


def _cells(block: Ints, first: Ints, last: Ints, wide: int, tall: int) -> tuple[Ints, Ints]:
    """Each hull once for every cell between its first and last (2, n): the hull, and the number of block and cell."""
    size = last - first + 1
    hull, within = ranges(0, size[0] * size[1])
    x, y = np.divmod(within, size[1, hull])
    return hull, (block[hull] * wide + first[0, hull] + x) * tall + first[1, hull] + y


def _join(hull: Ints, key: Ints, owner: Ints, compared: Bools) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Every pair of hulls with the same key whose owners are compared: left, right, key, all of one left hull together.
    Each hull is looked up once for everybody whom its owner is compared with, so that work grows with these and not
    with all there are."""
    partners = compared.sum(axis=1)
    asking, place = ranges((np.cumsum(partners) - partners)[owner], partners[owner])
    asked = np.nonzero(compared)[1][place]
    full = key * len(compared) + owner
    order = np.argsort(full, kind="stable")
    full, want = full[order], key[asking] * len(compared) + asked
    first = np.searchsorted(full, want)
    count = np.searchsorted(full, want, side="right") - first
    for part in _some_at_a_time(hull[asking], count):
        row, place = ranges(first[part], count[part])
        left, right = asking[part][row], order[place]
        yield hull[left], hull[right], key[left]


def _some_at_a_time(name: Ints, count: Ints) -> Iterator[slice]:
    """Slices of lists of which `count` in all is about `_AT_ONCE` each; what has one name (in a row) stays together."""
    done = np.cumsum(count)
    ends = np.flatnonzero(np.diff(name, append=-1)) + 1
    at = 0
    while at < len(name):
        most = np.searchsorted(done, (done[at - 1] if at else 0) + _AT_ONCE)
        end = int(ends[min(np.searchsorted(ends, max(most, at + 1)), len(ends) - 1)])
        yield slice(at, end)
        at = end
