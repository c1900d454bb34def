"""Join the tracks of neighbouring segments into full-video tracks.

Each border between two segments is solved at once: the assignment that makes the summed similarity of its pairs (see
`linking`) largest, above a gate. What is left open is then linked over absences (see `absences`), in one assignment
over the whole video. A join that an almost equally good assignment would do without is doubtful: the best guess stands,
marked, and a reviewer is asked. Reviewers' verdicts are binding. The joins make a graph whose components are the
identities; a component never holds two tracks of one segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise, permutations

import numpy as np

from annotation.core.absences import read_ends, weigh_absences
from annotation.core.choosing import GATE, Candidates, choose, judge, typical_error
from annotation.core.identities import Components, in_order, name
from annotation.core.joins import Join, Pair, Ref, SegmentTracks, Stitched
from annotation.core.linking import REACH, see, weigh

__all__ = ["Join", "Pair", "Ref", "SegmentTracks", "Stitched", "join_borders", "stitch"]

TOGETHER = 16  # borders computed at once

Verdicts = Mapping[frozenset[Ref], bool]


def stitch(
    segments: Sequence[SegmentTracks],
    *,
    decided: Mapping[Pair, bool] | None = None,
    previous: Stitched | None = None,
    changed: Collection[str] = (),
) -> Stitched:
    """Joins and identities of a video's segments.

    With `previous`, only borders that touch a segment named in `changed` (or not known to `previous`) or that have a
    new verdict are computed, and identities keep their numbers. `decided` maps a pair of tracks to a reviewer's
    verdict, True for same: all verdicts that stand, not only new ones.
    """
    ordered = sorted(segments, key=lambda s: (s.start, s.stop, s.key))
    verdicts = {frozenset(pair): same for pair, same in (decided or {}).items()}
    fresh = set(changed) | _unknown(ordered, previous)
    judged = _judged_anew(verdicts, previous)
    borders = [
        (left, right)
        for left, right in pairwise(ordered)
        if left.key in fresh or right.key in fresh or frozenset((left.key, right.key)) in judged
    ]
    joins = join_borders(borders, verdicts)
    if previous is not None:
        old = (j for j in previous.joins if j.kind == "border" and not j.decided)
        joins += [j for j in old if not _keys(j) & fresh and _keys(j) not in judged]
    order = in_order(ordered)
    components = Components(order, [pair for pair, same in verdicts.items() if not same])
    kept, refused = _bind(components, order, verdicts)
    usual = typical_error(joins)
    kept += _keep(components, sorted(judge(joins, usual), key=lambda j: (-j.confidence, j.left, j.right)))
    kept += _keep(components, _join_absences(ordered, components, usual))
    kept.sort(key=lambda j: (order[j.left], order[j.right]))
    identities, following = name(components.groups(), previous, fresh)
    return Stitched(tuple(kept), identities, len(borders), following, tuple(refused))


def _unknown(segments: Sequence[SegmentTracks], previous: Stitched | None) -> set[str]:
    known = {key for key, _ in previous.identities} if previous else set()
    return {s.key for s in segments if s.tracks.tracks and s.key not in known}


def _keys(join: Join) -> frozenset[str]:
    return frozenset((join.left[0], join.right[0]))


def _judged_anew(verdicts: Verdicts, previous: Stitched | None) -> set[frozenset[str]]:
    """Pairs of segments between which verdicts are not those that `previous` was made with."""
    if previous is None:
        return set()
    joined = {frozenset((j.left, j.right)): j for j in previous.joins}
    out = {_keys(j) for pair, j in joined.items() if j.decided and not verdicts.get(pair, False)}
    for pair, same in verdicts.items():
        if (pair in joined and joined[pair].decided) if same else pair not in joined:
            continue
        out.add(frozenset(key for key, _ in pair))
    return out


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


def join_borders(borders: Sequence[tuple[SegmentTracks, SegmentTracks]], verdicts: Verdicts) -> list[Join]:
    """The best joins at borders between neighbouring segments; pairs with a verdict are left to it.

    Borders are independent of each other; those with equally long overlaps are computed together, some at a time.
    """
    by_overlap: dict[int, list[tuple[SegmentTracks, SegmentTracks]]] = {}
    for left, right in borders:
        by_overlap.setdefault(max(0, left.stop - right.start), []).append((left, right))
    joins: list[Join] = []
    for overlap, group in by_overlap.items():
        for at in range(0, len(group), TOGETHER):
            some = group[at : at + TOGETHER]
            neighbours = {(left.key, right.key) for left, right in some}
            joins += choose(_open(_weigh(some, overlap), neighbours, verdicts), "border")
    return joins


def _weigh(borders: Sequence[tuple[SegmentTracks, SegmentTracks]], overlap: int) -> Candidates:
    """The candidates of borders whose segments share `overlap` frames."""
    lefts, rights = zip(*borders, strict=True)
    starts = [left.stop - overlap - REACH for left in lefts]
    width = overlap + 2 * REACH
    a, b = see(lefts, starts, width, forward=True), see(rights, starts, width, forward=False)
    evidence = weigh(a, b, slice(REACH, REACH + overlap))
    apart = (evidence.error, evidence.nearest)
    return Candidates(a.refs, b.refs, evidence.left, evidence.right, evidence.similarity, evidence.shared, *apart)


def _open(candidates: Candidates, neighbours: Collection[tuple[str, str]], verdicts: Verdicts) -> Candidates:
    """Candidates without those that a verdict has settled: what is the same or different is no longer open."""
    if not verdicts:
        return candidates
    c = candidates
    same = [(a, b) for pair, same in verdicts.items() if same for a, b in permutations(pair, 2)]
    settled = [(a, b) for a, b in same if (a[0], b[0]) in neighbours]
    left, right = {a for a, _ in settled}, {b for _, b in settled}
    pairs = [(c.rows[i], c.columns[j]) for i, j in zip(c.i, c.j, strict=True)]
    return c.only([a not in left and b not in right and frozenset((a, b)) not in verdicts for a, b in pairs])


def _join_absences(segments: Sequence[SegmentTracks], components: Components, usual: float) -> list[Join]:
    """Links between components' open ends over the whole video."""
    at = {(s.key, t.id): (s, t) for s in segments for t in s.tracks.tracks}
    groups = [[at[ref] for ref in group] for group in components.groups()]
    tails, heads = read_ends(groups, last=True), read_ends(groups, last=False)
    i, j, similarity = weigh_absences(tails, heads, usual / 2**0.5, GATE)
    none = np.zeros(len(i))
    candidates = Candidates(tails.refs, heads.refs, i, j, similarity, none.astype(np.int64), none, none)
    may = [components.may_join(tails.refs[a], heads.refs[b]) for a, b in zip(i, j, strict=True)]
    return judge(choose(candidates.only(may), "gap"), usual)
