"""When a worker exchanged objects.

Idea: where two or more of a worker's tracks change places among clusters, each was led to its best frame one after
the other (`clustering.reassign`), and none can come before the one whose place it takes has left: the first one's frame
became everybody's. Here they move to the frame that suits all of them best together. Who is who stays as it is. Where
one track changes its cluster just as another one begins or ends there, that one had to give or take its place, too: it
is the other half of an exchange, and what it drew of the object that it was until then, or from then on, was too little
to be led there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotation.core.tracks import Floats, Ints
from review.core.fitting import gains, weight_counts
from review.core.membership import Members
from review.core.stacking import Stack
from review.core.untangling import Change, changes_of, events_of

SAME = 1e-9  # IoU·frames that say nothing
Gains = Mapping[tuple[int, int], Floats]  # of a track in a cluster, (n,); nothing where nobody else is in it


def retime(stack: Stack, member: Ints, value: Floats, weights: Floats, *, halves: bool = False) -> Ints:
    """Clusters (t, n) whose exchanges are each at the best frame; `value` is of `stack.overlap`'s pairs.

    With `halves`, only those of which one half is a beginning or an end.
    """
    member = member.copy()
    for owner in range(stack.workers):
        rows = np.flatnonzero(stack.owners == owner)
        changes = changes_of(member[rows], 1)
        others = _other_halves(member[rows], changes)
        exchanges = [e for e in events_of(sorted(changes + others, key=lambda c: c.frame), 0) if len(e) > 1]
        if halves:
            exchanges = [e for e in exchanges if any(c in others for c in e)]
        if exchanges:
            own, counts = Members(member[rows]), weight_counts(stack, member, weights)
            for exchange in exchanges:
                asked = np.unique([c.track for c in exchange])
                tracks, clusters, gain = gains(stack, member, value, weights, rows[asked], counts)
                places = zip(np.searchsorted(rows, tracks).tolist(), clusters.tolist(), strict=True)
                _move(own, exchange, dict(zip(places, gain, strict=True)))
            member[rows] = own.member
    return member


def _other_halves(own: Ints, changes: Sequence[Change]) -> list[Change]:
    """Of one worker's clusters (t, n), what begins or ends just where another track takes or leaves its place."""
    there = own >= 0
    first, last = there.argmax(axis=1), own.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    rows = np.arange(len(own))
    left, taken = {(c.frame, c.before) for c in changes}, {(c.frame, c.after) for c in changes}
    out = []
    for c in changes:
        if (c.frame, c.after) in left or (c.frame, c.before) in taken:
            continue
        begins = (first == c.frame) & (own[rows, first] == c.before)
        ends = (last == c.frame - 1) & (own[rows, last] == c.after)
        for some in (begins, ends):
            if some.sum() == 1:
                out.append(Change(int(some.argmax()), c.frame, c.after, c.before))
                break
    return out


def _move(members: Members, exchange: Sequence[Change], found: Gains) -> None:
    """One exchange in one worker's clusters, in place, as far as nothing else changes in them."""
    own = members.member
    first, stop = _around(members, exchange)
    frame = exchange[0].frame
    if not first < frame < stop:  # none of its tracks was there just then, or some have moved meanwhile
        return
    none = np.zeros(own.shape[1])
    there = {c.track: own[c.track] >= 0 for c in exchange}
    worth = [
        there[c.track] * (found.get((c.track, c.before), none) - found.get((c.track, c.after), none)) for c in exchange
    ]
    total = np.cumsum(np.sum(worth, axis=0)[first : stop - 1])  # of leaving after each; one frame stays on either side
    best = total > total.max() - SAME
    if not best[frame - first - 1]:
        at = np.arange(own.shape[1])
        new = first + 1 + int(best.argmax())
        for c in exchange:
            path = own[c.track].copy()
            path[there[c.track] & (first <= at) & (at < new)] = c.before
            path[there[c.track] & (new <= at) & (at < stop)] = c.after
            members.put(np.array([c.track]), path[None])


def _around(members: Members, exchange: Sequence[Change]) -> tuple[int, int]:
    """The frames around an exchange on which its tracks are in its clusters, and no other of the worker's."""
    frame, tracks = exchange[0].frame, [c.track for c in exchange]
    came, went = np.array([c.before for c in exchange]), np.array([c.after for c in exchange])
    both = np.concatenate([came, went])
    others = np.setdiff1d(members.tracks(both.tolist()), tracks)
    alone = ~np.isin(members.member[others], both).any(axis=0)
    some = members.member[tracks]
    alone &= (some >= 0).any(axis=0)
    before = alone & ((some == came[:, None]) | (some < 0)).all(axis=0)
    after = alone & ((some == went[:, None]) | (some < 0)).all(axis=0)
    return frame - int(before[:frame][::-1].cumprod().sum()), frame + int(after[frame:].cumprod().sum())
