"""Dividing beside the same as it is said: frame by frame, who follows one thing across and whose drawing ends there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Track, Tracks, make_track
from review.core.dividing import GAP, LEAST, NEAR, RESUMED, SAME, divide
from review.core.stacking import Stack, stack

FRAMES = 24
Box = list[float]
Parts = set[frozenset[tuple[int, int]]]  # clusters, as the tracks and frames that they hold


def alike(a: Box, b: Box) -> float:
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (both - shared) if both > shared else 0.0


@dataclass
class Drawing:
    """A worker's drawing of a cluster: its boxes by frame, in one piece or more, and where it is in other clusters."""

    owner: int
    boxes: dict[int, Box]
    away: set[int]
    pieces: list[set[int]] = field(default_factory=list)

    @property
    def first(self) -> int:
        return min(self.boxes)

    @property
    def last(self) -> int:
        return max(self.boxes)

    def course(self, at: int, window: int, when: float) -> Box:
        """Where it would be by a line, shrunk a little, through the frames around its first or last one."""
        near = [f for f in self.boxes if abs(f - at) <= window]
        middle = sum(near) / len(near)
        lever = 1 + sum((f - middle) ** 2 for f in near)
        mean = [sum(self.boxes[f][e] for f in near) / len(near) for e in range(4)]
        slope = [sum((f - middle) * self.boxes[f][e] for f in near) / lever for e in range(4)]
        return [m + s * (when - middle) for m, s in zip(mean, slope, strict=True)]

    def goes_on_as(self, other: Drawing, window: int) -> float:
        """IoU, in the middle between them, of where it was going and where a later one came from."""
        when = (self.last + other.first) / 2
        if other.first <= self.last:
            return 0.0
        return alike(self.course(self.last, window, when), other.course(other.first, window, when))


def drawings(block: Stack, cells: frozenset[tuple[int, int]], window: int, gap: int) -> list[Drawing]:
    """What each worker drew of a cluster, a piece that goes on where the one before was going being of one drawing."""
    rows: dict[int, dict[int, Box]] = {}
    for t, f in sorted(cells):
        rows.setdefault(t, {})[f] = block.boxes[t, f].tolist()
    pieces = []
    for t, boxes in rows.items():
        away = {*np.flatnonzero(block.present[t]).tolist()} - {*boxes}
        pieces.append(Drawing(int(block.owners[t]), boxes, away, [{*boxes}]))
    pieces.sort(key=lambda one: (one.owner, one.first))
    out: list[Drawing] = []
    before: Drawing | None = None
    for one in pieces:
        same = before is not None and before.owner == one.owner and 0 < one.first - before.last <= gap
        if same and before.goes_on_as(one, window) >= SAME:
            whole = out[-1]
            out[-1] = Drawing(one.owner, whole.boxes | one.boxes, whole.away | one.away, whole.pieces + one.pieces)
        else:
            out.append(one)
        before = one
    taken = [{*one.boxes} for one in out]
    return [Drawing(o.owner, o.boxes, o.away - here, o.pieces) for o, here in zip(out, taken, strict=True)]


def margin(some: list[Drawing], f: int, weights: list[float], least: int, near: int) -> float:
    """By how much those who say that the cluster ends before a frame outweigh those who lead across it."""

    def leads(first: int, last: int) -> bool:
        return first <= f - least and last >= f + least - 1

    ends = [d.last < f + least - 1 and f - d.last <= near for d in some]
    begins = [d.first > f - least and d.first - f < near for d in some]
    goes, came = [any(a > d.last for a in d.away) for d in some], [any(a < d.first for a in d.away) for d in some]
    handed = any(map(all, zip(ends, goes, strict=True))) and any(map(all, zip(begins, came, strict=True)))
    follow, stop, start = set(), [], []
    for d, e, b, g, c in zip(some, ends, begins, goes, came, strict=True):
        if leads(d.first, d.last) or (e and b and d.first < f <= d.last):
            follow.add(d.owner)
        stop += [d] * (e and not g and not (b and d.last >= f))
        start += [d] * (b and not c and not (e and d.first < f))
    in_one = any(leads(min(piece), max(piece)) for d in some for piece in d.pieces)
    across = against = 0.0
    for owner in {d.owner for d in some}:
        mine = [(a, b) for a in stop for b in start if a.owner == b.owner == owner and a is not b]
        parts = any(d.owner == owner for d in stop) and any(d.owner == owner for d in start)
        if owner in follow:
            across += weights[owner]
        elif parts and not (in_one and any(a.goes_on_as(b, least) >= RESUMED for a, b in mine)):
            against += weights[owner]
    return against - across if across > 0 or handed else np.inf


def cut(some: list[Drawing], weights: list[float], least: int, near: int) -> int | None:
    """The frame before which a cluster should be cut: of equals where the fewest drawings lie across, in the middle."""
    known = {f for d in some for f in d.boxes}
    frames = range(min(known) + least, max(known) + 2 - least)
    if not frames or len({d.first for d in some}) == 1:
        return None
    margins = {f: margin(some, f, weights, least, near) for f in frames}
    best = [f for f, found in margins.items() if found == max(margins.values())]
    crossing = {f: sum(f in d.boxes and f - 1 in d.boxes for d in some) for f in best}
    fewest = [f for f in best if crossing[f] == min(crossing.values())]
    return fewest[len(fewest) // 2] if margins[best[0]] > 1e-9 else None


def naive(block: Stack, cells: frozenset[tuple[int, int]], weights: list[float]) -> Parts:
    """What becomes of one cluster."""
    least = block.frames(LEAST, 2)
    tracks = {t: [f for s, f in cells if s == t] for t, _ in cells}
    at = (
        cut(drawings(block, cells, least, block.frames(GAP, 2)), weights, least, block.frames(NEAR, 3))
        if len(tracks) > 1
        else None
    )
    if at is None:
        return {cells}
    late = set()
    for t, own in tracks.items():
        after = [f for f in own if f >= at]
        if min(len(after), len(own) - len(after)) < least:  # hardly on one side: whole on the other
            after = own if len(after) > len(own) / 2 else []
        late |= {(t, f) for f in after}
    if not late or late == cells:
        return {cells}
    return naive(block, frozenset(late), weights) | naive(block, cells - late, weights)


def parts_of(member: np.ndarray) -> Parts:
    return {frozenset(map(tuple, np.argwhere(member == k).tolist())) for k in np.unique(member[member >= 0])}


def walked(start: int, stop: int, x: float, speed: float) -> Track:
    """A drawing of some frames, of what moves across."""
    frames = np.arange(start, min(stop + 1, FRAMES))
    corner = x + speed * frames
    return make_track(
        "", "car", frames, np.stack([corner, 0 * corner, corner + 40, 0 * corner + 60], axis=1), outside=frames == stop
    )


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1))
def test_clusters_are_cut_where_most_say_that_they_end(seed: int):
    rng = np.random.default_rng(seed)
    crowd = []
    for _ in range(rng.integers(1, 6)):
        tracks, at, speed = [], int(rng.integers(0, 6)), rng.choice([0.0, 3.0])
        while at < FRAMES and len(tracks) < 3:
            stop = min(FRAMES, at + int(rng.choice([1, 3, 6, 9, 21])))
            tracks.append(walked(at, stop, rng.choice([0.0, 4.0, 12.0, 25.0]), speed))
            at = stop + int(rng.choice([0, 1, 4, 14]))
        crowd.append(Tracks(0, FRAMES, tuple(tracks)))
    block, weights = stack(crowd, 0, FRAMES), rng.choice([0.5, 1.0, 1.2], len(crowd))
    elsewhere = (np.arange(FRAMES) >= rng.integers(5, FRAMES)) ^ (rng.random((len(block.tracks), 1)) < 0.5)
    member = np.where(block.present, elsewhere & (rng.random((len(block.tracks), 1)) < 0.3), -1).astype(np.int64)
    want: Parts = set()
    for cells in parts_of(member):
        want |= naive(block, cells, weights.tolist())
    found = divide(block, member, weights)
    assert parts_of(found) == want
    assert np.array_equal(found >= 0, block.present)
