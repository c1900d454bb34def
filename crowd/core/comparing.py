"""How far two submissions of one task are apart, object by object, in what a copy keeps: places of edges, and ends.

What two drew of an object is compared by its offset, the median over frames of the signed difference of each edge as a
share of the side: jitter that was put on a copy averages out, a hand's own way of placing edges stays, and frames on
which a shifted copy lacks a keyframe are outvoted. The rest is how the difference moves about that median. Ends are the
first and last frame of an object: hands differ there, a copy keeps them all, each moved by the same number of frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.matching import match, track_iou
from annotation.core.tracks import Bools, Dense, Floats, Ints

FOUND = 0.3  # spatio-temporal IoU of tracks that show one object
SHIFTS = (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5)  # frames by which a copy may be displaced
COARSE, FINE = 20, 60  # frames of a segment that are looked at, to find the shift and then
LEAST_FRAMES = 3
LEAST = 0.002  # share of the side under which a difference is none
UNTOUCHED = 0.004  # share of the side within which a box is still where it was given
FAR = 0.2  # share of the side beyond which nothing more is said about the shift


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Everybody with everybody at each of k objects, (n, n, k), symmetric; the first `workers` parties are people.

    `offset` is a mean square over the edges, `rest` a mean of them, as shares of the side, NaN where that cannot be
    said. Of `ends` (0 to 2) that both have inside the range, `kept` are equal but for the shift.
    """

    workers: int
    offset: Floats
    rest: Floats
    ends: Ints
    kept: Ints


def compare(drawn: Sequence[Dense], *, given: Dense | None = None, gold: Dense | None = None) -> Compared:
    """Submissions of one task, and gold as one more party. `given` is what everybody was shown to start from."""
    parties = [*drawn, *([gold] if gold is not None else [])]
    if not parties:
        nothing = np.zeros((0, 0, 0))
        return Compared(0, nothing, nothing, nothing.astype(int), nothing.astype(int))
    boxes = together(parties if given is None else [*parties, given])
    shown = None if given is None else boxes[-1]
    boxes = boxes[: len(parties)]
    n, k, frames = boxes.shape[:3]
    out = Compared(len(drawn), *np.full((2, n, n, k), np.nan), *np.zeros((2, n, n, k), int))
    untouched, edges = _untouched(boxes, shown), _edges(boxes)
    for i in range(n - 1):
        ends = np.array([_ends(edges, i, shift, frames) for shift in SHIFTS])
        best = np.argmin([_cost(boxes, untouched, i, s, e) for s, e in zip(SHIFTS, ends, strict=True)], axis=0)
        for at in np.unique(best):
            which = np.flatnonzero(best == at)
            others = i + 1 + which
            apart = _difference(boxes, untouched, i, SHIFTS[at], FINE)[which]
            out.offset[i, others], out.rest[i, others] = _offset(apart)
            out.ends[i, others], out.kept[i, others] = ends[at][:, which] * np.isfinite(out.offset[i, others])
    for table in (out.offset, out.rest, out.ends, out.kept):
        lower = np.tril_indices(n, -1)
        table[lower] = table.transpose(1, 0, 2)[lower]
    return out


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


def _untouched(boxes: Floats, given: Floats | None) -> Bools:
    """Which boxes (n, k, f) are where they were given; in a still submission of nothing given, none."""
    if given is None:
        return np.zeros(boxes.shape[:3], bool)
    side = np.tile(np.maximum(given[..., 2:] - given[..., :2], 1.0), 2)
    with np.errstate(invalid="ignore"):
        return np.all(np.abs(boxes - given) <= UNTOUCHED * side, axis=-1)


def _edges(boxes: Floats) -> Ints:
    """First frame and the one after the last of every object, (2, n, k); −1 where there is none."""
    here = np.isfinite(boxes[..., 0])
    frames, there = here.shape[-1], here.any(axis=-1)
    first, last = here.argmax(axis=-1), frames - here[..., ::-1].argmax(axis=-1)
    return np.where(there, np.stack([first, last]), -1)


def _ends(edges: Ints, i: int, shift: int, frames: int) -> Ints:
    """Of party i and each later one, how many ends both have and how many of these are kept, (2, m, k).

    What a shift carries to the range's border or beyond says nothing: everybody ends there.
    """
    own, others = edges[:, i, None], edges[:, i + 1 :]
    both = (own >= 0) & (others >= 0)
    moved = own + shift
    both[0] &= moved[0] > 0
    both[1] &= moved[1] < frames
    return np.stack([both.sum(axis=0), (both & (others == moved)).sum(axis=0)])


def _cost(boxes: Floats, untouched: Bools, i: int, shift: int, ends: Ints) -> Floats:
    """How badly a shift fits party i and each later one, (m,): boxes first, and ends where boxes hardly move."""
    apart = np.abs(_difference(boxes, untouched, i, shift, COARSE)).mean(axis=-1)
    usual = _median(apart, axis=2)
    known = np.isfinite(usual)
    total = np.where(known, np.minimum(usual, FAR), 0.0).sum(axis=1)
    count = known.sum(axis=1)
    mean = np.where(count > 0, total / np.maximum(count, 1), FAR)
    return np.round(count * np.log(mean + LEAST) - ends[1].sum(axis=1), 9)


def _difference(boxes: Floats, untouched: Bools, i: int, shift: int, samples: int) -> Floats:
    """What each later party placed otherwise than party i, `shift` frames on, in shares of the side: (m, k, f, 4)."""
    frames = boxes.shape[2]
    at = np.arange(0, frames, max(1, frames // samples))
    at = at[(at + shift >= 0) & (at + shift < frames)]
    own, others = boxes[i][:, at], boxes[i + 1 :][:, :, at + shift]
    side = np.tile(np.maximum(own[..., 2:] - own[..., :2], 1.0), 2)
    ignored = untouched[i][:, at] | untouched[i + 1 :][:, :, at + shift]
    return np.where(ignored[..., None], np.nan, (others - own) / side)


def _offset(apart: Floats) -> tuple[Floats, Floats]:
    """Mean square of the edges' offsets, and what is left about them; both (m, k) from (m, k, f, 4)."""
    middle = _median(apart, axis=2)
    rest = _median(np.abs(apart - middle[:, :, None]).mean(axis=-1), axis=2)
    few = np.isfinite(apart[..., 0]).sum(axis=2) < LEAST_FRAMES
    return np.where(few, np.nan, (middle**2).mean(axis=-1)), np.where(few, np.nan, rest)


def _median(values: Floats, axis: int) -> Floats:
    """Of what is known; NaN where nothing is."""
    if not values.shape[axis]:
        return np.full(np.delete(values.shape, axis), np.nan)
    ordered = np.sort(values, axis=axis)  # NaN come last
    known = np.isfinite(values).sum(axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum((known - 1) // 2, 0), axis)
    high = np.take_along_axis(ordered, np.minimum(known // 2, values.shape[axis] - 1), axis)
    return ((low + high) / 2).squeeze(axis)
