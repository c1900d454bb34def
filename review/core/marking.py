"""Events (intervals) beside objects: of which track they are, who marked which, and what one more worker is worth.

An event exists or was invented as an object does, and the same odds say which (`existing`): groups of intervals are in
the place of clusters. What differs is that two inventions meet in time more easily than in the picture as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from annotation.core.likeness import intervals_soft_f
from annotation.core.tracks import Bools, Floats, Interval, Ints, Tracks
from crowd.core.skill import Skill
from review.core.existing import FALSE_ALARM, HIT, log_odds
from review.core.intervals import Mark, middle
from review.core.risking import FINDS, Known, expected_gain
from review.core.stacking import Stack

BY_CHANCE = 0.1  # that another worker's invention lies at the same time under the same label


def renamed(block: Stack, tracks: Tracks, worker: int, number: Ints) -> list[Interval]:
    """A worker's intervals with the object's number in the place of the worker's own track; without those of a track
    that is no object, which would be events of the whole scene."""
    names: dict[str, str | None] = {}
    for row in np.flatnonzero(block.owners == worker).tolist():
        seen = number[row][number[row] >= 0]
        names[block.tracks[row].id] = str(int(np.bincount(seen).argmax()) + 1) if len(seen) else None
    named = [(i, None if i.track is None else names.get(i.track)) for i in tracks.intervals]
    return [replace(i, track=track) for i, track in named if i.track is None or track is not None]


def votes_of(groups: Sequence[Sequence[Mark]], workers: Sequence[str]) -> Bools:
    """Which of some workers marked each event, (k, w)."""
    who = [{m.worker for m in group} for group in groups]
    return np.array([[w in marked for w in workers] for marked in who], bool).reshape(len(groups), len(workers))


def lengths_of(groups: Sequence[Sequence[Mark]]) -> Ints:
    """On how many frames anybody marked each event, (k,)."""
    ends = ((min(m.interval.start for m in g), max(m.interval.stop for m in g)) for g in groups)
    return np.array([stop - start for start, stop in ends], np.int64)


class Events(NamedTuple):
    """Of k events: the share that one more worker is expected to put right, how many there are likely to be, and how
    sure it is of each that it exists or does not, (k,)."""

    gain: float
    number: float
    certain: Floats


def judge(
    groups: Sequence[Sequence[Mark]], workers: Sequence[str], skills: Sequence[Skill | None], needed: int
) -> Events:
    """What is known of groups of marks; `workers` and `skills` are by submission, and what `needed` marked exists."""
    persons = sorted(set(workers))
    known = [next(s for w, s in zip(workers, skills, strict=True) if w == person) for person in persons]
    votes = votes_of(groups, persons)
    hits = [None if s is None else s.event_hit for s in known]
    alarms = [None if s is None else s.event_false_alarm for s in known]
    odds = log_odds(votes, _or(hits, HIT), _or(alarms, FALSE_ALARM), lengths_of(groups), coincidence=BY_CHANCE)
    exists = votes.sum(axis=1) >= needed
    nothing, each = np.zeros(len(groups)), np.ones(len(groups))
    off = np.array([_off(group) for group in groups])
    gain = expected_gain(Known(odds, exists, votes, nothing.astype(bool), off, each, nothing), _or(hits, FINDS))
    return Events(gain, float(expit(odds).sum()), np.where(exists, expit(odds), expit(-odds)))


def with_events(gain: float, certain: Floats, objects: int, events: Events) -> float:
    """What one more worker is worth to objects and events together, by how many there are likely to be of either.

    `gain` is that of the boxes, `certain` how sure it is of every cluster, the first `objects` of which exist.
    """
    number = float(certain[:objects].sum() + (1 - certain[objects:]).sum())
    return (gain * number + events.gain * events.number) / (number + events.number)


def _or(values: Sequence[float | None], usual: float) -> Floats:
    return np.array([usual if value is None else value for value in values])


def _off(group: Sequence[Mark]) -> float:
    """Mean 1 − temporal IoU of the marks of an event with the event."""
    event = middle(group, np.ones(max(m.submission for m in group) + 1).tolist())
    return float(np.mean([1 - intervals_soft_f([m.interval], [event]) for m in group]))
