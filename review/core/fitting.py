"""How well workers' tracks fit the clusters that the others' tracks are in, frame by frame."""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Floats, Ints
from review.core.stacking import Stack

FLOOR = 0.35  # mean IoU at which two tracks neither attract nor repel


def gains(
    stack: Stack, member: Ints, value: Floats, weights: Floats, owner: int | None = None
) -> tuple[Ints, Ints, Floats]:
    """What each frame says for tracks being in a cluster: tracks (q,), clusters (q,), gain (q, n).

    Of one worker's tracks, or of all. The gain is the mean IoU with the boxes of other workers in the cluster, minus
    the floor; 0 where there are none.
    """
    pairs, n = stack.overlap, member.shape[1]
    n_clusters = int(member.max()) + 1
    track, other = np.concatenate([pairs.left, pairs.right]), np.concatenate([pairs.right, pairs.left])
    frame, value = np.tile(pairs.frame, 2), np.tile(value, 2)
    if owner is not None:
        mine = np.flatnonzero(stack.owners[track] == owner)
        track, other, frame, value = track[mine], other[mine], frame[mine], value[mine]
    strength = weights[stack.owners]
    keys, row = numbered(track * n_clusters + member[other, frame], len(member) * n_clusters)
    sums = np.bincount(row * n + frame, weights=value * strength[other], minlength=len(keys) * n)
    tracks, clusters = np.divmod(keys, n_clusters)
    counts = _counts(stack, member, strength, n_clusters)[stack.owners[tracks], clusters]
    there = (counts > 1e-9) & stack.present[tracks]
    mean = np.divide(sums.reshape(-1, n), counts, out=np.zeros(counts.shape), where=there)
    return tracks, clusters, np.where(there, mean - FLOOR, 0.0)


def numbered(keys: Ints, most: int) -> tuple[Ints, Ints]:
    """Which keys under `most` there are, in order, and the place of each in that list."""
    if most > 4 * len(keys):
        names, row = np.unique(keys, return_inverse=True)
        return names, row
    there = np.zeros(most, bool)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]


def _counts(stack: Stack, member: Ints, strength: Floats, n_clusters: int) -> Floats:
    """Weight of the boxes in each cluster on each frame, of all whom a worker is compared with: (w, k, n)."""
    track, frame = np.nonzero(stack.present)
    cell = (stack.owners[track] * n_clusters + member[track, frame]) * member.shape[1] + frame
    own = np.bincount(cell, weights=strength[track], minlength=stack.workers * n_clusters * member.shape[1])
    own = own.reshape(stack.workers, n_clusters, -1).astype(np.float64, copy=False)
    if stack.compares_all:
        return own.sum(axis=0) - own
    return np.stack([own[others].sum(axis=0) for others in stack.compared])
