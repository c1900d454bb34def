"""The keyframes that workers placed, and the lines between them that a fused box is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from annotation.core.tracks import Bools, Floats, Ints
from review.core.fusing import Votes
from review.core.stacking import Stack

CORE = 16  # keyframes of a stretch
BESIDE = 24  # and those looked at on either side, at most
VOICES = 8  # workers who are asked about an object, at most
FEW = 6.0  # lines that all clusters' step is worth
FILLED = 0.05  # px: how far off a line rounding may put what a tool has filled


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """All m keyframes of k clusters, by cluster and frame.

    `cluster`, `worker`, `frame` (m,); `off` (m, 4) is how far each is from the fused box, in pixels; `trusted` (m, 2)
    how far its worker is not to be an outlier there, by axis. `before` and `after` (k, w, n) are the places in this
    list of each worker's last and next one, -1 where there is none in the same run of frames. `shares` (k, w, n, 2) are
    those in the fused box of the workers who are asked, by axis.
    """

    cluster: Ints
    worker: Ints
    frame: Ints
    off: Floats
    trusted: Floats
    before: Ints
    after: Ints
    shares: Floats

    def lines(self, cluster: Ints, frame: Ints) -> tuple[Ints, Floats, Floats, Bools]:
        """What the boxes of the clusters (q,) on the frames (q,) are made of: each worker's last and next keyframe
        (q, w, 2), how far it is from the one to the other (q, w), the worker's share (q, w, 2), and who (q, w) holds a
        box that has no keyframe on one side."""
        before, after = self.before[cluster, :, frame], self.after[cluster, :, frame]
        last = np.where(before < 0, after, before)
        following = np.where(after < 0, last, after)
        first, until = self.frame[last], self.frame[following]
        way = np.where(until > first, (frame[:, None] - first) / np.maximum(until - first, 1), 0.0)
        share = self.shares[cluster, :, frame]
        held = (share > 0).any(axis=-1) & (until == first) & ((last < 0) | (first != frame[:, None]))
        return np.stack([last, following], axis=-1), way, share, held

    def made(self) -> Made:
        """What the fused line is made of at each keyframe."""
        at, way, share, held = self.lines(self.cluster, self.frame)
        parts = np.stack([1 - way, way], axis=-1)[..., None] * share[:, :, None]
        used = (parts > 0).any(axis=-1)
        row, worker, which = np.nonzero(used)
        since = np.append(0, np.cumsum(used.sum(axis=(1, 2))))
        lowest = np.where(used, at, len(at)).min(axis=(1, 2), initial=len(at))
        highest = np.where(used, at, -1).max(axis=(1, 2), initial=-1)
        lowest[held.any(axis=1)] = -1
        return Made(since, row, at[row, worker, which], parts[row, worker, which], lowest, highest)

    def until(self, cluster: Ints, frame: Ints) -> Ints:
        """Where in the list the keyframes of the clusters (q,) after the frames (q,) begin."""
        n = self.before.shape[2]
        return np.searchsorted(self.cluster * n + self.frame, cluster * n + frame, side="right")

    def between(self) -> Bools:
        """In which clusters somebody's keyframe lies between two of another's, and half of what is drawn or more are
        lines, (k,)."""
        before, after = (near[self.cluster, :, self.frame] for near in (self.before, self.after))
        found = ((before >= 0) & (after >= 0) & (before != after)).any(axis=1)
        told = np.bincount(self.cluster, weights=found, minlength=len(self.before)) > 0
        placed = np.bincount(self.cluster, minlength=len(self.before))
        return told & (2 * placed <= (self.before >= 0).sum(axis=(1, 2)))

    def steps(self) -> Floats:
        """How many frames apart each cluster's keyframes are, (k,): the mean over frames, drawn towards all clusters'
        where it has few. Whoever sees an object stray from its line places one more, so this says how it moves."""
        order = np.lexsort((self.frame, self.worker, self.cluster))
        cluster, worker, frame = self.cluster[order], self.worker[order], self.frame[order]
        same = (cluster[1:] == cluster[:-1]) & (worker[1:] == worker[:-1])
        apart, cluster = np.diff(frame)[same].astype(np.float64), cluster[1:][same]
        usual = float((apart**2).sum() / apart.sum()) if len(apart) else 1.0
        total = np.bincount(cluster, weights=apart, minlength=len(self.before))
        squares = np.bincount(cluster, weights=apart**2, minlength=len(self.before))
        return np.maximum((squares + FEW * usual**2) / (total + FEW * usual), 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What the fused line is made of at m keyframes: p parts, by keyframe, those of each `since` (m + 1,) a place on.

    Part by part the keyframe, `row` (p,), and the one that is in it, `part` (p,), with its `share` (p, 2) by axis.
    `lowest` and `highest` (m,) are the first and the last one that is in it; somebody's held box is before all.
    """

    since: Ints
    row: Ints
    part: Ints
    share: Floats
    lowest: Ints
    highest: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """b stretches of keyframes: `core` is where each one's own begin in the list of all, `first` and `last` (b,) the
    range that is looked at; they have the frames from `since` to `until` (b,), and keyframes are `step` (b,) apart."""

    core: Ints
    first: Ints
    last: Ints
    since: Ints
    until: Ints
    step: Floats

    def some(self, which: Ints | slice) -> Stretches:
        core, first, last, since, until = (
            column[which] for column in (self.core, self.first, self.last, self.since, self.until)
        )
        return Stretches(core, first, last, since, until, self.step[which])


def find_keys(block: Stack, member: Ints, votes: Votes) -> Keys:
    """The keyframes of all who are asked; `member` (t, n) is the cluster of each track on each frame, -1 for none."""
    row, frame = _placed(block, 0.0 if votes.grid is None else float(votes.grid.step.max()))
    drawn = votes.shares[..., 0] > 0
    asked = _asked(drawn)
    cluster, worker = member[row, frame], block.owners[row]
    seen = cluster >= 0
    seen[seen] = asked[cluster[seen], worker[seen]]
    order = np.flatnonzero(seen)[np.lexsort((worker[seen], frame[seen], cluster[seen]))]
    cluster, worker, frame = cluster[order], worker[order], frame[order]
    trusted = np.minimum(votes.trusted[..., :2], votes.trusted[..., 2:])  # whoever is far off with one edge erred
    doubted = votes.shares / np.maximum(votes.trusted, 1e-300)
    shares = (doubted[..., :2] + doubted[..., 2:]) / 2 * trusted * asked[..., None, None]
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
    fused = (np.where(drawn[..., None], votes.boxes, 0.0) * np.tile(shares, 2)).sum(axis=1)
    off = votes.boxes[cluster, worker, frame] - fused[cluster, frame]
    place = np.full(drawn.shape, -1)
    place[cluster, worker, frame] = np.arange(len(cluster))
    back = _last(place[..., ::-1], drawn[..., ::-1])[..., ::-1]
    return Keys(cluster, worker, frame, off, trusted[cluster, worker, frame], _last(place, drawn), back, shares)


def find_stretches(keys: Keys) -> tuple[Stretches, Stretches]:
    """The stretches of all clusters in which something is told. Each looks at the keyframes between which lines run on
    its frames; and, the second time, at those that these are compared with, too."""
    told = keys.between()
    edges = np.searchsorted(keys.cluster, np.arange(len(told) + 1))
    columns: list[Ints] = [np.zeros((7, 0), np.int64)]
    for k in np.flatnonzero(told).tolist():
        begin, end = int(edges[k]), int(edges[k + 1])
        core = np.arange(begin, end, CORE)
        until = np.append(keys.frame[core[1:]], keys.before.shape[2])
        since = np.append(0, until[:-1])
        early = np.where(keys.before[k] < 0, end, keys.before[k]).min(axis=0)
        late = keys.after[k].max(axis=0)
        first, last = np.minimum(core, early[since]), np.maximum(np.minimum(core + CORE, end) - 1, late[until - 1])
        wide = np.minimum(first, early[keys.frame[first]]), np.maximum(last, late[keys.frame[last]])
        least, most = core - BESIDE, np.minimum(core + CORE + BESIDE, end)
        ranges = ((np.maximum(a, least), np.minimum(b + 1, most)) for a, b in ((first, last), wide))
        columns.append(np.stack([core, since, until, *(column for pair in ranges for column in pair)]))
    core, since, until, first, last, first_wide, last_wide = np.concatenate(columns, axis=1)
    near = Stretches(core, first, last, since, until, keys.steps()[keys.cluster[core]])
    return near, replace(near, first=first_wide, last=last_wide)


def _placed(block: Stack, step: float) -> tuple[Ints, Ints]:
    """All keyframes that somebody placed: rows of tracks and frames, (m,). Where there is one on every frame, a tool
    filled most of them: what lies on the line through those just before and after says nothing. On a grid of so large
    a `step` that such a line would be uneven, nothing can be told of that."""
    at = [t.frames[~t.outside] - block.start for t in block.tracks]
    row, frame = np.repeat(np.arange(len(at)), [len(a) for a in at]), np.concatenate([*at, np.zeros(0, np.int64)])
    inside = (frame >= 0) & (frame < block.boxes.shape[1])
    row, frame = row[inside], frame[inside]
    filled = np.zeros(len(row), bool)
    filled[1:-1] = (row[:-2] == row[2:]) & (frame[2:] - frame[:-2] == 2) & (2 * step < FILLED)
    here, n = row[filled], frame[filled]
    bend = block.boxes[here, n - 1] - 2 * block.boxes[here, n] + block.boxes[here, n + 1]
    filled[filled] = np.abs(bend).max(axis=1, initial=0.0) < FILLED
    return row[~filled], frame[~filled]


def _asked(drawn: Bools) -> Bools:
    """Those who drew most of each cluster (k, w, n), `VOICES` at most: (k, w)."""
    frames = drawn.sum(axis=2)
    rank = np.argsort(np.argsort(-frames, axis=1, kind="stable"), axis=1)
    return (rank < VOICES) & (frames > 0)


def _last(place: Ints, drawn: Bools) -> Ints:
    """Along the last axis the last place so far that is not -1, of the same run of frames on which it is drawn."""
    n = np.arange(place.shape[-1])
    at = np.maximum.accumulate(np.where(place >= 0, n, -1), axis=-1)
    gap = np.maximum.accumulate(np.where(drawn, -1, n), axis=-1)
    return np.where(at > gap, np.take_along_axis(place, np.maximum(at, 0), axis=-1), -1)
