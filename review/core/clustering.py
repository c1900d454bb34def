"""Which workers' boxes show one object, on every frame of a segment.

Idea: two tracks attract or repel each other by the sum over their common frames of IoU minus a floor, so long
agreement outweighs a short encounter, and frames on which only one is there say nothing. Clusters grow by greedy
contraction of the strongest attraction (average link with additive evidence: Keuper 2015's GAEC), under the rule that
a worker never has two boxes in one cluster on one frame. Then each track may leave its cluster for some time: the best
path of a track through the clusters, where changing costs `CHANGE` (a Viterbi path, so identity swaps and drifts are
cut on the frame where most others say that they happened), and what fits nowhere starts clusters of its own. What then
still lies on each other is one object there (`absorbing`), and who is who at the seams, and from when on, is asked last
(`untangling`, `retiming`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np

from annotation.core.tracks import Bools, Floats, Ints
from review.core.absorbing import absorb
from review.core.dividing import divide
from review.core.fitting import FLOOR, gains, in_parts, numbered, weight_counts
from review.core.gathering import gather, unite
from review.core.mending import MOST_WORKERS, mend
from review.core.retiming import retime
from review.core.stacking import Stack
from review.core.untangling import untangle

OTHER_LABEL = 0.1  # what a different label takes off the IoU
CHANGE = 2.0  # a change of cluster must win this much IoU·frames: five frames at a difference of 0.4
ROUNDS = 2


def cluster(stack: Stack, weights: Floats) -> Ints:
    """The cluster of every track on every frame, (t, n), -1 where it is absent; `weights` (workers,) are above 0."""
    if not len(stack.tracks):
        return np.zeros(stack.present.shape, np.int64)
    node = np.where(stack.present, np.arange(len(stack.tracks))[:, None], -1)
    value = _values(stack)
    if stack.workers == 1:
        return mend(stack, node)
    member = contract(stack, node, value, weights)
    for _ in range(ROUNDS):
        moved = reassign(stack, member, value, weights)
        if (moved == member).all():
            break
        member = contract(stack, moved, value, weights)
    member = absorb(stack, unite(stack, member), value - FLOOR, FLOOR, weights)
    # Motion is read where objects were exchanged, and alone says who is who of two workers. Where more vote, only what
    # begins or ends just then is worth moving before: whole exchanges did as much harm as good.
    member = retime(stack, member, value, weights, halves=stack.workers > MOST_WORKERS)
    member = retime(stack, untangle(stack, member, weights), value, weights)
    return gather(stack, divide(stack, mend(stack, member), weights))


def _values(stack: Stack) -> Floats:
    pairs, codes = stack.overlap, stack.codes
    if not codes.any():
        return pairs.iou
    value = pairs.iou.copy()
    for part in stack.parts:
        value[part] -= OTHER_LABEL * (codes[pairs.left[part]] != codes[pairs.right[part]])
    return value


def _heard(stack: Stack, value: Floats, strength: Floats) -> Floats:
    """What every overlap says, times the weights of both workers."""
    if (strength == 1).all():
        return value
    value = value.copy()
    for tracks in (stack.overlap.left, stack.overlap.right):
        for part in stack.parts:
            value[part] *= strength[tracks[part]]
    return value


def contract(stack: Stack, node: Ints, value: Floats, weights: Floats) -> Ints:
    """Merge nodes (t, n) as long as two attract each other and no worker would have two boxes in one: (t, n)."""
    shape: tuple[int, ...] = node.shape
    names, flat = np.unique(node, return_inverse=True)
    node = flat.reshape(shape) - int(names[0] == -1)
    n_nodes = len(names) - int(names[0] == -1)
    strength = weights[stack.owners]
    counts = np.zeros((n_nodes, node.shape[1]))
    track, frame = np.nonzero(node >= 0)
    np.add.at(counts, (node[track, frame], frame), strength[track])
    graph = _graph(stack, node, _heard(stack, value, strength), n_nodes)
    parent = _Contraction(stack, counts, _masks(stack, node, n_nodes), graph).run()
    return np.where(node >= 0, parent[node], -1)


def _graph(stack: Stack, node: Ints, value: Floats, n_nodes: int) -> list[dict[int, float]]:
    """Sum of value between every two nodes that overlap somewhere, as one dict of neighbours per node."""
    a, b = stack.sides(node)
    kept = a != b
    key = np.minimum(a, b)[kept] * np.int64(n_nodes) + np.maximum(a, b)[kept]
    keys, at = numbered(key, n_nodes**2)
    sums = np.bincount(at, weights=value[kept], minlength=len(keys))
    graph: list[dict[int, float]] = [{} for _ in range(n_nodes)]
    for k, total in zip(keys.tolist(), sums.tolist(), strict=True):
        i, j = divmod(k, n_nodes)
        graph[i][j] = graph[j][i] = total
    return graph


def _masks(stack: Stack, node: Ints, n_nodes: int) -> list[dict[int, int]]:
    """For every node the frames on which each worker is in it, as bits of an integer."""
    masks: list[dict[int, int]] = [{} for _ in range(n_nodes)]
    for track, owner in enumerate(stack.owners.tolist()):
        for k in np.unique(node[track][node[track] >= 0]).tolist():
            bits = int.from_bytes(np.packbits(node[track] == k).tobytes(), "big")
            masks[k][owner] = masks[k].get(owner, 0) | bits
    return masks


class _Contraction:
    """Greedy contraction of a graph; state is per node, a merged node lives on under its smaller number."""

    def __init__(
        self, stack: Stack, counts: Floats, masks: list[dict[int, int]], graph: list[dict[int, float]]
    ) -> None:
        self.share = None if stack.compares_all else stack.share_compared
        self.counts, self.masks, self.graph = counts, masks, graph
        self.parent = np.arange(len(graph))
        self.age = [0] * len(graph)
        self.heap: list[tuple[float, int, int, int, int]] = []

    def run(self) -> Ints:
        for a, neighbours in enumerate(self.graph):
            for b in neighbours:
                if a < b:
                    self._push(a, b)
        while self.heap:
            _, a, b, age_a, age_b = heapq.heappop(self.heap)
            if (self.age[a], self.age[b]) == (age_a, age_b) and not self._clash(a, b):
                self._merge(a, b)
        return self._roots()

    def _push(self, a: int, b: int) -> None:
        frames = float(self.counts[a] @ self.counts[b])
        if self.share is not None:
            frames *= self.share(self.masks[a], self.masks[b])
        gain = self.graph[a][b] - FLOOR * frames
        if gain > 0 and not self._clash(a, b):
            heapq.heappush(self.heap, (-gain, min(a, b), max(a, b), self.age[min(a, b)], self.age[max(a, b)]))

    def _clash(self, a: int, b: int) -> bool:
        other = self.masks[b]
        return any(mask & other.get(owner, 0) for owner, mask in self.masks[a].items())

    def _merge(self, a: int, b: int) -> None:
        self.counts[a] += self.counts[b]
        for owner, mask in self.masks[b].items():
            self.masks[a][owner] = self.masks[a].get(owner, 0) | mask
        self.parent[b] = a
        self.age[a] += 1
        self.age[b] = -1
        del self.graph[a][b], self.graph[b][a]
        for c, total in self.graph[b].items():
            del self.graph[c][b]
            self.graph[a][c] = self.graph[c][a] = self.graph[a].get(c, 0.0) + total
        self.graph[b] = {}
        for c in self.graph[a]:
            self._push(a, c)

    def _roots(self) -> Ints:
        roots = self.parent
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return roots


def reassign(stack: Stack, member: Ints, value: Floats, weights: Floats) -> Ints:
    """Let each track follow the clusters that the other workers' boxes put it in, frame by frame: (t, n).

    One worker after the other, whoever fits worst first, so that two who differ do not both give way. A frame on
    which a track fits its cluster no more, and no other, gets a number of its own per run.
    """
    doubts = _doubts(stack, member, value, weights)
    for owner in sorted((o for o in doubts if doubts[o] > 0), key=lambda o: (-doubts[o], o)):
        member = _reassign_worker(stack, member, value, weights, owner)
    return member


def _doubts(stack: Stack, member: Ints, value: Floats, weights: Floats) -> dict[int, float]:
    """How much better each worker's tracks would be placed if they moved, 0 if none has reason to."""
    found = list(_reasons(stack, member, value, weights, np.arange(len(member))))
    change = CHANGE * stack.time_scale
    tracks, away, _ = (np.concatenate(column) for column in zip(*(asked for asked, _ in found), strict=True))
    doubts = np.bincount(stack.owners[tracks], np.where(away > change, away, 0.0), stack.workers)
    tracks, elsewhere = (np.concatenate(column) for column in zip(*(rows for _, rows in found), strict=True))
    doubts += np.bincount(stack.owners[tracks], np.where(elsewhere > change, elsewhere, 0.0), stack.workers)
    return dict(enumerate(doubts.tolist()))


def _reasons(
    stack: Stack, member: Ints, value: Floats, weights: Floats, asked: Ints
) -> Iterator[tuple[tuple[Ints, Floats, Floats], tuple[Ints, Floats]]]:
    """Some tracks at a time, by how much each would be better nowhere for some stretch than where it is, and how well
    it is there in all, (r,) each; and for each cluster that one could be in, the track, and by how much it would be
    better there for some stretch, (q,)."""
    counts = weight_counts(stack, member, weights)
    for part in in_parts(stack, asked):
        tracks, clusters, gain = gains(stack, member, value, weights, part, counts)
        home = _home_gain(member, part, tracks, clusters, gain)
        gain -= home[np.searchsorted(part, tracks)]
        yield (part, _best_stretch(-home), home.sum(axis=1)), (tracks, _best_stretch(gain))


def _reassign_worker(stack: Stack, member: Ints, value: Floats, weights: Floats, owner: int) -> Ints:
    change = CHANGE * stack.time_scale
    own = np.flatnonzero(stack.owners == owner)
    doubtful: dict[int, float] = {}  # with how well each is at home
    for (part, away, home), (tracks, elsewhere) in _reasons(stack, member, value, weights, own):
        moves = (away > change) | np.isin(part, tracks[elsewhere > change])
        doubtful |= dict(zip(part[moves].tolist(), home[moves].tolist(), strict=True))
    taken = _taken(member, own, set(doubtful))
    fresh, counts = int(member.max()) + 1, weight_counts(stack, member, weights)
    before, member = member, member.copy()
    for track in sorted(doubtful, key=lambda t: (-doubtful[t], t)):
        _, clusters, gain = gains(stack, before, value, weights, np.array([track]), counts)
        path, fresh = _path(stack.present[track], clusters, gain, taken, fresh, change)
        member[track] = path
        for k in np.unique(path[path >= 0]).tolist():
            taken[k] = taken.get(k, np.zeros(path.shape, bool)) | (path == k)
    return member


def _home_gain(member: Ints, asked: Ints, tracks: Ints, clusters: Ints, gain: Floats) -> Floats:
    """The gain of each track that was asked about in the cluster where it is now, (r, n); 0 where nobody else is in
    it."""
    if not len(tracks):
        return np.zeros((len(asked), member.shape[1]))
    count = int(member.max()) + 1
    keys, wanted = tracks * count + clusters, asked[:, None] * count + member[asked]
    row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    known = (member[asked] >= 0) & (keys[row] == wanted)
    return np.where(known, gain[row, np.arange(member.shape[1])], 0.0)


def _best_stretch(gain: Floats) -> Floats:
    """The greatest sum over consecutive frames, (q, n) → (q,)."""
    total = np.concatenate([np.zeros((len(gain), 1)), np.cumsum(gain, axis=1)], axis=1)
    return (total - np.minimum.accumulate(total, axis=1)).max(axis=1)


def _taken(member: Ints, own: Ints, doubtful: set[int]) -> dict[int, Bools]:
    """Frames on which a worker's undoubted tracks already hold a cluster."""
    taken: dict[int, Bools] = {}
    for track in sorted(set(own.tolist()) - doubtful):
        for k in np.unique(member[track][member[track] >= 0]).tolist():
            taken[k] = taken.get(k, np.zeros(member.shape[1], bool)) | (member[track] == k)
    return taken


def _path(
    here: Bools, clusters: Ints, gain: Floats, taken: dict[int, Bools], fresh: int, change: float
) -> tuple[Ints, int]:
    """The best way of one track through its clusters and nowhere: numbers (n,), nowhere numbered from `fresh` on."""
    n = len(here)
    blocked = np.array([taken.get(k, np.zeros(n, bool)) for k in clusters.tolist()]).reshape(-1, n)
    score = np.concatenate([np.where(blocked, -np.inf, gain), np.zeros((1, n))])
    there = np.flatnonzero(here)
    states = viterbi(score[:, there], change)
    path = np.full(n, -1)
    names = np.append(clusters, -1)[states]
    nowhere = names == -1
    runs = np.cumsum(nowhere & ~np.concatenate([[False], nowhere[:-1]]))
    path[there] = np.where(nowhere, fresh + runs - 1, names)
    return path, fresh + int(runs[-1] if len(runs) else 0)


def viterbi(score: Floats, cost: float) -> Ints:
    """States (n,) with the greatest sum of score (s, n), minus `cost` for every change of state."""
    states, n = score.shape
    best, back = score[:, 0].copy(), np.zeros((n, states), np.int64)
    stay = np.arange(states)
    for frame in range(1, n):
        top = int(best.argmax())
        change = best[top] - cost > best
        back[frame] = np.where(change, top, stay)
        best = np.where(change, best[top] - cost, best) + score[:, frame]
    path = np.empty(n, np.int64)
    path[-1] = int(best.argmax())
    for frame in range(n - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path
