"""Drawings that nobody joins, and those of few, put to the object that they were most likely meant to be.

The clusters' floor of IoU keeps two objects apart that stand close together. What one worker alone drew, over most of
its frames upon an object that this worker did not draw, is rather that object badly drawn (much too large, or a part of
it) than one that all others missed and a second one that this worker missed. That another drawing of the same worker
ends upon the object, as those do that take one for the other, is no reason against it: on those frames it stands alone.
The same holds of the parts of one track, and of what some drew in one way and others in another: of two objects
somebody would have drawn both.
"""

from __future__ import annotations

import numpy as np

from annotation.core.matching import link_iou
from annotation.core.tracks import Bools, Dense, Floats, Ints
from review.core.stacking import Stack

LOOSE = 0.2  # mean IoU from which it is
FLOOR = 0.35  # and from which two who are alone mean the same
MEANT = 0.5  # mean IoU of two clusters' mean boxes, where nobody in the one was compared with anybody in the other
MOSTLY = 0.5  # share of its frames on which the object is there, too
TWICE = 0.25  # and on which its author may have strayed onto the object with another drawing


def gather(stack: Stack, member: Ints) -> Ints:
    """Clusters (t, n) with those of a single worker, those of which nobody drew both, and parts of one track joined; -1
    where absent."""
    k = int(member.max(initial=-1)) + 1
    owned, drawn = np.zeros((k, stack.workers, member.shape[1]), bool), np.zeros((k, len(member)), bool)
    row, frame = np.nonzero(member >= 0)
    owned[member[row, frame], stack.owners[row], frame] = True
    drawn[member[row, frame], row] = True
    who: Bools = np.any(owned, axis=2)
    if (who.sum(axis=1) != 1).all() and (who.astype(int) @ who.T).all() and (drawn.sum(axis=0) <= 1).all():
        return member
    likeness = np.triu(_likeness(stack, member, k) / _shares(stack, who), 1)
    near = np.flatnonzero(likeness >= LOOSE)
    target, cut = np.arange(k), []
    for at in near[np.argsort(-likeness.flat[near], kind="stable")].tolist():
        a, b = sorted(target[list(divmod(at, k))].tolist(), key=lambda c: int(owned[c].any(axis=1).sum()))
        parts = bool((drawn[a] & drawn[b]).any())
        one, other = owned[a].any(axis=1), owned[b].any(axis=1)
        if other.sum() == 1:
            meant = parts or likeness.flat[at] >= FLOOR
        else:
            meant = parts or one.sum() == 1 or not (one & other).any()
        if a != b and meant and _may_join(owned[a], owned[b], parts):
            twice = (owned[a] & owned[b]).any(axis=0)
            if twice.any():
                cut.append((target[member] == a) & (member >= 0) & twice)
            target[target == a] = b
            owned[b] |= owned[a]
            drawn[b] |= drawn[a]
    out = np.where(member >= 0, target[member], -1)
    for i, mask in enumerate(cut):
        out[mask] = k + i
    return out


def unite(stack: Stack, member: Ints) -> Ints:
    """Clusters (t, n) of which no two lie on each other whose workers were never compared.

    Of many workers each is compared with some others only, so those who drew one thing may stand in two clusters
    between which nothing speaks for or against: there the clusters' mean boxes are compared.
    """
    while not stack.compares_all:
        member, owned, mean = _means(stack, member)
        names, here = ("",) * len(mean), ~np.isnan(mean[..., 0])
        dense = Dense(stack.start, names, names, mean, here, here & False)
        alike = np.triu(np.nan_to_num(link_iou(dense, dense, labels=False)), 1)
        workers = [np.flatnonzero(drew).tolist() for drew in np.asarray(owned.any(axis=2))]
        near = np.flatnonzero(alike >= MEANT)
        pairs = (divmod(at, len(mean)) for at in near[np.argsort(-alike.flat[near], kind="stable")].tolist())
        free = (p for p in pairs if not (owned[p[0]] & owned[p[1]]).any())
        pair = next((p for p in free if stack.share_compared(workers[p[0]], workers[p[1]]) == 0), None)
        if pair is None:
            break
        member = np.where(member == pair[1], pair[0], member)
    return member


def _means(stack: Stack, member: Ints) -> tuple[Ints, Bools, Floats]:
    """Clusters numbered from 0 (t, n), on which frames each worker is in which, (k, w, n), and mean boxes (k, n, 4)."""
    names, flat = np.unique(member[member >= 0], return_inverse=True)
    member = member.copy()
    member[member >= 0] = flat
    row, frame = np.nonzero(member >= 0)
    owned = np.zeros((len(names), stack.workers, member.shape[1]), bool)
    owned[member[row, frame], stack.owners[row], frame] = True
    total, count = np.zeros((len(names), member.shape[1], 4)), np.zeros((len(names), member.shape[1], 1))
    np.add.at(total, (member[row, frame], frame), stack.boxes[row, frame])
    np.add.at(count, (member[row, frame], frame), 1.0)
    return member, owned, np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _likeness(stack: Stack, member: Ints, k: int) -> Floats:
    """Mean IoU of every two clusters over the pairs of boxes that two workers have on one frame, (k, k)."""
    total = np.zeros((k, k))
    a, b = stack.sides(member)
    for part in stack.parts:
        np.add.at(total, (a[part], b[part]), stack.overlap.iou[part])
    counts = np.zeros((k, member.shape[1]))
    row, frame = np.nonzero(member >= 0)
    np.add.at(counts, (member[row, frame], frame), 1.0)
    return (total + total.T) / np.maximum(counts @ counts.T, 1.0)


def _shares(stack: Stack, drew: Bools) -> Floats:
    """Of the workers of every two clusters, (k, w), the share of pairs that were compared, (k, k); 1 where there is
    none."""
    if stack.compares_all:
        return np.ones((len(drew), len(drew)))
    who = drew.astype(float)
    compared, pairs = who @ stack.compared @ who.T, who.sum(axis=1)[:, None] * who.sum(axis=1) - who @ who.T
    return np.where(compared > 0, compared / np.maximum(pairs, 1.0), 1.0)


def _may_join(one: Bools, other: Bools, parts: bool) -> bool:
    """Whether hardly a worker has a box in both (w, n) on a frame, and the one lies upon the other.

    That is on most of its frames; of the `parts` of one track, on any, and no worker may have two.
    """
    frames = one.any(axis=0)
    shared = int((other.any(axis=0) & frames).sum())
    twice = int((one & other).any(axis=0).sum())
    return twice <= (0 if parts else TWICE * frames.sum()) and shared >= (1 if parts else MOSTLY * frames.sum())
