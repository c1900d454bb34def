"""Submissions of one task that are nearer to each other than independent hands come.

Idea: two hands err independently of each other, a copy errs as its source does. What two drew of an object is compared
by its offset: the mean over frames of the signed difference of the edges, as a share of the side, so that jitter which
was put on a copy averages out and a hand's own way of placing edges stays. The offset of two is held against theirs
from all third parties (gold among them) at the same object: where a scene is easy all are close, and nobody stands out.
Where there is nobody else, the workers' usual spread says how far two hands come apart, and much more is asked for.
Boxes that both left where a model had put them say nothing; a copy may be shifted by some frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.matching import match, track_iou
from annotation.core.tracks import Bools, Dense, Floats

FOUND = 0.3  # spatio-temporal IoU of tracks that show one object
SHIFTS = (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5)  # frames by which a copy may be displaced
SAMPLES = 60  # frames of a segment that are looked at
LEAST_FRAMES = 3
LEAST = 0.002  # share of the side under which a difference is none
UNTOUCHED = 0.004  # share of the side within which a box is still where it was given
STEADY_PART = 0.25  # how much of the unsigned difference is added to the offset
NEAR = 0.5  # share of the offset from third parties under which an object speaks for a copy
NEAR_ALONE = 0.15  # the same share of what the two workers' usual spreads say, where a scene may just be easy
MOST = 1.5  # what one object says at most, for a copy or against it
ALIKE = 2.5  # from this on two submissions are alike: two objects at least
ALIKE_AGAIN = 1.0  # the same, of two workers who are suspected already
TWICE, OFTEN = 2, 0.1  # on so many tasks, and on that share of those that both did, two must be alike to be suspected


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much speaks for one of two submissions being a copy: `score` over `objects`, and what it rests on.

    `difference` and `usual` are medians over the objects, shares of the side.
    """

    score: float
    objects: int
    difference: float
    usual: float


def likenesses(
    drawn: Sequence[Dense], spreads: Sequence[float], *, given: Dense | None = None, gold: Dense | None = None
) -> dict[tuple[int, int], Likeness]:
    """Every pair (i, j), i < j, of submissions of one task that drew a common object.

    `spreads` are the workers' usual errors of an edge as a share of its side, `given` is what everybody was shown to
    start from, `gold` a truth that stands for one more third party.
    """
    if len(drawn) < 2:
        return {}
    parties = [*drawn, *([gold] if gold is not None else [])]
    boxes = together(parties if given is None else [*parties, given])
    shown = None if given is None else boxes[-1]
    apart = offsets(boxes[: len(parties)], shown)
    found = {}
    for i in range(len(drawn)):
        for j in range(i + 1, len(drawn)):
            alone = float(np.hypot(spreads[i], spreads[j])) * _USUAL_OFFSET
            if (one := _likeness(apart, i, j, alone, len(drawn))) is not None:
                found[i, j] = one
    return found


def often(alike: int, met: int) -> bool:
    """Whether two who were alike on so many of the tasks on which they met are suspected; once is a coincidence."""
    return alike >= max(TWICE, OFTEN * met)


_USUAL_OFFSET = 0.8  # offset of two hands as a share of their common spread


def together(drawn: Sequence[Dense]) -> Floats:
    """Everybody's boxes by object, (n, k, frames, 4), NaN where absent: each is matched with all objects so far."""
    hub, rows = drawn[0], [np.arange(len(drawn[0].ids))]
    for one in drawn[1:]:
        pairs = match(track_iou(hub, one, labels=False), FOUND).pairs
        row = np.full(len(one.ids), -1)
        row[pairs[:, 1]] = pairs[:, 0]
        fresh = np.flatnonzero(row < 0)
        row[fresh] = len(hub.ids) + np.arange(len(fresh))
        hub = _joined(hub, one, fresh)
        rows.append(row)
    boxes = np.full((len(drawn), len(hub.ids), hub.present.shape[1], 4), np.nan)
    for i, (one, row) in enumerate(zip(drawn, rows, strict=True)):
        boxes[i, row] = one.boxes
    return boxes


def _joined(hub: Dense, one: Dense, fresh: np.ndarray) -> Dense:
    names = tuple(one.ids[i] for i in fresh), tuple(one.labels[i] for i in fresh)
    parts = ((hub.boxes, one.boxes), (hub.present, one.present), (hub.occluded, one.occluded))
    stacked = [np.concatenate([a, b[fresh]]) for a, b in parts]
    return Dense(hub.start, hub.ids + names[0], hub.labels + names[1], *stacked)


def offsets(boxes: Floats, given: Floats | None = None) -> Floats:
    """How far every two of n are apart at every object, (n, k, f, 4) → (n, n, k); NaN where that cannot be said.

    Each two are compared at the shift of frames at which they are nearest.
    """
    n, k, frames = boxes.shape[:3]
    out = np.full((n, n, k), np.nan)
    at = np.arange(0, frames, max(1, frames // SAMPLES))
    untouched = _untouched(boxes, given)
    for i in range(n - 1):
        best = np.full(n - i - 1, np.inf)
        for shift in SHIFTS:
            inside = at[(at + shift >= 0) & (at + shift < frames)]
            there = inside + shift
            both = untouched[i, :, inside].T & untouched[i + 1 :, :, there]
            offset, unsigned = _apart(boxes[i][:, inside], boxes[i + 1 :][:, :, there], both)
            total = _mean(unsigned, axis=1)
            nearer = total < best - 1e-9
            best = np.where(nearer, total, best)
            out[i, i + 1 :][nearer] = (offset + STEADY_PART * unsigned)[nearer]
    lower = np.tril_indices(n, -1)
    out[lower] = out.transpose(1, 0, 2)[lower]
    return out


def _untouched(boxes: Floats, given: Floats | None) -> Bools:
    """Which boxes (n, k, f) are where they were given; in a still submission of nothing given, none."""
    if given is None:
        return np.zeros(boxes.shape[:3], bool)
    side = np.tile(np.maximum(given[..., 2:] - given[..., :2], 1.0), 2)
    with np.errstate(invalid="ignore"):
        return np.all(np.abs(boxes - given) <= UNTOUCHED * side, axis=-1)


def _apart(a: Floats, b: Floats, ignored: Bools) -> tuple[Floats, Floats]:
    """Offset and mean unsigned difference per object of a (k, f, 4) and each of b (m, k, f, 4): two (m, k)."""
    side = np.tile(np.maximum(a[..., 2:] - a[..., :2], 1.0), 2)
    difference = np.where(ignored[..., None], np.nan, (b - a) / side)
    few = np.isfinite(difference[..., 0]).sum(axis=-1) < LEAST_FRAMES
    offset = np.abs(_mean(difference, axis=2)).mean(axis=-1)
    unsigned = _mean(np.abs(difference), axis=2).mean(axis=-1)
    return np.where(few, np.nan, offset), np.where(few, np.nan, unsigned)


def _mean(values: Floats, axis: int) -> Floats:
    """The mean of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _likeness(apart: Floats, i: int, j: int, alone: float, workers: int) -> Likeness | None:
    """What speaks for a copy between i and j; the first `workers` parties are people, gold may follow."""
    own = apart[i, j]
    rest = np.delete(np.arange(workers), [i, j])
    usual = _upper_median((apart[i, rest] + apart[j, rest]) / 2)
    for truth in apart[:, workers:].transpose(1, 0, 2):  # two who are both right need not have copied
        usual = np.fmin(usual, (truth[i] + truth[j]) / 2)
    compared = np.isfinite(own)
    if not compared.any():
        return None
    by_others = np.log(NEAR * (usual + LEAST)) - np.log(own + LEAST)
    by_spread = np.log(NEAR_ALONE * (alone + LEAST)) - np.log(own + LEAST)
    says = np.clip(np.fmax(by_others, by_spread), -MOST, MOST)
    expected = np.where(np.isfinite(usual), usual, alone)
    return Likeness(
        float(says[compared].sum()),
        int(compared.sum()),
        float(np.median(own[compared])),
        float(np.median(expected[compared])),
    )


def _upper_median(values: Floats) -> Floats:
    """Along axis 0, of what is known; of two the larger one, since a third party may itself be a copy."""
    ordered = np.sort(values, axis=0)  # NaN come last
    known = np.isfinite(values).sum(axis=0)
    if not len(values):
        return np.full(values.shape[1], np.nan)
    return np.take_along_axis(ordered, np.minimum(known // 2, len(values) - 1)[None], axis=0)[0]


def groups(alike: Sequence[tuple[int, int]], n: int) -> list[set[int]]:
    """Those of n that hang together by pairs, each group with two members or more.

    >>> groups([(0, 2), (2, 3)], 5)
    [{0, 2, 3}]
    """
    home = list(range(n))
    for i, j in alike:
        old, new = home[j], home[i]
        home = [new if h == old else h for h in home]
    found: dict[int, set[int]] = {}
    for member, h in enumerate(home):
        found.setdefault(h, set()).add(member)
    return [group for group in found.values() if len(group) > 1]
