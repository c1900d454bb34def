"""What gold does not hold against a worker: frames around coming and going, tiny objects, regions to be ignored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from annotation.core.metrics import select
from annotation.core.tracks import Bools, Dense, Floats, Ints

EDGE_FRAMES = 5  # nobody can say to the frame when an object is in
TINY_PX = 15.0  # longer side; below it IoU says little
INSIDE = 0.5  # share of a box that must lie in an ignore region


def drop_ignored(truth: Dense, other: Dense, ignored: Bools, pairs: Ints) -> tuple[Dense, Dense, Ints]:
    """Take ignore regions (`ignored` rows of `truth`) out, and unmatched boxes of `other` that lie inside them.

    `pairs` (k, 2) are rows of objects and of `other` that belong together; they come back with their new rows.
    """
    real = pairs[~ignored[pairs[:, 0]]]
    free = np.ones(len(other.ids), bool)
    free[real[:, 1]] = False
    covered = np.zeros(other.present.shape, bool)
    for region in truth.boxes[ignored]:
        covered |= _share_inside(other.boxes, region[None]) >= INSIDE
    kept = ~(covered & free[:, None])
    place = np.cumsum(~ignored) - 1
    moved = np.stack([place[real[:, 0]], real[:, 1]], axis=1)
    return select(truth, np.flatnonzero(~ignored)), keep(other, kept), moved


def forgive(truth: Dense, other: Dense, pairs: Ints) -> tuple[Dense, Dense]:
    """Both without what is "don't care": where an object comes or goes, and where it is tiny.

    Near its coming and going a matched object may be there or not; a tiny one counts neither way, and tiny boxes of
    `other` that belong to no object are not held to be invented.
    """
    tiny = is_tiny(truth.boxes)
    vague = near_edges(truth.present)
    keep_truth, keep_other = ~tiny, np.ones(other.present.shape, bool)
    matched = np.zeros(len(other.ids), bool)
    matched[pairs[:, 1]] = True
    keep_other[~matched] = ~is_tiny(other.boxes[~matched])
    row, column = pairs.T
    unsure = vague[row] & (truth.present[row] ^ other.present[column])
    keep_truth[row] &= ~unsure
    keep_other[column] = ~unsure & ~tiny[row]
    unseen = np.ones(len(truth.ids), bool)
    unseen[pairs[:, 0]] = False
    keep_truth[unseen] &= ~vague[unseen]
    return keep(truth, keep_truth), keep(other, keep_other)


def keep(tracks: Dense, where: Bools) -> Dense:
    """Tracks that are absent where the mask (n, frames) is false."""
    boxes = np.where(where[..., None], tracks.boxes, np.nan)
    return replace(tracks, boxes=boxes, present=tracks.present & where, occluded=tracks.occluded & where)


def near_edges(present: Bools, frames: int = EDGE_FRAMES) -> Bools:
    """(n, f): frames at most `frames` from where a track comes or goes. The ends of the range are neither."""
    change: Bools = np.diff(present, axis=1)
    near: Bools = np.zeros(present.shape, bool)
    for shift in range(min(frames, change.shape[1])):
        near[:, shift + 1 :] |= change[:, : change.shape[1] - shift]
        near[:, : max(0, near.shape[1] - 1 - shift)] |= change[:, shift:]
    return near


def is_tiny(boxes: Floats) -> Bools:
    """Boxes (…, 4) whose longer side is under 15 px; absent ones are not."""
    return np.maximum(boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]) < TINY_PX


def _share_inside(boxes: Floats, region: Floats) -> NDArray[np.float64]:
    low, high = np.maximum(boxes[..., :2], region[..., :2]), np.minimum(boxes[..., 2:], region[..., 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=-1)
    area = np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
    return np.divide(shared, area, out=np.zeros_like(shared), where=area > 0)
