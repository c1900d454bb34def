"""Where the boxes of two sets of tracks overlap: the sparse list that all scores, links and matchings start from.

Idea: frames are taken in blocks of 16. Two tracks are compared frame by frame only in blocks where the hulls of their
boxes touch, and those are found in cells of a grid over the picture, so objects that are far apart in time or space
cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.boxes import iou_aligned
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
    return overlaps_among((a,), ((0, 0),))[0] if a is b else overlaps_among((a, b), ((0, 1),))[0]


def overlaps_among(some: Sequence[Dense], pairs: Sequence[tuple[int, int]]) -> list[Overlaps]:
    """`overlaps` of some pairs among several sets, each of which is looked at once. RangesDiffer."""
    ranges = {(d.start, d.present.shape[1]) for d in some}
    if len(ranges) > 1:
        raise RangesDiffer("frames " + " against ".join(f"[{f}, {f + n})" for f, n in sorted(ranges)))
    step = _BLOCK * _SLAB
    parts: list[list[tuple[Ints, Ints, Ints, Floats]]] = [[] for _ in pairs]
    for at in range(0, some[0].present.shape[1] if some else 0, step):
        sides = [_side(d.boxes[:, at : at + step]) for d in some]
        for found, (i, j) in zip(parts, pairs, strict=True):
            found.append(_shared(sides[i], sides[j], at))
    return [_joined(found) for found in parts]


def _joined(parts: Sequence[tuple[Ints, Ints, Ints, Floats]]) -> Overlaps:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0, np.int64)] * 4
    return Overlaps(columns[0], columns[1], columns[2], columns[3].astype(float))


def only(shared: Overlaps, keep: Bools) -> Overlaps:
    """Some of the overlaps, by a mask."""
    return Overlaps(shared.left[keep], shared.right[keep], shared.frame[keep], shared.iou[keep])


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Boxes in blocks (n, k, 16, 4), and the corners (m, 2) of the hulls that are not empty, `at` (track, block)."""

    blocks: Floats
    at: tuple[Ints, Ints]
    low: Floats
    high: Floats


def _side(boxes: Floats) -> _Side:
    blocks = _blocks(boxes)
    low, high = _hulls(blocks)
    at = np.nonzero(low[..., 0] <= high[..., 0])
    return _Side(blocks, (at[0], at[1]), low[at], high[at])


def _shared(a: _Side, b: _Side, offset: int) -> tuple[Ints, Ints, Ints, Floats]:
    """Overlaps of two sides, whose first frame is `offset`."""
    block, left, right = _touching(a, b)
    shared = iou_aligned(a.blocks[left, block], b.blocks[right, block])
    pair, k = np.nonzero(shared)
    return left[pair], right[pair], block[pair] * _BLOCK + k + offset, shared[pair, k]


def _blocks(boxes: Floats) -> Floats:
    """(n, s, 4) → (n, ⌈s / 16⌉, 16, 4), the last block filled up with absence."""
    n, s = boxes.shape[:2]
    blocks = -(-s // _BLOCK)
    if blocks * _BLOCK != s:
        padded = np.full((n, blocks * _BLOCK, 4), np.nan)
        padded[:, :s] = boxes
        boxes = padded
    return boxes.reshape(n, blocks, _BLOCK, 4)


def _hulls(blocks: Floats) -> tuple[Floats, Floats]:
    """Top left and bottom right corner (n, k, 2) of what a track covers in a block; inverted where it is absent."""
    absent = np.isnan(blocks[..., :1])
    low, high = np.where(absent, np.inf, blocks[..., :2]), np.where(absent, -np.inf, blocks[..., 2:])
    half = _BLOCK
    while half > 1:  # halves against halves: many times quicker than a reduction over so short an axis
        half //= 2
        low = np.minimum(low[:, :, :half], low[:, :, half:])
        high = np.maximum(high[:, :, :half], high[:, :, half:])
    return low[:, :, 0], high[:, :, 0]


def _touching(a: _Side, b: _Side) -> tuple[Ints, Ints, Ints]:
    """Every pair of hulls that overlap in one block: block, left row, right row.

    Both are listed in every cell that they lie in; of the cells that a pair shares, the one counts that has the top
    left corner of what they share.
    """
    at_a, low_a, high_a, at_b, low_b, high_b = a.at, a.low, a.high, b.at, b.low, b.high
    if not len(low_a) or not len(low_b):
        return (np.zeros(0, np.int64),) * 3
    sides = np.concatenate([high_a - low_a, high_b - low_b])
    cell = np.maximum(np.maximum(_CELL * np.median(sides, axis=0), sides.max(axis=0) / _MOST_CELLS), 1e-9)
    origin = np.minimum(low_a.min(axis=0), low_b.min(axis=0))
    spans = [np.floor((edge - origin) / cell).astype(np.int64) for edge in (low_a, high_a, low_b, high_b)]
    wide, tall = (np.maximum(spans[1].max(axis=0), spans[3].max(axis=0)) + 1).tolist()
    hull_a, key_a = _cells(at_a[1], spans[0], spans[1], wide, tall)
    hull_b, key_b = _cells(at_b[1], spans[2], spans[3], wide, tall)
    left, right, key = _join(hull_a, key_a, hull_b, key_b)
    low, high = np.maximum(low_a[left], low_b[right]), np.minimum(high_a[left], high_b[right])
    corner = np.maximum(spans[0][left], spans[2][right])
    kept = (low < high).all(axis=1) & (key == (at_a[1][left] * wide + corner[:, 0]) * tall + corner[:, 1])
    block, left, right = at_a[1][left[kept]], at_a[0][left[kept]], at_b[0][right[kept]]
    order = np.lexsort((right, left, block))
    return block[order], left[order], right[order]


def _cells(block: Ints, first: Ints, last: Ints, wide: int, tall: int) -> tuple[Ints, Ints]:
    """Each hull once for every cell between its first and last (n, 2): the hull, and the number of block and cell."""
    size = last - first + 1
    count = size.prod(axis=1)
    hull = np.repeat(np.arange(len(block)), count)
    within = np.arange(len(hull)) - np.repeat(np.cumsum(count) - count, count)
    x, y = np.divmod(within, size[hull, 1])
    return hull, (block[hull] * wide + first[hull, 0] + x) * tall + first[hull, 1] + y


def _join(hull_a: Ints, key_a: Ints, hull_b: Ints, key_b: Ints) -> tuple[Ints, Ints, Ints]:
    """Every pair with the same key: left, right, key."""
    order = np.argsort(key_b, kind="stable")
    key_b, hull_b = key_b[order], hull_b[order]
    first, last = np.searchsorted(key_b, key_a), np.searchsorted(key_b, key_a, side="right")
    count = last - first
    row = np.repeat(np.arange(len(key_a)), count)
    partner = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + first[row]
    return hull_a[row], hull_b[partner], key_a[row]
