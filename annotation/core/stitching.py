"""Join the tracks of neighbouring segments into full-video tracks.

Each border between two segments is solved at once: the assignment that makes the summed similarity of its pairs (see
`linking`) largest, above a gate. What is left open is then linked over absences (see `absences`), in one assignment
over the whole video. A join that an almost equally good assignment would do without is doubtful: the best guess stands,
marked, and a reviewer is asked. Reviewers' verdicts are binding. The joins make a graph whose components are the
identities; a component never holds two tracks of one segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from annotation.core.absences import read_ends, weigh_absences
from annotation.core.identities import Components, in_order, name
from annotation.core.joins import Join, Pair, Ref, SegmentTracks, Stitched
from annotation.core.linking import REACH, see, weigh
from annotation.core.matching import best_pairs
from annotation.core.tracks import Floats, Ints

__all__ = ["Join", "Pair", "Ref", "SegmentTracks", "Stitched", "join_border", "stitch"]

GATE = 0.3  # similarity under which two tracks are not joined
NOISE = 0.04  # taken for how far drawn edges are off where no joined tracks tell
MARGIN = 0.1  # similarity that the next best answer must lose, or the join is doubtful

Verdicts = Mapping[frozenset[Ref], bool]


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
    for left, right in pairwise(ordered):
        if previous is None or left.key in fresh or right.key in fresh:
            joins += join_border(left, right, verdicts)
            computed += 1
    if previous is not None:
        old = (j for j in previous.joins if j.kind == "border" and not j.decided)
        joins += [j for j in old if j.left[0] not in fresh and j.right[0] not in fresh]
    order = in_order(ordered)
    components = Components(order, [pair for pair, same in verdicts.items() if not same])
    kept, refused = _bind(components, order, verdicts)
    kept += _keep(components, sorted(joins, key=lambda j: (-j.confidence, j.left, j.right)))
    kept += _keep(components, _join_absences(ordered, components, noise(joins)))
    kept.sort(key=lambda j: (order[j.left], order[j.right]))
    identities, following = name(components.groups(), previous, fresh)
    return Stitched(tuple(kept), identities, computed, following, tuple(refused))


def _unknown(segments: Sequence[SegmentTracks], previous: Stitched | None) -> set[str]:
    known = {key for key, _ in previous.identities} if previous else set()
    return {s.key for s in segments if s.tracks.tracks and s.key not in known}


def _bind(components: Components, order: Mapping[Ref, int], verdicts: Verdicts) -> tuple[list[Join], list[Pair]]:
    """Joins by verdict, and the verdicts that cannot be kept."""
    kept, refused = [], []
    must = [sorted(p, key=lambda r: order[r]) for p, same in verdicts.items() if same and p <= order.keys()]
    for left, right in sorted(p for p in must if len(p) == 2):
        if components.join(left, right):
            kept.append(Join(left, right, "border", 1.0, False, decided=True))
        else:
            refused.append((left, right))
    return kept, refused


def _keep(components: Components, joins: Iterable[Join]) -> list[Join]:
    known = components.parent
    return [j for j in joins if j.left in known and j.right in known and components.join(j.left, j.right)]


def join_border(left: SegmentTracks, right: SegmentTracks, verdicts: Verdicts) -> list[Join]:
    """The best joins between two neighbouring segments; pairs with a verdict are left to it."""
    window = (min(right.start, left.stop) - REACH, left.stop + REACH)
    a = see(left.tracks.tracks, left.start, left.stop, window, forward=True)
    b = see(right.tracks.tracks, right.start, right.stop, window, forward=False)
    evidence = weigh(a, b, slice(REACH, REACH + max(0, left.stop - right.start)))
    table = np.zeros((len(a.ids), len(b.ids)))
    table[evidence.left, evidence.right] = evidence.similarity
    rows, columns = [(left.key, id) for id in a.ids], [(right.key, id) for id in b.ids]
    _apply(table, rows, columns, verdicts)
    i, j = np.nonzero(table > GATE)
    place = {(rows[i], columns[j]): at for at, (i, j) in enumerate(zip(evidence.left, evidence.right, strict=True))}
    joins = choose(i, j, table[i, j], rows, columns, "border")
    at = [place[join.left, join.right] for join in joins]
    return [
        replace(j, shared=int(evidence.shared[k]), error=float(evidence.error[k]))
        for j, k in zip(joins, at, strict=True)
    ]


def noise(joins: Iterable[Join]) -> float:
    """The standard deviation of a drawn edge in sides of its box, from how far the joined tracks lie apart."""
    errors = [j.error for j in joins if j.shared]
    return float(np.median(errors)) / 2**0.5 if errors else NOISE


def _join_absences(segments: Sequence[SegmentTracks], components: Components, noise: float) -> list[Join]:
    """Links between components' open ends over the whole video."""
    at = {(s.key, t.id): (s, t) for s in segments for t in s.tracks.tracks}
    groups = [[at[ref] for ref in group] for group in components.groups()]
    tails, heads = read_ends(groups, last=True), read_ends(groups, last=False)
    i, j, similarity = weigh_absences(tails, heads, noise, GATE)
    may = [components.may_join(tails.refs[a], heads.refs[b]) for a, b in zip(i, j, strict=True)]
    i, j, similarity = i[may], j[may], similarity[may]
    return choose(i, j, similarity, tails.refs, heads.refs, "gap")


def _apply(table: Floats, rows: Sequence[Ref], columns: Sequence[Ref], verdicts: Verdicts) -> None:
    """Write verdicts into a border's table: what is the same or different is no longer open."""
    row_of = {ref: i for i, ref in enumerate(rows)} if verdicts else {}
    column_of = {ref: j for j, ref in enumerate(columns)} if verdicts else {}
    for pair, same in verdicts.items():
        i = next((row_of[r] for r in pair if r in row_of), None)
        j = next((column_of[r] for r in pair if r in column_of), None)
        if i is None or j is None:
            continue
        if same:
            table[i, :] = 0.0
            table[:, j] = 0.0
        table[i, j] = 0.0


def choose(i: Ints, j: Ints, similarity: Floats, rows: Sequence[Ref], columns: Sequence[Ref], kind: str) -> list[Join]:
    """The candidates `(i, j)` that make the best assignment, as joins with what their best alternatives lose."""
    gain = np.maximum(similarity - GATE, 1e-9)
    picked = np.flatnonzero(best_pairs(i, j, gain)) if len(i) else []
    table = {(int(a), int(b)): float(g) for a, b, g in zip(i, j, gain, strict=True)}
    by_row: dict[int, list[int]] = {}
    by_column: dict[int, list[int]] = {}
    for a, b in table:
        by_row.setdefault(a, []).append(b)
        by_column.setdefault(b, []).append(a)
    partner = {int(i[k]): int(j[k]) for k in picked}
    holder = {b: a for a, b in partner.items()}
    joins = []
    for a, b in partner.items():
        others = [(table[a, c], table.get((holder.get(c, -1), b), 0.0), holder.get(c, -1), c) for c in by_row[a]]
        swaps = [g + (back - table[h, c] if h >= 0 else 0.0) for g, back, h, c in others if c != b]
        for c in by_column[b]:
            held = partner.get(c, -1)
            if c != a:
                swaps.append(table[c, b] + (table.get((a, held), 0.0) - table[c, held] if held >= 0 else 0.0))
        loss = table[a, b] - max([0.0, *swaps])
        rivals = [(columns[c], table[a, c] + GATE) for c in by_row[a] if c != b]
        rivals += [(rows[c], table[c, b] + GATE) for c in by_column[b] if c != a]
        rivals.sort(key=lambda r: (-r[1], r[0]))
        sure = min(1.0, table[a, b] + GATE)
        joins.append(Join(rows[a], columns[b], kind, sure, loss < MARGIN, loss, rivals=tuple(rivals)))
    return joins
