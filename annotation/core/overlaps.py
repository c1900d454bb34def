"""Where the boxes of two sets of tracks overlap: the sparse list that all scores, links and matchings start from.

Idea: frames are taken in blocks of 16. Two tracks are compared frame by frame only in blocks where the hulls of their
boxes touch, so objects that are far apart in time or space cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Dense, Floats, Ints

_BLOCK = 16  # frames whose hull is tested at once: longer ones prune less, shorter ones cost more tests
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
    if a.start != b.start or a.present.shape[1] != b.present.shape[1]:
        raise RangesDiffer(f"frames [{a.start}, {a.stop}) against [{b.start}, {b.stop})")
    step = _BLOCK * _SLAB
    parts = [
        _slab(a.boxes[:, at : at + step], b.boxes[:, at : at + step], at) for at in range(0, a.boxes.shape[1], step)
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0, np.int64)] * 4
    return Overlaps(columns[0], columns[1], columns[2], columns[3].astype(float))


def only(shared: Overlaps, keep: Bools) -> Overlaps:
    """Some of the overlaps, by a mask."""
    return Overlaps(shared.left[keep], shared.right[keep], shared.frame[keep], shared.iou[keep])


def _slab(a: Floats, b: Floats, offset: int) -> tuple[Ints, Ints, Ints, Floats]:
    """Overlaps of boxes (n, s, 4) and (m, s, 4), whose first frame is `offset`."""
    a, b = _blocks(a), _blocks(b)
    low_a, high_a = _hulls(a)
    low_b, high_b = _hulls(b)
    block, left, right = _cross(low_a[..., 0] <= high_a[..., 0], low_b[..., 0] <= high_b[..., 0])
    low = np.maximum(low_a[left, block], low_b[right, block])
    high = np.minimum(high_a[left, block], high_b[right, block])
    touch = (low < high).all(axis=1)
    block, left, right = block[touch], left[touch], right[touch]
    shared = iou_aligned(a[left, block], b[right, block])
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


def _cross(a: Bools, b: Bools) -> tuple[Ints, Ints, Ints]:
    """Every pair of rows of (n, k) and (m, k) that are both true in a column: column, left row, right row."""
    column, left = np.nonzero(a.T)
    partners, row = np.nonzero(b.T)
    count = np.bincount(partners, minlength=a.shape[1])
    first = np.cumsum(count) - count
    repeat = count[column]
    begin = np.cumsum(repeat) - repeat
    within = np.arange(repeat.sum()) - np.repeat(begin, repeat)
    column = np.repeat(column, repeat)
    return column, np.repeat(left, repeat), row[first[column] + within]
