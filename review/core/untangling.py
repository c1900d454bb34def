"""Who is who after objects met, where workers differ.

Idea: clusters say which boxes belong together on each frame, but not which of two who met is which afterwards: where a
track changes its cluster, either its worker confused two objects or the others did. At each such event every cluster
that comes in is weighed against every one that goes out: by the workers whose tracks lead from one to the other, and
by how well course and size go on (objects keep both; two who exchange their places on paper do not). The best
assignment of all of them at once stands, as in multiple-hypothesis tracking with one scan. Meetings that follow each
other are events of their own: together they would be read as one exchange, at a time when nobody made any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from annotation.core.matching import match
from annotation.core.tracks import Bools, Floats, Ints
from review.core.coursing import course_breaks, usual_errors
from review.core.membership import Members
from review.core.stacking import Stack

RUN = 5  # frames on either side that a track must spend in its clusters for a change to count
NEAR = 5  # frames from one change between clusters to the next within which they are one event
AROUND = 15  # frames on either side of an event on which a track says where it comes from and goes to
ENDS = 24.0  # log odds against an object's end just where another begins, each half of it as far as that one is heard
NOBODY = 2.2  # what a way through an event costs that no worker drew
RIGHT = 1.1  # log odds per track that a worker keeps to an object: nine in ten do not exchange two who meet
FRESH = 6  # frames from the beginning or end of a drawing on which it says nothing about an object's course
BREAK = 1.5  # what a broken course counts, by the logarithms of its parts: people do turn and stop


@dataclass(frozen=True, slots=True)
class Change:
    """A track that goes from one cluster to another at a frame."""

    track: int
    frame: int
    before: int
    after: int


@dataclass(frozen=True, slots=True, eq=False)
class _Flow:
    """What leads through an event: weight of the workers who go from each cluster in to each one out (k, k), and how
    far each is heard just before it (`comes`) and just after (`goes`), (k,): 1 where half of the workers drew it."""

    clusters: list[int]
    votes: Floats
    first: int
    last: int
    comes: Floats
    goes: Floats


def untangle(stack: Stack, member: Ints, weights: Floats) -> Ints:
    """Clusters (t, n) that carry on, through every event, as the likeliest story says."""
    run, near = stack.frames(RUN, 2), stack.frames(NEAR)
    changes = changes_of(member, run)
    events = events_of(changes, near)
    if not events:
        return member
    strength = weights / weights.mean()
    found, made = Members(member.copy()), _by_track(changes)
    usual = usual_errors(stack, member)
    settled: set[tuple[int, int]] = set()
    while events:
        event = events.pop(0)
        settled |= {(c.track, c.frame) for c in event}
        moved = _settle(stack, found, event, strength, usual)
        if len(moved):
            made |= {track: [] for track in moved.tolist()} | _by_track(changes_of(found.member[moved], run, moved))
            changes = sorted(chain.from_iterable(made.values()), key=_place)
            later = (e for e in events_of(changes, near) if e[-1].frame >= event[-1].frame)
            events = [e for e in later if not {(c.track, c.frame) for c in e} <= settled]
    return found.member


def changes_of(member: Ints, run: int, tracks: Ints | None = None) -> list[Change]:
    """Where tracks go from one cluster to another, (t, n), and spend `run` frames or more in each; by frame. `tracks`
    (t,) are their numbers, if they are not all."""
    track, frame = np.nonzero(member >= 0)
    path = member[track, frame]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(track) != 0) | (np.diff(path) != 0)])[: len(path)])
    lengths = np.diff(np.append(starts, len(path)))
    same = track[starts[1:]] == track[starts[:-1]]
    at = starts[1:][same & (np.minimum(lengths[1:], lengths[:-1]) >= run)]
    names = track[at] if tracks is None else tracks[track[at]]
    columns = (names.tolist(), frame[at].tolist(), path[at - 1].tolist(), path[at].tolist())
    return sorted((Change(*some) for some in zip(*columns, strict=True)), key=_place)


def _place(change: Change) -> tuple[int, int]:
    return change.frame, change.track


def _by_track(changes: Sequence[Change]) -> dict[int, list[Change]]:
    out: dict[int, list[Change]] = {}
    for change in changes:
        out.setdefault(change.track, []).append(change)
    return out


def events_of(changes: Sequence[Change], near_by: int) -> list[list[Change]]:
    """Changes that share a cluster, each within `near_by` frames of the one before, by the frame of the last."""
    events: list[list[Change]] = []  # where many meet all the time they are long: of two the shorter goes to the other
    latest: list[int] = []  # the place of an event's last change, -1 of one that is part of another
    into: list[int] = []
    last: dict[int, int] = {}  # the event that a cluster was in last
    for place, change in enumerate(changes):
        near = {_end(into, last[k]) for k in (change.before, change.after) if k in last}
        near = {e for e in near if change.frame - changes[latest[e]].frame <= near_by}
        if not near:
            near = {len(events)}
            into.append(len(events))
            events.append([])
            latest.append(place)
        event = max(near, key=lambda e: (len(events[e]), e))
        for other in near - {event}:
            events[event] += events[other]
            into[other], latest[other] = event, -1
        events[event].append(change)
        latest[event] = place
        last[change.before] = last[change.after] = event
    order = sorted((place, e) for e, place in enumerate(latest) if place >= 0)
    return [sorted(events[e], key=_place) for _, e in order]


def _end(into: Sequence[int], event: int) -> int:
    while into[event] != event:
        event = into[event]
    return event


def _settle(stack: Stack, found: Members, event: Sequence[Change], strength: Floats, usual: Floats) -> Ints:
    """Give what goes out of an event the numbers of what came in; the tracks of which that changes any."""
    clusters = sorted({k for c in event for k in (c.before, c.after)})
    tracks = found.tracks(clusters)
    owners, member = stack.owners[tracks], found.member[tracks]
    flow = _flow(stack, owners, member, event, strength)
    ends = ENDS / 2 * (flow.comes[:, None] + flow.goes)
    ways = likeliest(flow.votes, _motion(stack, tracks, member, flow, usual), ends)
    new = {clusters[j]: clusters[i] for i, j in ways}
    if all(old == number for old, number in new.items()):
        return tracks[:0]
    fresh = found.fresh
    when = np.zeros(fresh + 1, np.int64)
    for some in _exchanged(new):
        when[list(some)] = _middle(event, some)
    taken = set(new.values())
    for k in clusters:
        if k not in new and k in taken:
            new[k], fresh = fresh, fresh + 1
            when[k] = _middle(event, {k})
    turned = np.arange(member.shape[1]) >= when[member]
    for change in event:
        turned[np.searchsorted(tracks, change.track)] = np.arange(member.shape[1]) >= change.frame
    into = np.append(np.arange(fresh), -1)  # the last one is for where a track is absent
    into[list(new)] = list(new.values())
    for frame in range(event[0].frame, event[-1].frame):
        _turn_together(owners, member[:, frame], into, turned[:, frame])
    return found.put(tracks, np.where(turned, into[member], member))[0]


def _exchanged(new: Mapping[int, int]) -> list[set[int]]:
    """The clusters whose numbers go round among each other: an event may hold several such rounds."""
    rounds: list[set[int]] = []
    for pair in new.items():
        met = [r for r in rounds if r & set(pair)]
        rounds = [r for r in rounds if r not in met] + [set(pair).union(*met)]
    return rounds


def _middle(event: Sequence[Change], clusters: Collection[int]) -> int:
    """When some clusters were exchanged: in the middle of the changes among them, or at them, or of all."""
    sides = [(c.frame, (c.before in clusters) + (c.after in clusters)) for c in event]
    most = max(side for _, side in sides)
    return int(np.median([frame for frame, side in sides if side == most]))


def _turn_together(owners: Ints, member: Ints, into: Ints, turned: Bools) -> None:
    """Nobody has two boxes in one cluster on a frame: whose place another track of a worker takes turns as well.

    Clusters (t,) of one frame, what becomes of each, and whose number has turned (t,), in place.
    """
    while True:
        found = np.where(turned, into[member], member)
        key = np.where(found >= 0, owners * len(into) + found, -1 - np.arange(len(found)))
        taken = ~turned & np.isin(key, key[turned])
        if not taken.any():
            return
        turned |= taken


def _flow(stack: Stack, owners: Ints, member: Ints, event: Sequence[Change], strength: Floats) -> _Flow:
    """Where each track in the event's clusters is just before and just after it, from their clusters (r, n)."""
    clusters = sorted({k for c in event for k in (c.before, c.after)})
    first, last = event[0].frame, event[-1].frame
    around, run = stack.frames(AROUND, 3), stack.frames(RUN, 2)
    before, after = member[:, max(0, first - around) : first], member[:, last : last + around]
    inside = np.isin(before, clusters).any(axis=1) & np.isin(after, clusters).any(axis=1)
    said: dict[int, list[tuple[int, int]]] = {}
    for track in np.flatnonzero(inside).tolist():
        come = [k for k in before[track].tolist() if k >= 0][-1]
        go = [k for k in after[track].tolist() if k >= 0][0]
        if come in clusters and go in clusters:
            said.setdefault(int(owners[track]), []).append((clusters.index(come), clusters.index(go)))
    votes = np.zeros((len(clusters), len(clusters)))
    for owner, ways in said.items():
        np.add.at(votes, tuple(np.transpose(_all_said(ways, len(clusters)))), RIGHT * strength[owner])
    edges = member[:, max(0, first - run) : first], member[:, last : last + run]
    comes, goes = (_heard(owners, some, clusters, strength) for some in edges)
    return _Flow(clusters, votes, first, last, comes, goes)


def _all_said(ways: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """A worker's ways through an event of so many clusters, with the one that follows from all others.

    Whoever drew only one of two says with it which way the other went, as whoever drew both does.

    >>> _all_said([(0, 1)], 2)
    [(0, 1), (1, 0)]
    """
    comes, goes = (set(range(count)).difference(side) for side in zip(*ways, strict=True))
    if len(ways) == count - 1 and len(comes) == len(goes) == 1:
        return [*ways, (comes.pop(), goes.pop())]
    return ways


def _heard(owners: Ints, member: Ints, clusters: Sequence[int], strength: Floats) -> Floats:
    """How far clusters are heard on some frames (r, f), from 0 to 1, (k,).

    What one of many drew there is a stray end of a drawing rather than an object, and may end.
    """
    heard = (np.unique(owners[(member == k).any(axis=1)]) for k in clusters)
    shares = np.array([strength[some].sum() for some in heard]) / (strength.sum() / 2)
    return np.minimum(1.0, shares) ** 2


def _motion(stack: Stack, tracks: Ints, member: Ints, flow: _Flow, usual: Floats) -> Floats:
    """What each way through an event costs in broken courses, (k, k); the mean of the others' where
    unknown; what nobody drew costs more, and is impossible where nothing speaks for it. `member` (r, n) is of the
    `tracks` in its clusters."""
    event, clusters = np.array([[flow.first, flow.last]]), np.array([flow.clusters])
    member = _without_fresh(stack, tracks, member, flow)
    cost = BREAK * course_breaks(stack, tracks, member, clusters, event, usual)[0]
    known = ~np.isnan(cost)
    cost = np.where(known, cost, cost[known].mean() if known.any() else 0.0)
    return np.where(flow.votes > 0, cost, np.where(known, cost + NOBODY, np.inf))


def _without_fresh(stack: Stack, tracks: Ints, member: Ints, flow: _Flow) -> Ints:
    """Clusters (r, n) of some tracks without what began just before an event or ends just after it.

    Nobody knows to the frame when an object comes or goes, so such boxes are often of nothing that is there, and a
    straight line from them to the next keyframe is nobody's course.
    """
    fresh, n = stack.frames(FRESH), member.shape[1]
    present = stack.present[tracks]
    first, last = present.argmax(axis=1), n - 1 - present[:, ::-1].argmax(axis=1)
    member = member.copy()
    member[(first < flow.first) & (first >= max(1, flow.first - fresh)), : flow.first] = -1
    member[(last >= flow.last) & (last < min(n - 1, flow.last + fresh)), flow.last :] = -1
    return member


def likeliest(votes: Floats, motion: Floats, ends: Floats | float = ENDS) -> list[tuple[int, int]]:
    """Which ways in go on in which ways out, the likeliest story of all at once, (k, k) each → pairs of row and column.

    What costs more than an end beside a beginning is told as those.
    """
    return [(i, j) for i, j in match(np.where(np.isfinite(motion), votes - motion + ends, 0.0)).pairs.tolist()]
