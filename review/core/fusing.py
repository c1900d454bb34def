"""One box, one presence and one label out of several workers'.

Boxes: each edge by iteratively reweighted means with the weights of Student's t (Lange, Little & Taylor 1989), started
at the median of all who have a say, in units of the box's own width or height. With heavy tails they end where they
begin, and a median by weights would begin at the most exact worker, who may be far off just there. Scale and heaviness
of the tails are read from the differences between workers, so that it is the mean where errors are Gaussian and close
to the median where many agree to the pixel and a few are far off. Where everybody drew on a grid (whole pixels of a
tool), what they agree on lies on it, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.tracks import Bools, Floats
from review.core.gridding import Grid, closed, find_grid

# Ninth decile by lower quartile of the differences of two errors of Student's t, and 1 / its degrees of freedom.
TAIL_RATIOS = (5.16, 5.25, 5.36, 5.56, 5.86, 6.32, 7.35, 9.06)
TAILS = (0.001, 0.05, 0.1, 0.167, 0.25, 0.333, 0.5, 0.667)
USUAL_TAIL, LOOKS = 0.2, 200  # what is taken where little was seen, and how many differences that is worth
ROUNDS = 6
TO_SCALE = 2.219  # lower quartile of the differences of two Gaussian errors to their standard deviation
SLACK = 1.3  # times that is taken: fewer are shut out who are a little off, which was better for most crowds
LEAST = 0.003  # scale under which errors are none, as a share of the side
ROUNDED = 1.5  # steps of the grid: what differs by less may be the rounding alone
SPREAD_FLOOR = 0.01  # nobody counts for more than such a worker
NEXT = 8  # workers: of more, each is compared with the next so many
SAMPLES = 100  # frames on which errors are looked at
EDGE = 4  # frames: who is there so soon after the segment's start was there at its start, if anybody says so
SHORT = 3  # frames: shorter runs and gaps are smoothed away where workers disagree
MOST_OF_FEW = 2 / 3  # share of those who drew it, where these are few
AWAY = 0.5  # what the voice of a worker says against presence whose drawing lies on something else just then
NEAR = (0.48, 0.16, 0.1)  # how much a vote counts on its frame and on those one and two frames away


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """How workers' `boxes` (k, w, n, 4), NaN where absent, were fused: the `shares` of each edge in the fused one, 0
    where absent, and how far it is `trusted` not to be an outlier, 1 being fully. `grid` is what all lie on, if any."""

    boxes: Floats
    shares: Floats
    trusted: Floats
    grid: Grid | None


def fuse(boxes: Floats, spreads: Floats) -> tuple[Floats, Votes]:
    """Several workers' boxes (k, w, n, 4), NaN where absent, to (k, n, 4), NaN where nobody drew, and what of each is
    in them.

    `spreads` (w,) is the usual error of each worker's edges as a share of the box's side. Equal boxes come back as
    they are, to the bit (of a grid, to a rounding error).
    """
    grid = find_grid(boxes)
    there = ~np.isnan(boxes[..., :1])
    anchor = _first(boxes, there)
    offsets = np.where(there, boxes - anchor[:, None], 0.0)
    trust = there / np.maximum(spreads, SPREAD_FLOOR)[None, :, None, None] ** 2
    middle = median(offsets, np.broadcast_to(there, offsets.shape))
    # Of the middle box and not of anybody's own: who happens to be first has no say.
    size = anchor[..., 2:] + middle[..., 2:] - anchor[..., :2] - middle[..., :2]
    side = np.tile(np.maximum(size, 1.0), 2)[:, None]
    spreads = np.maximum(spreads, SPREAD_FLOOR)
    scale, freedom = _errors(offsets, there, side, spreads)
    if grid is not None:
        scale = np.maximum(scale, (ROUNDED * grid.step / side) ** 2)
    off, middle = offsets / side, middle / side[:, 0]
    trusted, weight = np.empty_like(off), np.empty_like(off)
    for _ in range(ROUNDS):  # in place: fresh memory takes longer than sums do
        np.subtract(off, middle[:, None], out=trusted)
        trusted *= trusted
        trusted /= scale * freedom
        trusted += 1
        np.divide(1, trusted, out=trusted)
        np.multiply(trust, trusted, out=weight)
        total = weight.sum(axis=1)
        weight *= off
        middle = weight.sum(axis=1) / np.maximum(total, 1e-300)
    middle *= side[:, 0]
    weight = trust * trusted
    shares = _shares(weight)
    fused = _on_grid(np.where(there.any(axis=1), anchor + middle, np.nan), grid)
    crossed = closed(fused)[..., None]
    if crossed.any():
        # Each edge went to another place: a mean of whole boxes is one, whatever they are.
        shares = np.where(crossed[:, None], _shares(trust), shares)
        fused = np.where(crossed, _on_grid(anchor + (shares * offsets).sum(axis=1), grid), fused)
    return fused, Votes(boxes, shares, trusted, grid)


def _on_grid(boxes: Floats, grid: Grid | None) -> Floats:
    return boxes if grid is None else grid.nearest(boxes)


def _shares(weights: Floats) -> Floats:
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)


def _first(boxes: Floats, there: Bools) -> Floats:
    """On each frame the box of the first worker who drew one: a place to measure from."""
    first = there[..., 0].argmax(axis=1)
    return np.take_along_axis(boxes, first[:, None, :, None], axis=1)[:, 0]


def _errors(boxes: Floats, there: Bools, side: Floats, spreads: Floats) -> tuple[Floats, float]:
    """Squared scale of each worker's errors, (1, w, 1, 1), as shares of the side, and their degrees of freedom.

    The scale is read from the lower quartile of the differences between workers: that is the spread where errors are
    Gaussian, and nothing where many agree to the pixel and a few are far off, which makes the estimate a median.
    """
    few = slice(None, None, max(1, boxes.shape[2] // SAMPLES))
    seen = [np.zeros(0)]
    for a in range(boxes.shape[1]):
        for b in range(a + 1, min(boxes.shape[1], a + 1 + NEXT)):
            both = (there[:, a, few] & there[:, b, few])[..., 0]
            apart = np.abs((boxes[:, a, few] - boxes[:, b, few]) / side[:, 0, few])[both]
            seen.append(apart.ravel() / np.sqrt((spreads[a] ** 2 + spreads[b] ** 2) / 2))
    values = np.concatenate(seen)
    low, high = np.quantile(values, (0.25, 0.9)).tolist() if len(values) else (0.0, 0.0)
    tail = float(np.interp(high / max(low, 1e-9), TAIL_RATIOS, TAILS)) if len(values) else USUAL_TAIL
    tail = (tail * len(values) + USUAL_TAIL * LOOKS) / (len(values) + LOOKS)
    return np.maximum(low * TO_SCALE * SLACK * spreads, LEAST)[None, :, None, None] ** 2, 1 / tail


def median(values: Floats, there: Bools) -> Floats:
    """Along axis 1 of those that are there: (k, w, …) → (k, …), 0 where none is."""
    ordered = np.sort(np.where(there, values, np.inf), axis=1)
    count = there.sum(axis=1, keepdims=True)
    middle = [np.take_along_axis(ordered, at, axis=1) for at in (np.maximum(count - 1, 0) // 2, count // 2)]
    return np.where(count > 0, (middle[0] + middle[1]) / 2, 0.0)[:, 0]


def vote_presence(drawn: Bools, weights: Floats, away: Bools | None = None) -> Bools:
    """On which frames an object is there, (k, w, n) → (k, n), by the votes (k, w) of those who drew it; ties are there.

    Of what fewer than half of all drew at any time, `MOST_OF_FEW` must have drawn it: two who each saw something else,
    and met for a while, agree on that while alone.
    Where a worker's drawing of it lies on something else, `away` (k, w, n), that worker confused the two, or the others
    did: a reason to doubt who it is rather than that anything is there, and half a vote against it.
    A vote counts a little on the frames around it, so that a start or an end that one worker sees far from the others
    has some say, as in a mean. Runs under `SHORT` frames are dropped and gaps under it filled, except where all agree.
    An object that is there a few frames from the segment's start or end was there at it, if anybody says so: few
    objects come in just then.
    """
    voters = weights[..., None]
    yes: Floats = (drawn * voters).sum(axis=1)
    total: Floats = voters.sum(axis=1)
    agreed_there = yes >= total - 1e-9
    asked = total if away is None else total - AWAY * (away * voters).sum(axis=1)
    heard = drawn & (voters > 0)
    agreed_absent = np.logical_not(heard.any(axis=1))
    few = 2 * (weights > 0).sum(axis=1) < weights.shape[1]
    needed = asked * np.where(few, MOST_OF_FEW, 0.5)[:, None]
    there = ((_around(yes) >= needed - 1e-9) & (yes > 0)) | (agreed_there & (yes > 0))
    out = there.copy()
    for k in range(len(out)):
        if (there[k] != agreed_there[k]).any() or (there[k] == agreed_absent[k]).any():
            out[k] = _smooth(there[k], agreed_there[k] & (total[k] > 0), agreed_absent[k])
        _reach(out[k], heard[k])
        _reach(out[k, ::-1], heard[k, :, ::-1])
    return out


def _around(votes: Floats) -> Floats:
    """Votes (k, n), each spread over the frames around it."""
    reach, n = len(NEAR) - 1, votes.shape[1]
    wide = np.pad(votes, ((0, 0), (reach, reach)), mode="edge")
    far = [wide[:, reach - d : reach - d + n] + wide[:, reach + d : reach + d + n] for d in range(1, reach + 1)]
    return NEAR[0] * votes + sum(share * both for share, both in zip(NEAR[1:], far, strict=True))


def _reach(there: Bools, heard: Bools) -> None:
    """Let a presence that begins within `EDGE` frames of the start begin at it, in place, if a worker drew that."""
    first = int(there.argmax())
    if 0 < first <= EDGE and there[first] and heard[:, :first].all(axis=1).any():
        there[:first] = True


def _smooth(there: Bools, surely: Bools, surely_not: Bools) -> Bools:
    out = there.copy()
    longest = max((b - a for a, b in runs(there)), default=0)  # a brief object is no flicker
    for value, fixed in ((False, surely_not), (True, surely)):
        for first, last in runs(out == value):
            inside = value or (first > 0 and last < len(out))
            flicker = last - first < (min(SHORT, longest) if value else SHORT)
            if flicker and inside and not fixed[first:last].any():
                out[first:last] = not value
    return out


def runs(mask: Bools) -> list[tuple[int, int]]:
    """Half-open ranges on which a mask is true.

    >>> runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def vote(answers: Sequence[Hashable], weights: Sequence[float]) -> Hashable:
    """The answer with the greatest weight; among equals the one that sorts first by its text."""
    tally: dict[Hashable, float] = {}
    for answer, weight in zip(answers, weights, strict=True):
        tally[answer] = tally.get(answer, 0.0) + weight
    return min(tally, key=lambda answer: (-round(tally[answer], 9), repr(answer)))
