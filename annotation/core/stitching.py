"""Join the tracks of neighbouring segments into full-video tracks.

Each border between two segments is solved at once: the assignment that makes the summed similarity of its pairs (see
`linking`) largest, above a gate. A join that an almost equally good assignment would do without is doubtful: the best
guess stands, marked, and a reviewer is asked. Reviewers' verdicts are binding. The joins make a graph whose components
are the identities; a component never holds two tracks of one segment.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from annotation.core.linking import REACH, see, weigh
from annotation.core.matching import match
from annotation.core.tracks import Tracks

Ref = tuple[str, str]  # (segment key, track id)
Pair = tuple[Ref, Ref]

GATE = 0.3
MARGIN = 0.1


@dataclass(frozen=True, eq=False, slots=True)
class SegmentTracks:
    """The accepted tracks of one segment, frames `[start, stop)` of the video; `key` names the segment for ever."""

    key: str
    start: int
    stop: int
    tracks: Tracks


@dataclass(frozen=True, slots=True)
class Join:
    """Two tracks taken for one object. `confidence` is 0 to 1; `margin` is what the next best answer loses.

    `rivals` are the tracks that either end might have been joined with instead, with their similarities, best first.
    `decided` marks a reviewer's verdict.
    """

    left: Ref
    right: Ref
    kind: Literal["border", "gap"]
    confidence: float
    doubtful: bool
    margin: float = 1.0
    shared: int = 0
    decided: bool = False
    rivals: tuple[tuple[Ref, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Stitched:
    """Joins (best guesses, doubtful ones marked) and the public identity of every track, counted from 1.

    `borders` counts the borders that this call computed; `next_identity` is the first number never given out;
    `refused` are verdicts of "same" that contradict other verdicts or would join two tracks of one segment.
    """

    joins: tuple[Join, ...] = ()
    identities: Mapping[Ref, int] = field(default_factory=dict)
    borders: int = 0
    next_identity: int = 1
    refused: tuple[Pair, ...] = ()


def stitch(
    segments: Sequence[SegmentTracks],
    *,
    decided: Mapping[Pair, bool] | None = None,
    previous: Stitched | None = None,
    changed: Collection[str] = (),
) -> Stitched:
    """Joins and identities of a video's segments.

    With `previous`, only borders that touch a segment named in `changed` (or not known to `previous`) are computed,
    and identities keep their numbers. `decided` maps a pair of tracks to a reviewer's verdict: True is same.
    """
    ordered = sorted(segments, key=lambda s: (s.start, s.stop, s.key))
    verdicts = {frozenset(pair): same for pair, same in (decided or {}).items()}
    fresh = set(changed) | _unknown(ordered, previous)
    joins: list[Join] = []
    computed = 0
    for left, right in itertools.pairwise(ordered):
        if previous is not None and left.key not in fresh and right.key not in fresh:
            continue
        joins += join_border(left, right, verdicts)
        computed += 1
    if previous is not None:
        joins += [j for j in previous.joins if j.left[0] not in fresh and j.right[0] not in fresh]
    kept, refused, components = _assemble(ordered, joins, verdicts)
    identities, following = _name(components, previous, fresh)
    return Stitched(tuple(kept), identities, computed, following, tuple(refused))


def _unknown(segments: Sequence[SegmentTracks], previous: Stitched | None) -> set[str]:
    if previous is None:
        return {s.key for s in segments}
    known = {key for key, _ in previous.identities}
    return {s.key for s in segments if s.tracks.tracks and s.key not in known}


def join_border(left: SegmentTracks, right: SegmentTracks, verdicts: Mapping[frozenset[Ref], bool]) -> list[Join]:
    """The best joins between two neighbouring segments."""
    window = (min(right.start, left.stop) - REACH, left.stop + REACH)
    a = see(left.tracks.tracks, left.start, left.stop, window, forward=True)
    b = see(right.tracks.tracks, right.start, right.stop, window, forward=False)
    evidence = weigh(a, b, slice(REACH, REACH + max(0, left.stop - right.start)))
    table = np.zeros((len(a.ids), len(b.ids)))
    shared = np.zeros(table.shape, int)
    table[evidence.left, evidence.right] = evidence.similarity
    shared[evidence.left, evidence.right] = evidence.shared
    rows, columns = [(left.key, id) for id in a.ids], [(right.key, id) for id in b.ids]
    _apply(table, rows, columns, verdicts)
    pairs = match(np.maximum(table - GATE, 0.0)).pairs.tolist()
    joins = []
    for (i, j), loss in zip(pairs, margins(table, pairs), strict=True):
        rivals = _rivals(table, i, j, rows, columns)
        sure, doubtful = min(1.0, float(table[i, j])), loss < MARGIN
        joins.append(Join(rows[i], columns[j], "border", sure, doubtful, loss, int(shared[i, j]), rivals=rivals))
    return joins


def _apply(table: np.ndarray, rows: list[Ref], columns: list[Ref], verdicts: Mapping[frozenset[Ref], bool]) -> None:
    """Write verdicts into a border's table: what is the same or different is no longer open."""
    if not verdicts:
        return
    row_of = {ref: i for i, ref in enumerate(rows)}
    column_of = {ref: j for j, ref in enumerate(columns)}
    for pair, same in verdicts.items():
        i = next((row_of[r] for r in pair if r in row_of), None)
        j = next((column_of[r] for r in pair if r in column_of), None)
        if i is None or j is None:
            continue
        if same:
            table[i, :] = 0.0
            table[:, j] = 0.0
        table[i, j] = 0.0


def margins(table: np.ndarray, pairs: Sequence[Sequence[int]], gate: float = GATE) -> list[float]:
    """What each matched pair's best alternative loses, by leaving out or exchanging partners with one other pair."""
    row_of = {j: i for i, j in pairs}
    column_of = {i: j for i, j in pairs}
    gain = np.maximum(table - gate, 0.0)
    out = []
    for i, j in pairs:
        best = 0.0
        for k in np.flatnonzero(gain[i]):
            if k != j:
                other = row_of.get(int(k))
                back = 0.0 if other is None else gain[other, j] - gain[other, k]
                best = max(best, gain[i, k] + back)
        for k in np.flatnonzero(gain[:, j]):
            if k != i:
                other = column_of.get(int(k))
                back = 0.0 if other is None else gain[i, other] - gain[k, other]
                best = max(best, gain[k, j] + back)
        out.append(float(gain[i, j] - best))
    return out


def _rivals(table: np.ndarray, i: int, j: int, rows: list[Ref], columns: list[Ref]) -> tuple[tuple[Ref, float], ...]:
    found = [(columns[k], float(table[i, k])) for k in np.flatnonzero(table[i] >= GATE) if k != j]
    found += [(rows[k], float(table[k, j])) for k in np.flatnonzero(table[:, j] >= GATE) if k != i]
    return tuple(sorted(found, key=lambda r: (-r[1], r[0])))


class _Components:
    """Union-find that keeps tracks of one segment, and pairs decided to be different, apart."""

    def __init__(self, refs: Sequence[Ref], different: Collection[frozenset[Ref]]) -> None:
        self.parent = {ref: ref for ref in refs}
        self.members = {ref: [ref] for ref in refs}
        self.apart: dict[Ref, set[Ref]] = {}
        for pair in different:
            if len(pair) == 2:
                a, b = pair
                self.apart.setdefault(a, set()).add(b)
                self.apart.setdefault(b, set()).add(a)

    def find(self, ref: Ref) -> Ref:
        while self.parent[ref] != ref:
            self.parent[ref] = self.parent[self.parent[ref]]
            ref = self.parent[ref]
        return ref

    def join(self, left: Ref, right: Ref) -> bool:
        a, b = self.find(left), self.find(right)
        if a == b:
            return True
        small, large = sorted((self.members[a], self.members[b]), key=len)
        keys = {key for key, _ in large}
        if any(key in keys for key, _ in small):
            return False
        if any(other in self.apart.get(ref, ()) for ref in small for other in large):
            return False
        root = self.find(large[0])
        for ref in (a, b):
            self.parent[ref] = root
        large.extend(small)
        self.members[root] = large
        return True


def _order(segments: Sequence[SegmentTracks]) -> dict[Ref, int]:
    """Every track's place in the order of segments, in each by first keyframe, then as given."""
    order: dict[Ref, int] = {}
    for segment in segments:
        for track in sorted(segment.tracks.tracks, key=lambda t: t.frames[:1].tolist()):
            order[segment.key, track.id] = len(order)
    return order


def _assemble(
    segments: Sequence[SegmentTracks], joins: Sequence[Join], verdicts: Mapping[frozenset[Ref], bool]
) -> tuple[list[Join], list[Pair], list[list[Ref]]]:
    """Verdicts first, then joins by confidence; what would put two tracks of one segment together is left out."""
    order = _order(segments)
    components = _Components(list(order), [pair for pair, same in verdicts.items() if not same])
    kept: list[Join] = []
    refused: list[Pair] = []
    must = [sorted(p, key=lambda r: order.get(r, -1)) for p, same in verdicts.items() if same and len(p) == 2]
    for left, right in sorted(must):
        if left not in order or right not in order:
            continue
        if components.join(left, right):
            kept.append(Join(left, right, "border", 1.0, False, decided=True))
        else:
            refused.append((left, right))
    for join in sorted(joins, key=lambda j: (-j.confidence, j.left, j.right)):
        if join.left in order and join.right in order and not join.decided and components.join(join.left, join.right):
            kept.append(join)
    kept.sort(key=lambda j: (order[j.left], order[j.right]))
    groups: dict[Ref, list[Ref]] = {}
    for ref in order:
        groups.setdefault(components.find(ref), []).append(ref)
    return kept, refused, list(groups.values())


def _name(
    components: Sequence[list[Ref]], previous: Stitched | None, fresh: Collection[str]
) -> tuple[dict[Ref, int], int]:
    """A number for each component: the one that most of its unchanged tracks had, else a new one."""
    old = previous.identities if previous else {}
    following = previous.next_identity if previous else 1
    claims = []
    for index, members in enumerate(components):
        votes: dict[int, int] = {}
        for ref in members:
            if ref in old:
                votes[old[ref]] = votes.get(old[ref], 0) + (1 if ref[0] in fresh else len(components) + 1)
        claims += [(-count, index, number) for number, count in votes.items()]
    names: dict[int, int] = {}
    taken: set[int] = set()
    for _, index, number in sorted(claims):
        if index not in names and number not in taken:
            names[index] = number
            taken.add(number)
    identities = {}
    for index, members in enumerate(components):
        if index not in names:
            names[index] = following
            following += 1
        identities |= {ref: names[index] for ref in members}
    return identities, following
