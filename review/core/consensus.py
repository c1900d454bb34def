"""The consensus of one segment: several workers' tracks to one set that can be trusted.

Idea: fill, find which boxes show one object on every frame (`clustering`), ask whether it exists (`existing`), when and
where it is (`fusing`, `inbetweening`), how sure that is (`calibration`), and draw it with few keyframes (`drawing`).
Submissions are never changed; a consensus names what it was made of, and by which method and version.
Sources: Vondrick 2013, Branson 2017, Braylan & Lease 2020 and 2022; every choice is studied in docs/methods.md and
docs/studies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Bools, Dense, Floats, Ints, Track, Tracks, fill
from crowd.core.skill import Skill
from crowd.core.stopping import votes_needed
from review.core.agreeing import agreements, timed
from review.core.calibration import SINGLE, confidences, features, purity
from review.core.clustering import cluster
from review.core.coursing import moves
from review.core.drawing import Objects, draw_tracks
from review.core.existing import FALSE_ALARM, HIT, drawn_twice, log_odds, odds_by_length, supporters, vote_counts
from review.core.fusing import EDGE, fuse, vote_presence
from review.core.inbetweening import inbetween
from review.core.intervals import group_marks, merge_intervals
from review.core.marking import judge, renamed, with_events
from review.core.neighbouring import level, witnesses
from review.core.risking import FINDS, OF_ITS_OWN, Known, Worth, expected_gain
from review.core.stacking import Stack, stack

METHOD = "evidence-clustering"
VERSION = 19
SPREAD = 0.05  # error of a box's edge as a share of its side, of a worker of whom nothing is known
MIN_WEIGHT = 0.05
WITNESS = 3.0  # log odds for an object that a neighbouring segment's consensus has too
FAR = 0.5  # mean IoU of the workers' boxes with the fused one under which a frame is disputed


@dataclass(frozen=True)
class Submission:
    """What one worker drew of a segment, and how far the worker is to be trusted, if that is known."""

    id: str
    worker: str
    tracks: Tracks
    skill: Skill | None = None


@dataclass(frozen=True)
class Rule:
    """What decides whether an object exists; see `make_consensus`."""

    quorum: Fraction
    lone: bool
    around: tuple[Tracks, ...]
    worth: Worth


@dataclass(frozen=True)
class Consensus:
    """`tracks` with confidence, support (submission ids) and disputes; `scores` is how like it each submission is."""

    tracks: Tracks
    agreement: float
    confidence: float
    scores: dict[str, float]
    method: str = METHOD
    version: int = VERSION
    risk: float = 0.0  # expected number of objects that it has and should not, or the reverse
    gain: float = 0.0  # share of it that one more worker is expected to put right; see `risking` and `marking`


def make_consensus(
    submissions: Sequence[Submission],
    start: int,
    stop: int,
    *,
    quorum: Fraction = Fraction(1, 2),
    lone: bool = False,
    around: Sequence[Tracks] = (),
    worth: Worth = OF_ITS_OWN,
) -> Consensus:
    """The consensus of the frames `[start, stop)`; with one submission it is what was drawn.

    Workers whose weight is 0 have no say, as long as others are left. With `lone`, what a single one of several
    workers drew exists if the odds are for it. `around` is what is known of neighbouring segments: an object that goes
    on in the frames shared with one has a witness more, and is moved to where both meet (`neighbouring`). `worth` says
    what one more worker's gain is counted in.
    """
    ordered = sorted(submissions, key=lambda s: (s.worker, s.id))
    trusted = [s for s in ordered if s.skill is None or s.skill.weight > 0] or ordered
    if len(ordered) <= 1:
        alone = _as_drawn(ordered, start, stop)
        return _scored(alone, fill(alone.tracks, start, stop), ordered, _means(ordered))
    weights = np.array([1.0 if s.skill is None else max(s.skill.weight, MIN_WEIGHT) for s in trusted])
    block = stack([s.tracks for s in trusted], start, stop)
    objects, moved, certain, gain = _objects(block, trusted, weights, Rule(quorum, lone, tuple(around), worth))
    names = [s.id for s in trusted]
    tracks = draw_tracks(block, replace(objects, boxes=moved), weights, names)
    drawn = [renamed(block, s.tracks, w, objects.member) for w, s in enumerate(trusted)]
    count, workers = votes_needed(quorum, len({s.worker for s in trusted})), [s.worker for s in trusted]
    intervals = merge_intervals(drawn, count, weights.tolist(), workers)
    sure = certain if len(certain) else 1 - np.prod(1 - _means(trusted), keepdims=True)
    if groups := group_marks(drawn, workers):
        events = judge(groups, workers, [s.skill for s in trusted], count)
        gain = with_events(gain, certain, len(tracks), events)
        sure = np.concatenate([sure, events.certain]) if tracks else sure
    # How far workers agree has nothing to do with neighbours, or with what nobody saw: they are scored before.
    made = _scored(Tracks(start, stop, tracks, intervals), _dense(tracks, objects, start), ordered, sure)
    return replace(made, gain=gain)


def _dense(tracks: Sequence[Track], objects: Objects, start: int) -> Dense:
    """The objects as their workers' boxes make them."""
    ids, labels = tuple(t.id for t in tracks), tuple(t.label for t in tracks)
    boxes = np.where(objects.present[..., None], objects.boxes, np.nan)
    return Dense(start, ids, labels, boxes, objects.present, objects.present & False)


def _as_drawn(submissions: Sequence[Submission], start: int, stop: int) -> Tracks:
    if not submissions:
        return Tracks(start, stop)
    only = submissions[0]
    sure = float(_means(submissions)[0])
    tracks = (replace(t, confidence=sure, support=(only.id,), disputes=()) for t in only.tracks.tracks)
    return Tracks(start, stop, tuple(tracks), only.tracks.intervals)


def _means(submissions: Sequence[Submission]) -> Floats:
    """How far each is to be trusted alone, (w,); nobody is not trusted at all."""
    return np.array([SINGLE if s.skill is None else s.skill.mean for s in submissions] or [0.0])


def _objects(
    block: Stack, submissions: Sequence[Submission], weights: Floats, rule: Rule
) -> tuple[Objects, Floats, Floats, float]:
    """The objects that exist, their boxes moved to where they were between keyframes and neighbours meet, how sure it
    is of every cluster that it does or does not, and what one more is worth."""
    member = cluster(block, weights)
    boxes, drawn = _by_cluster(block, member)
    away = _elsewhere(block, member, drawn)
    votes = supporters(drawn)
    frames = drawn.any(axis=1).sum(axis=1)
    exists, odds = _exist(votes, frames, submissions, rule, witnesses(boxes, block.start, rule.around))
    named = _named(block, member, len(votes))
    twice = drawn_twice(boxes, drawn, named)
    exists, odds = exists & ~twice, np.where(twice, -np.inf, odds)
    everything, counts = votes, _wide(boxes, drawn, rule.worth.narrow)
    boxes, drawn, away, votes = boxes[exists], drawn[exists], away[exists], votes[exists]
    strength = votes * weights
    present = vote_presence(drawn, strength, away)
    spreads = np.array([SPREAD if s.skill is None else s.skill.spread for s in submissions])
    mean, heard = fuse(np.where(drawn[..., None], boxes, np.nan), spreads)
    fused, between = _bridge(mean, present), inbetween(block, _numbered(member, np.flatnonzero(exists)), mean, heard)
    between = fused if between is mean else _bridge(between, present)
    seen = features(boxes, drawn, odds[exists], fused, present, purity(member, len(exists))[exists])
    sure = confidences(seen)
    off = np.zeros(len(exists))
    off[exists] = 1 - seen[:, 1]
    halved = np.zeros(len(exists))
    halved[exists] = _halved(drawn, votes[..., None] & ~away, block.frames(EDGE))
    known = Known(odds, exists, everything, _tied(named), off, frames * counts, halved * counts)
    gain = expected_gain(known, _hits(submissions), rule.worth)
    there = present.any(axis=1)
    order = np.array(sorted(np.flatnonzero(there), key=lambda k: _place(fused[k], present[k])), np.int64)
    disputed = present & (_doubt(boxes, drawn, strength, fused) > 0)
    certain = np.concatenate([sure[there], 1 / (1 + np.exp(odds[~exists]))])
    moved = level(heard.boxes, between, block.start, rule.around)
    number = _numbered(member, np.flatnonzero(exists)[order])
    kept = Objects(number, fused[order], present[order], disputed[order], votes[order], sure[order])
    return kept, moved[order], certain, gain


def _numbered(member: Ints, clusters: Ints) -> Ints:
    """Tracks' clusters (t, n) by their places in the list `clusters`, -1 for those that are not in it."""
    number = np.full(max(int(member.max(initial=-1)), int(clusters.max(initial=-1))) + 2, -1)
    number[clusters] = np.arange(len(clusters))
    return number[member]


def _hits(submissions: Sequence[Submission]) -> Floats:
    """The chance that each finds what is there, (w,)."""
    return np.array([FINDS if s.skill is None else s.skill.hit for s in submissions])


def _by_cluster(block: Stack, member: Ints) -> tuple[Floats, Bools]:
    """Boxes of each worker in each cluster, (k, w, n, 4) with NaN, and where there is one, (k, w, n)."""
    names, flat = np.unique(member[member >= 0], return_inverse=True)
    member[member >= 0] = flat
    boxes = np.full((len(names), block.workers, member.shape[1], 4), np.nan)
    row, frame = np.nonzero(member >= 0)
    boxes[member[row, frame], block.owners[row], frame] = block.boxes[row, frame]
    return boxes, ~np.isnan(boxes[..., 0])


def _elsewhere(block: Stack, member: Ints, drawn: Bools) -> Bools:
    """Where a worker's drawing of a cluster is in another one, (k, w, n): who is who is in doubt, not what is there."""
    away = np.zeros_like(drawn)
    for row in np.flatnonzero(moves(member)).tolist():
        for k in np.unique(member[row][member[row] >= 0]).tolist():
            away[k, block.owners[row]] |= block.present[row] & (member[row] != k)
    return away & ~drawn


def _wide(boxes: Floats, drawn: Bools, narrow: float) -> Bools:
    """Which clusters' boxes, (k, w, n, 4), are wider than that in the mean, (k,)."""
    width = np.where(drawn, boxes[..., 2] - boxes[..., 0], 0.0).sum(axis=(1, 2))
    return width > narrow * drawn.sum(axis=(1, 2))


def _halved(drawn: Bools, asked: Bools, edge: int) -> Ints:
    """On how many frames half of those who were asked drew it, (k,): on `edge` frames before and after as well, since
    one more does not tell when it comes in."""
    half = (2 * drawn.sum(axis=1) == asked.sum(axis=1)) & drawn.any(axis=1)
    return (half[:, edge:-edge] & half[:, : -2 * edge] & half[:, 2 * edge :]).sum(axis=1)


def _named(block: Stack, member: Ints, clusters: int) -> Bools:
    """Which labels each worker gave each of k clusters, (k, w, l)."""
    named = np.zeros((clusters, block.workers, block.codes.max(initial=-1) + 1), bool)
    row, frame = np.nonzero(member >= 0)
    named[member[row, frame], block.owners[row], block.codes[row]] = True
    return named


def _tied(named: Bools) -> Bools:
    """Of which clusters (k,) two labels have the most votes, (k, w, l); who gives several has a voice for each."""
    count = np.sort(named.sum(axis=1), axis=1)
    return (count[:, -1] == count[:, -2]) & (count[:, -1] > 0) if count.shape[1] > 1 else np.zeros(len(named), bool)


def _exist(
    votes: Bools, frames: Ints, submissions: Sequence[Submission], rule: Rule, witness: Ints
) -> tuple[Bools, Floats]:
    """Which clusters are objects, by the quorum or by their odds, and those odds' logarithm."""
    workers = [s.worker for s in submissions]
    persons = sorted(set(workers))
    skills = [next((s.skill for s in submissions if s.worker == p), None) for p in persons]
    counted = vote_counts(votes, workers)
    hits = np.array([HIT if s is None else s.hit for s in skills])
    false_alarms = np.array([FALSE_ALARM if s is None else s.false_alarm for s in skills])
    lengths = [() if s is None else s.lengths for s in skills]
    odds = log_odds(counted, hits, false_alarms, frames) + WITNESS * witness + odds_by_length(frames, counted, lengths)
    count = counted.sum(axis=1) + witness
    enough = counted.sum(axis=1) >= votes_needed(rule.quorum, len(persons))
    known = all(s is not None for s in skills)
    likely = (odds > 0) & ((count > 1) | rule.lone)
    return (enough | likely) if known else enough, odds


def _place(boxes: Floats, present: Bools) -> tuple[float, ...]:
    """Objects are numbered by where and when they begin."""
    first = int(present.argmax())
    return (first, *boxes[first].tolist(), int(present.sum()))


def _bridge(boxes: Floats, present: Bools) -> Floats:
    """Boxes where presence was filled over a gap that nobody drew: linear between its ends; NaN where absent."""
    out = np.where(present[..., None], boxes, np.nan)
    at = np.arange(present.shape[1])
    for k in np.flatnonzero((present & np.isnan(boxes[..., 0])).any(axis=1)):
        known = ~np.isnan(out[k, :, 0])
        missing = present[k] & ~known
        for edge in range(4):
            out[k, missing, edge] = np.interp(at[missing], at[known], out[k, known, edge])
    return out


def _doubt(boxes: Floats, drawn: Bools, strength: Floats, fused: Floats) -> Floats:
    """1 on frames where over a third of the supporters say absent, or their boxes are far from the fused one."""
    total = strength.sum(axis=1)[:, None]
    absent = (~drawn * strength[..., None]).sum(axis=1) > total / 3 + 1e-9
    found = (iou_aligned(boxes, fused[:, None]) * drawn * strength[..., None]).sum(axis=1)
    seen = (drawn * strength[..., None]).sum(axis=1)
    return (absent | (found < FAR * seen)).astype(float)


def _scored(tracks: Tracks, merged: Dense, submissions: Sequence[Submission], certain: Floats) -> Consensus:
    """The consensus that `tracks` are, each submission scored by how like it is to `merged`."""
    drawn = {s.id: s.tracks for s in submissions}
    scores = agreements(drawn, tracks, merged)
    agreement = float(np.mean(list(scores.values()))) if scores else 1.0
    sure = float(np.mean(certain))
    if timed(tracks, drawn.values()):  # that there is no object says nothing of what happens
        sure *= agreement
    return Consensus(tracks, agreement, sure, scores, risk=float(np.sum(1 - certain)))
