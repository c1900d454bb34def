"""Where the boxes of two sets of tracks overlap: the sparse list that all scores, links and matchings start from.

Idea: frames are taken in blocks of 16. Two tracks are compared frame by frame only in blocks where the hulls of their
boxes touch, and those are found in cells of a grid over the picture, so objects that are far apart in time or space
cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.ranges import ranges
from annotation.core.tracks import Bools, Dense, Floats, Ints

_BLOCK = 16  # frames whose hull is tested at once: longer ones prune less, shorter ones cost more tests
_CELL = 2.0  # side of a cell by the middle one of the hulls' sides
_MOST_CELLS = 64  # along an axis, that one hull may lie in
_SLAB = 64  # blocks held in memory at once, so that memory does not grow with the length of a video


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


def overlaps(a: Dense, b: Dense) -> Overlaps:
    """All overlapping boxes of two sets of tracks filled over the same range. RangesDiffer if they were not."""
    return overlaps_among((a,), np.ones((1, 1), bool)) if a is b else overlaps_with((a,), b)[0]


def overlaps_with(some: Sequence[Dense], one: Dense) -> list[Overlaps]:
    """`overlaps` of each of several sets with `one`, all of them looked at once. RangesDiffer."""
    n = len(some)
    compared = np.zeros((n + 1, n + 1), bool)
    compared[:n, n] = True
    all_of_them = overlaps_among((*some, one), compared)
    first = np.cumsum([0, *(len(d.ids) for d in some)])
    found = []
    for since, until in pairwise(first.tolist()):
        own = only(all_of_them, (all_of_them.left >= since) & (all_of_them.left < until)) if n > 1 else all_of_them
        found.append(Overlaps(own.left - since, own.right - first[-1], own.frame, own.iou))
    return found


def overlaps_among(some: Sequence[Dense], compared: Bools) -> Overlaps:
    """`overlaps` of several sets, rows being of all their tracks in order: of those `compared` (s, s), a set on the
    left with one on the right, and nobody else. RangesDiffer."""
    ranges = {(d.start, d.present.shape[1]) for d in some}
    if len(ranges) > 1:
        raise RangesDiffer("frames " + " against ".join(f"[{f}, {f + n})" for f, n in sorted(ranges)))
    step = _BLOCK * _SLAB
    owner = np.repeat(np.arange(len(some)), [len(d.ids) for d in some])
    parts = [
        _found(np.concatenate([d.boxes[:, at : at + step] for d in some]), owner, compared, at)
        for at in range(0, some[0].present.shape[1] if some else 0, step)
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0, np.int64)] * 4
    return Overlaps(columns[0], columns[1], columns[2], columns[3].astype(float))


def only(shared: Overlaps, keep: Bools) -> Overlaps:
    """Some of the overlaps, by a mask."""
    return Overlaps(shared.left[keep], shared.right[keep], shared.frame[keep], shared.iou[keep])


def _found(boxes: Floats, owner: Ints, compared: Bools, offset: int) -> tuple[Ints, Ints, Ints, Floats]:
    """Overlaps of boxes (t, n, 4) whose first frame is `offset`; the tracks' sets are `owner` (t,)."""
    edges = _blocks(boxes)
    block, left, right = _touching(*_hulls(edges), owner, compared)
    listed = edges.reshape(4, -1, _BLOCK)
    one, other = (np.moveaxis(listed.take(row * edges.shape[2] + block, axis=1), 0, -1) for row in (left, right))
    shared = iou_aligned(one, other)
    pair, k = np.nonzero(shared)
    return left[pair], right[pair], block[pair] * _BLOCK + k + offset, shared[pair, k]


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


def _touching(low: Floats, high: Floats, owner: Ints, compared: Bools) -> tuple[Ints, Ints, Ints]:
    """Every pair of hulls that overlap in one block: block, left row, right row.

    All are listed in every cell that they lie in; of the cells that a pair shares, the one counts that has the top left
    corner of what they share.
    """
    track, at = np.nonzero(~np.isnan(low[0]))
    if not len(track):
        return (np.zeros(0, np.int64),) * 3
    low, high = low[:, track, at], high[:, track, at]
    sides = high - low
    middle = np.partition(sides, sides.shape[1] // 2, axis=1)[:, sides.shape[1] // 2]
    cell = np.maximum(np.maximum(_CELL * middle, sides.max(axis=1) / _MOST_CELLS), 1e-9)[:, None]
    first, last = (np.floor((edge - low.min(axis=1)[:, None]) / cell).astype(np.int64) for edge in (low, high))
    wide, tall = (last.max(axis=1) + 1).tolist()
    hull, key = _cells(at, first, last, wide, tall)
    left, right, key = _join(hull, key, owner[track[hull]], compared)
    x, y = np.maximum(first[:, left], first[:, right])
    kept = key == (at[left] * wide + x) * tall + y
    for near, far in zip(low, high, strict=True):
        kept &= np.maximum(near[left], near[right]) < np.minimum(far[left], far[right])
    block, left, right = at[left[kept]], track[left[kept]], track[right[kept]]
    order = np.lexsort((right, left, block))
    return block[order], left[order], right[order]


def _cells(block: Ints, first: Ints, last: Ints, wide: int, tall: int) -> tuple[Ints, Ints]:
    """Each hull once for every cell between its first and last (2, n): the hull, and the number of block and cell."""
    size = last - first + 1
    hull, within = ranges(0, size[0] * size[1])
    x, y = np.divmod(within, size[1, hull])
    return hull, (block[hull] * wide + first[0, hull] + x) * tall + first[1, hull] + y


def _join(hull: Ints, key: Ints, owner: Ints, compared: Bools) -> tuple[Ints, Ints, Ints]:
    """Every pair of hulls with the same key whose owners are compared: left, right, key. Each hull is looked up once
    for everybody whom its owner is compared with, so that work grows with these and not with all there are."""
    partners = compared.sum(axis=1)
    asking, place = ranges((np.cumsum(partners) - partners)[owner], partners[owner])
    asked = np.nonzero(compared)[1][place]
    full = key * len(compared) + owner
    order = np.argsort(full, kind="stable")
    full, want = full[order], key[asking] * len(compared) + asked
    first = np.searchsorted(full, want)
    row, place = ranges(first, np.searchsorted(full, want, side="right") - first)
    left, right = asking[row], order[place]
    return hull[left], hull[right], key[left]
