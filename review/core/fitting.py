"""How well workers' tracks fit the clusters that the others' tracks are in, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from annotation.core.tracks import Floats, Ints
from review.core.stacking import Stack

FLOOR = 0.35  # mean IoU at which two tracks neither attract nor repel
AT_ONCE = 1 << 24  # numbers that are held in memory at once, or so


def gains(
    stack: Stack, member: Ints, value: Floats, weights: Floats, asked: Ints, counts: Floats | None = None
) -> tuple[Ints, Ints, Floats]:
    """What each frame says for some tracks, `asked` in order, being in a cluster: tracks (q,), clusters (q,), gain (q,
    n).

    The gain is the mean IoU with the boxes of other workers in the cluster, minus the floor; 0 where there are none.
    `counts` are of `weight_counts`, if known.
    """
    pairs, n = stack.overlap, member.shape[1]
    n_clusters = int(member.max()) + 1
    left, right = stack.overlaps_of(asked)
    place = np.concatenate([left, right])
    track = np.searchsorted(asked, np.concatenate([pairs.left[left], pairs.right[right]]))
    other = np.concatenate([pairs.right[left], pairs.left[right]])
    frame, value = pairs.frame[place], value[place]
    strength = weights[stack.owners]
    keys, row = numbered(track * n_clusters + member[other, frame], len(asked) * n_clusters)
    sums = np.bincount(row * n + frame, weights=value * strength[other], minlength=len(keys) * n)
    tracks, clusters = np.divmod(keys, n_clusters)
    tracks = asked[tracks]
    if counts is None:
        counts = weight_counts(stack, member, weights)
    mean = counts[stack.owners[tracks], clusters]
    there = (mean > 1e-9) & stack.present[tracks]
    np.divide(sums.reshape(-1, n), mean, out=mean, where=there)
    mean -= FLOOR
    mean[~there] = 0.0
    return tracks, clusters, mean


def in_parts(stack: Stack, tracks: Ints) -> Iterator[Ints]:
    """The tracks some at a time: what they have to do with every cluster on every frame is held in memory at once."""
    part = np.cumsum(stack.meetings[tracks]) // max(1, AT_ONCE // stack.present.shape[1])
    yield from np.split(tracks, np.flatnonzero(np.diff(part)) + 1)


def numbered(keys: Ints, most: int) -> tuple[Ints, Ints]:
    """Which keys under `most` there are, in order, and the place of each in that list."""
    if most > 4 * len(keys):
        names, row = np.unique(keys, return_inverse=True)
        return names, row
    there = np.zeros(most, bool)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]


def weight_counts(stack: Stack, member: Ints, weights: Floats) -> Floats:
    """Weight of the boxes in each cluster on each frame, of all whom a worker is compared with: (w, k, n)."""
    strength, n_clusters = weights[stack.owners], int(member.max()) + 1
    track, frame = np.nonzero(stack.present)
    cell = (stack.owners[track] * n_clusters + member[track, frame]) * member.shape[1] + frame
    own = np.bincount(cell, weights=strength[track], minlength=stack.workers * n_clusters * member.shape[1])
    own = own.reshape(stack.workers, n_clusters, -1).astype(np.float64, copy=False)
    if stack.compares_all:
        return own.sum(axis=0) - own
    return np.stack([own[others].sum(axis=0) for others in stack.compared])
