"""Two clusters that show one object for a while, made one for that while.

Idea: where workers exchange objects one after the other, each with somebody else, two clusters may never become one as
a whole, since some worker is in both at another time. On the frames on which they lie on each other they are one object
all the same: the stretch is joined for which the mean IoU of the one's boxes with the other's, over the floor, has the
greatest sum. A worker who is in both there says that they are two, and is outvoted or not. Which of the ways that lead
into the stretch and out of it is the object's is asked afterwards, by `untangling`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Floats, Ints
from review.core.membership import Members
from review.core.stacking import Stack

ALIKE = 3.0  # IoU·frames over the floor that a stretch must be worth
AGAINST = 1.0  # what a frame loses on which all are in both clusters; a share of it where some are
APART = 0.5  # 1 − IoU from which two boxes of one worker are two objects for certain
NEVER = 1e6

Pair = tuple[int, int]  # two clusters


def absorb(stack: Stack, member: Ints, above: Floats, floor: float, weights: Floats) -> Ints:
    """Clusters (t, n) of which no two lie on each other for long.

    `above` is how far the IoU of every pair of `stack.overlap` is above the floor, `weights` (w,) are above 0.
    """
    state = _State(stack, member, above, floor, weights)
    known: dict[Pair, tuple[float, slice]] = {}
    good = state.likenesses(slice(None))
    for _ in range(len(stack.tracks)):
        asked = sorted(pair for pair, sum_ in good.items() if sum_ >= ALIKE * stack.time_scale)
        for pair in asked:
            if pair not in known:
                known[pair] = _best_stretch(_gain(state, pair))
        worth, pair = max(((known[pair][0], pair) for pair in asked), key=lambda found: found[0], default=(0.0, (0, 0)))
        if worth < ALIKE * stack.time_scale:
            break
        changed = _join(state, pair, known[pair][1])
        known = {pair: found for pair, found in known.items() if changed.isdisjoint(pair)}
        good = {pair: sum_ for pair, sum_ in good.items() if changed.isdisjoint(pair)}
        good |= state.likenesses(state.overlaps_of(changed))
    return state.found.member


class _State:
    """Who is in which cluster while clusters are joined; `sides` are the clusters of the two boxes of every overlap."""

    def __init__(self, stack: Stack, member: Ints, above: Floats, floor: float, weights: Floats) -> None:
        self.stack, self.above, self.floor, self.weights = stack, above, floor, weights
        self.found = Members(member.copy())
        self.sides = stack.sides(member)

    def put(self, tracks: Ints, paths: Ints) -> set[int]:
        """Let tracks go other ways (r, n): the clusters that gained or lost a box."""
        moved, changed = self.found.put(tracks, paths)
        pairs = self.stack.overlap
        sides = zip(self.sides, (pairs.left, pairs.right), self.stack.overlaps_of(moved), strict=True)
        for side, track, at in sides:
            side[at] = self.found.member[track[at], pairs.frame[at]]
        return changed

    def overlaps_of(self, clusters: Collection[int]) -> Ints:
        """Where overlaps are listed of which a box is in any of these clusters, in order."""
        left, right = self.stack.overlaps_of(self.found.tracks(clusters))
        named = np.array(sorted(clusters), np.int64)
        some = [at[np.isin(side[at], named)] for side, at in zip(self.sides, (left, right), strict=True)]
        return np.unique(np.concatenate(some))

    def between(self, pair: Pair) -> Ints:
        """Where the overlaps of two clusters are listed, in order."""
        (one, other), (a, b) = pair, self.sides
        left, right = self.stack.overlaps_of(self.found.tracks([one]))
        some = left[(a[left] == one) & (b[left] == other)], right[(b[right] == one) & (a[right] == other)]
        return np.sort(np.concatenate(some))

    def likenesses(self, at: Ints | slice) -> dict[Pair, float]:
        """Of pairs of clusters, how much they lie on each other by some of the overlaps, which hold all of theirs."""
        a, b = (side[at] for side in self.sides)
        apart = (a != b) & (self.above[at] > 0) & (np.minimum(a, b) >= 0)
        count = self.found.fresh
        a, b = a[apart], b[apart]
        keys, place = np.unique(np.minimum(a, b) * np.int64(count) + np.maximum(a, b), return_inverse=True)
        good = np.bincount(place, weights=self.above[at][apart], minlength=len(keys))
        pairs = (divmod(key, count) for key in keys.tolist())
        return dict(zip(pairs, good.tolist(), strict=True))


def _gain(state: _State, pair: Pair) -> Floats:
    """By frame (n,) how much better two clusters are one there than two."""
    stack, at = state.stack, state.between(pair)
    n = state.found.member.shape[1]
    strength = state.weights[stack.owners]
    both = strength[stack.overlap.left[at]] * strength[stack.overlap.right[at]]
    sums = np.bincount(stack.overlap.frame[at], weights=(state.above[at] + state.floor) * both, minlength=n)
    one, other = (_heard(state, k) for k in pair)
    share = stack.share_compared(*(np.flatnonzero(some.any(axis=1)).tolist() for some in (one, other)))
    total = one.sum(axis=0) * other.sum(axis=0) * share
    clash, most = np.minimum(one, other), np.maximum(np.maximum(one, other).sum(axis=0), 1e-9)
    against = (clash * _apart(state, pair)).sum(axis=0) / most
    mean = sums / np.maximum(total, 1e-9) - state.floor - AGAINST * against
    # Where all who drew the one drew the other too, nobody would come to it, and the same would be asked again.
    idle = clash.sum(axis=0) >= np.minimum(one.sum(axis=0), other.sum(axis=0)) - 1e-9
    mean = np.where(idle, np.minimum(mean, 0.0), mean)
    return np.where(total > 0, np.where(clash.sum(axis=0) / most > 1 - 1e-9, -NEVER, mean), 0.0)


def _apart(state: _State, pair: Pair) -> Floats:
    """How far each worker's two boxes in both clusters are two, (w, n): not at all where one lies on the other."""
    one, other = (_own_boxes(state, k) for k in pair)
    return np.clip((1 - np.nan_to_num(iou_aligned(one, other))) / APART, 0, 1)


def _own_boxes(state: _State, k: int) -> Floats:
    """The box of every worker in a cluster, (w, n, 4) with NaN."""
    out = np.full((state.stack.workers, state.found.member.shape[1], 4), np.nan)
    for track in state.found.tracks([k]).tolist():
        here = state.found.member[track] == k
        out[state.stack.owners[track], here] = state.stack.boxes[track, here]
    return out


def _heard(state: _State, k: int) -> Floats:
    """The weight of every worker in a cluster by frame, (w, n)."""
    out = np.zeros((state.stack.workers, state.found.member.shape[1]))
    for track in state.found.tracks([k]).tolist():
        owner = state.stack.owners[track]
        out[owner, state.found.member[track] == k] = state.weights[owner]
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


def _join(state: _State, pair: Pair, frames: slice) -> set[int]:
    """Both clusters under the number of the one that more drew on these frames; the clusters that this changes.

    Of a worker who is in both there, the track that fits the others less leaves.
    """
    tracks = state.found.tracks(pair)
    owners, paths = state.stack.owners[tracks], state.found.member[tracks]
    part = paths[:, frames]
    one, other = (round(float((part == k).sum(axis=1) @ state.weights[owners]), 9) for k in pair)
    kept, lost = pair if one >= other else pair[::-1]
    part[part == lost] = kept
    here = part == kept
    changed, fresh = state.put(tracks, paths), state.found.fresh
    fits = _fits(state, kept)
    for owner in np.unique(owners[here.any(axis=1)]).tolist():
        rows = np.flatnonzero((owners == owner) & here.any(axis=1))
        twice = here[rows].sum(axis=0) > 1
        taken = np.zeros(part.shape[1], bool)
        said = {row: float(fits[tracks[row]][frames][twice].sum()) for row in rows.tolist()} if twice.any() else {}
        for row in sorted(rows.tolist(), key=lambda r: (-said.get(r, 0.0), r)):
            leaves = here[row] & taken
            if leaves.any():
                part[row, leaves], fresh = fresh, fresh + 1
            taken |= here[row]
    return changed | state.put(tracks, paths)


def _fits(state: _State, k: int) -> dict[int, Floats]:
    """What the boxes of the others say for each box of a cluster to be in it, (n,) for every track in it."""
    pairs, (a, b) = state.stack.overlap, state.sides
    tracks = state.found.tracks([k])
    left, _ = state.stack.overlaps_of(tracks)
    same = left[(a[left] == k) & (b[left] == k)]
    strength = state.weights[state.stack.owners]
    out = np.zeros((len(tracks), state.found.member.shape[1]))
    for mine, other in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        row = np.searchsorted(tracks, mine[same])
        np.add.at(out, (row, pairs.frame[same]), state.above[same] * strength[other[same]])
    return dict(zip(tracks.tolist(), out, strict=True))
