"""Two clusters that show one object for a while, made one for that while.

Idea: where workers exchange objects one after the other, each with somebody else, two clusters may never become one as
a whole, since some worker is in both at another time. On the frames on which they lie on each other they are one object
all the same: the stretch is joined for which the mean IoU of the one's boxes with the other's, over the floor, has the
greatest sum. A worker who is in both there says that they are two, and is outvoted or not. Which of the ways that lead
into the stretch and out of it is the object's is asked afterwards, by `untangling`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Floats, Ints
from review.core.stacking import Stack

ALIKE = 3.0  # IoU·frames over the floor that a stretch must be worth
AGAINST = 1.0  # what a frame loses on which all are in both clusters; a share of it where some are
APART = 0.5  # 1 − IoU from which two boxes of one worker are two objects for certain
NEVER = 1e6

Pair = tuple[int, int]  # two clusters
Sides = tuple[Ints, Ints]  # the clusters of the two boxes of every pair that overlaps


def absorb(stack: Stack, member: Ints, above: Floats, floor: float, weights: Floats) -> Ints:
    """Clusters (t, n) of which no two lie on each other for long.

    `above` is how far the IoU of every pair of `stack.overlap` is above the floor, `weights` (w,) are above 0.
    """
    known: dict[Pair, tuple[float, slice]] = {}
    for _ in range(len(stack.tracks)):
        sides = _sides(stack, member)
        asked = _candidates(stack, member, sides, above)
        at = _between(sides, [pair for pair in asked if pair not in known])
        for pair, some in at.items():
            known[pair] = _best_stretch(_gain(stack, member, pair, some, above, floor, weights))
        worth, pair = max(((known[pair][0], pair) for pair in asked), key=lambda found: found[0], default=(0.0, (0, 0)))
        if worth < ALIKE * stack.time_scale:
            break
        before, member = member, _join(stack, member, above, weights, pair, known[pair][1])
        moved = before != member
        changed = {*before[moved].tolist(), *member[moved].tolist()}
        known = {pair: found for pair, found in known.items() if changed.isdisjoint(pair)}
    return member


def _sides(stack: Stack, member: Ints) -> Sides:
    """The clusters of the two boxes of every pair that overlaps."""
    pairs = stack.overlap
    return member[pairs.left, pairs.frame], member[pairs.right, pairs.frame]


def _candidates(stack: Stack, member: Ints, sides: Sides, above: Floats) -> list[Pair]:
    """Pairs of clusters that lie on each other on some frames for as much as a stretch must be worth."""
    a, b = sides
    apart = (a != b) & (above > 0) & (np.minimum(a, b) >= 0)
    count = int(member.max(initial=-1)) + 1
    keys, at = np.unique(np.minimum(a, b)[apart] * count + np.maximum(a, b)[apart], return_inverse=True)
    good = np.bincount(at, weights=above[apart], minlength=len(keys))
    return [divmod(int(key), count) for key in keys[good >= ALIKE * stack.time_scale]]


def _between(sides: Sides, asked: Sequence[Pair]) -> dict[Pair, Ints]:
    """Where the overlaps of each pair of clusters are listed."""
    if not asked:
        return {}
    low, high = np.minimum(*sides), np.maximum(*sides)
    count = int(high.max()) + 1
    wanted = np.array([a * count + b for a, b in asked])
    keys = low * count + high
    at = np.flatnonzero((low >= 0) & np.isin(keys, wanted))
    at = at[np.argsort(keys[at], kind="stable")]
    since, until = (np.searchsorted(keys[at], wanted, side=side) for side in ("left", "right"))
    return {pair: at[a:b] for pair, a, b in zip(asked, since.tolist(), until.tolist(), strict=True)}


def _gain(stack: Stack, member: Ints, pair: Pair, at: Ints, above: Floats, floor: float, weights: Floats) -> Floats:
    """By frame (n,) how much better two clusters are one there than two; `at` lists the overlaps between them."""
    n = member.shape[1]
    strength = weights[stack.owners]
    both = strength[stack.overlap.left[at]] * strength[stack.overlap.right[at]]
    sums = np.bincount(stack.overlap.frame[at], weights=(above[at] + floor) * both, minlength=n)
    one, other = (_heard(stack, member == k, weights) for k in pair)
    share = stack.share_compared(*(np.flatnonzero(some.any(axis=1)).tolist() for some in (one, other)))
    total = one.sum(axis=0) * other.sum(axis=0) * share
    clash, most = np.minimum(one, other), np.maximum(np.maximum(one, other).sum(axis=0), 1e-9)
    against = (clash * _apart(stack, member, pair)).sum(axis=0) / most
    mean = sums / np.maximum(total, 1e-9) - floor - AGAINST * against
    # Where all who drew the one drew the other too, nobody would come to it, and the same would be asked again.
    idle = clash.sum(axis=0) >= np.minimum(one.sum(axis=0), other.sum(axis=0)) - 1e-9
    mean = np.where(idle, np.minimum(mean, 0.0), mean)
    return np.where(total > 0, np.where(clash.sum(axis=0) / most > 1 - 1e-9, -NEVER, mean), 0.0)


def _apart(stack: Stack, member: Ints, pair: Pair) -> Floats:
    """How far each worker's two boxes in both clusters are two, (w, n): not at all where one lies on the other."""
    one, other = (_own_boxes(stack, member == k) for k in pair)
    return np.clip((1 - np.nan_to_num(iou_aligned(one, other))) / APART, 0, 1)


def _own_boxes(stack: Stack, here: np.ndarray) -> Floats:
    """The box of every worker in a cluster, (w, n, 4) with NaN, from the frames of the tracks in it, (t, n)."""
    out = np.full((stack.workers, here.shape[1], 4), np.nan)
    for row in np.flatnonzero(here.any(axis=1)).tolist():
        out[stack.owners[row], here[row]] = stack.boxes[row, here[row]]
    return out


def _heard(stack: Stack, here: np.ndarray, weights: Floats) -> Floats:
    """The weight of every worker in a cluster by frame, (w, n), from the frames of the tracks in it, (t, n)."""
    out = np.zeros((stack.workers, here.shape[1]))
    for row in np.flatnonzero(here.any(axis=1)).tolist():
        owner = stack.owners[row]
        out[owner, here[row]] = weights[owner]
    return out


def _best_stretch(gain: Floats) -> tuple[float, slice]:
    """The greatest sum over consecutive frames, and the frames.

    >>> _best_stretch(np.array([-1.0, 2.0, -1.0, 2.0, -5.0]))
    (3.0, slice(1, 4, None))
    """
    total = np.concatenate([[0.0], np.cumsum(gain)])
    low = np.minimum.accumulate(total)
    last = int((total - low).argmax())
    first = int(np.flatnonzero(total[: last + 1] == low[last])[-1])
    return float(total[last] - low[last]), slice(first, last)


def _join(stack: Stack, member: Ints, above: Floats, weights: Floats, pair: Pair, frames: slice) -> Ints:
    """Both clusters under the number of the one that more drew on these frames.

    Of a worker who is in both there, the track that fits the others less leaves.
    """
    member = member.copy()
    part = member[:, frames]
    strength = weights[stack.owners][:, None]
    one, other = (float(((part == k) * strength).sum()) for k in pair)
    kept, lost = pair if one >= other else pair[::-1]
    part[part == lost] = kept
    here = part == kept
    fits = _fits(stack, member, above, strength[:, 0], kept)[:, frames]
    for owner in np.unique(stack.owners[here.any(axis=1)]).tolist():
        rows = np.flatnonzero((stack.owners == owner) & here.any(axis=1))
        twice = here[rows].sum(axis=0) > 1
        taken = np.zeros(part.shape[1], bool)
        for row in sorted(rows.tolist(), key=lambda r: (-float(fits[r, twice].sum()), r)):
            part[row, here[row] & taken] = member.max() + 1
            taken |= here[row]
    return member


def _fits(stack: Stack, member: Ints, above: Floats, strength: Floats, k: int) -> Floats:
    """What the boxes of the others say for each box of a cluster to be in it, (t, n)."""
    pairs = stack.overlap
    a, b = _sides(stack, member)
    same = np.flatnonzero((a == k) & (b == k))
    out = np.zeros(member.shape)
    for mine, other in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        np.add.at(out, (mine[same], pairs.frame[same]), above[same] * strength[other[same]])
    return out
