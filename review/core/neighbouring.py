"""What a neighbouring segment's consensus says of the objects that go on in it: that they exist, and where they are.

Idea: on the frames that two segments share, an object was drawn by the workers of both, so the mean of all is nearer to
it than either side's. And errors last: who is too wide on one keyframe is on the next. So each side moves to the common
mean where they meet, and less the further from there, by how long the errors of this segment's own workers are seen to
last. That is the best linear estimate of an error that is seen somewhere else (Gauss and Markov; simple kriging,
Cressie 1993, and what surveyors do who level a net of heights). Each side moves by its own share only, so that they
meet if both are made in this way. Where a segment's workers mostly agree to the pixel nothing is moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.core.matching import link_iou, match
from annotation.core.tracks import Bools, Dense, Floats, Ints, Tracks, fill
from review.core.gridding import find_grid, placed

SAME = 0.5  # mean IoU with a neighbour's object, on the shared frames, that shows that it exists
NEAR = 0.35  # and that shows that it is the same one, if it exists
LEAST = 3  # shared frames on which both are there, or a quarter of those that segments share
LOOKS = 12  # shared frames at which they are compared
NUGGET = 0.3  # share of an error that has nothing to do with the errors of the frames around it
DECIDED = 5.0  # voices of what no submission stands behind: a reviewer drew or mended it
FAR = 2.5  # objects that differ by more standard deviations, root mean square, differ by so many: somebody erred
LAGS = np.array([1, 2, 4, 8, 16, 32, 64, 128])  # frames apart at which errors are compared
FADES = np.array([2.0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 150])  # frames after which errors may be alike to 1/e
STAYS = np.arange(0, 1, 0.1)  # and what share of them may stay for good
USUAL_FADE, USUAL_STAY, PRIOR = 40.0, 0.1, 200  # what is taken where nothing was seen, and how many looks that is worth
NONE = 1e-6  # errors of this share of the side and less are none


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Errors of a worker's edges: standard deviation `scale` as a share of the side; `lasting` (n,) is how far errors
    0, 1, … frames apart are alike, 1 being the same."""

    scale: float
    lasting: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Meeting:
    """Where objects and their partners in one neighbour differ: on the frames `at` (t,), by `apart` (k, t, 4) as shares
    of the side where `known` (k, t); `voices` (k,) of those are the partner's."""

    at: Ints
    apart: Floats
    known: Bools
    voices: Floats


def witnesses(boxes: Floats, start: int, around: Sequence[Tracks]) -> Ints:
    """In how many neighbouring segments, as far as they are known, clusters (k, w, n, 4; NaN where absent) go on."""
    found = np.zeros(len(boxes), np.int64)
    there = ~np.isnan(boxes[..., 0])
    drawn, known = np.maximum(there.sum(axis=1), 1)[..., None], np.any(there, axis=1)[..., None]
    middle = np.where(known, np.where(there[..., None], boxes, 0.0).sum(axis=1) / drawn, np.nan)
    for tracks in around:
        shared = _shared(middle, start, tracks)
        if shared is not None:
            alike = link_iou(*shared, _least(shared[0]), labels=False)
            found += np.nan_to_num(alike).max(axis=1, initial=0.0) >= SAME
    return found


def level(boxes: Floats, fused: Floats, start: int, around: Sequence[Tracks]) -> Floats:
    """Fused boxes (k, n, 4), NaN where absent, moved by what neighbours know of the workers' errors.

    `boxes` (k, w, n, 4) are the workers'; `start` is the first of the n frames. With no neighbour, or where neighbours
    say the same, nothing moves.
    """
    meetings = [m for tracks in around if (m := _meet(fused, start, tracks)) is not None and m.known.any()]
    if not meetings:
        return fused
    voices = np.maximum((~np.isnan(boxes[..., 0])).any(axis=2).sum(axis=1), 1)
    errors = usual_errors(boxes, fused)
    levelled = fused - _own_error(meetings, 1 / voices, errors) * _sides(fused)
    return placed(levelled, fused, find_grid(boxes))


def _own_error(meetings: Sequence[_Meeting], variance: Floats, errors: Errors) -> Floats:
    """What the mean of an object's workers is likely to be off on every frame, as shares of the side, (k, n, 4).

    `variance` (k,) is that of the mean, in those of one worker; a neighbour's is one over its voices.
    """
    at = np.concatenate([m.at for m in meetings])
    known = np.concatenate([m.known for m in meetings], axis=1)
    theirs = np.concatenate([np.repeat(1 / m.voices[:, None], len(m.at), axis=1) for m in meetings], axis=1)
    which = np.repeat(np.arange(len(meetings)), [len(m.at) for m in meetings])
    apart = np.concatenate([_bounded(m, variance, errors.scale) for m in meetings], axis=1)
    alike = errors.lasting[np.abs(at[:, None] - at)]
    both = variance[:, None, None] + np.where(which[:, None] == which, theirs[:, None], 0.0)
    own = np.where(known, NUGGET * (variance[:, None] + theirs), 1.0)
    table = alike * both * (known[:, :, None] & known[:, None]) + np.eye(len(at)) * own[:, None]
    weights = np.linalg.solve(table, apart)
    ways = errors.lasting[np.abs(np.arange(len(errors.lasting))[:, None] - at)]
    return variance[:, None, None] * np.einsum("nt,kte->kne", ways, weights)


def _bounded(meeting: _Meeting, variance: Floats, scale: float) -> Floats:
    """Differences (k, t, 4), 0 where unknown, each object's drawn in to what errors of that scale may make (Huber)."""
    looks = 4 * np.maximum(meeting.known.sum(axis=1), 1)
    size = np.sqrt((meeting.apart**2).sum(axis=(1, 2)) / looks)
    usual = scale * np.sqrt(variance + 1 / meeting.voices)
    return meeting.apart * np.minimum(1.0, FAR * usual / np.maximum(size, NONE))[:, None, None]


def usual_errors(boxes: Floats, fused: Floats) -> Errors:
    """How far off workers are and how long that lasts, by their boxes (k, w, n, 4) and the fused ones (k, n, 4)."""
    there = ~np.isnan(boxes[..., 0])
    count = there.sum(axis=1)[:, None, :, None]
    alone = np.where(count > 1, count / np.maximum(count - 1, 1), np.nan)
    off = (boxes - fused[:, None]) / _sides(fused)[:, None] * np.sqrt(alone)
    sizes = np.abs(off[~np.isnan(off)])
    scale = float(np.median(sizes)) * _TO_SIGMA if len(sizes) else 0.0
    frames = np.arange(fused.shape[1])
    if scale <= NONE:
        return Errors(scale, _curve(frames, USUAL_FADE, USUAL_STAY))
    return Errors(scale, _curve(frames, *_fit(np.clip(off / scale, -FAR, FAR))))


_TO_SIGMA = 1.483  # median size of Gaussian errors to their standard deviation


def _fit(off: Floats) -> tuple[float, float]:
    """The fade and the stay that fit best to errors (k, w, n, 4) in standard deviations."""
    lags = LAGS[: int(np.searchsorted(LAGS, off.shape[2]))]
    alike, seen = PRIOR * _curve(lags, USUAL_FADE, USUAL_STAY), np.full(len(lags), float(PRIOR))
    for i, lag in enumerate(lags.tolist()):
        early, late = off[:, :, :-lag], off[:, :, lag:]
        both = ~np.isnan(early) & ~np.isnan(late)
        alike[i] += np.sum(early * late, where=both)
        seen[i] += (np.sum(early**2, where=both) + np.sum(late**2, where=both)) / 2
    curves = _curve(lags, FADES[:, None, None], STAYS[None, :, None])
    wrong = (seen * (curves - alike / seen) ** 2).sum(axis=-1)
    fade, stay = np.unravel_index(int(wrong.argmin()), wrong.shape)
    return float(FADES[fade]), float(STAYS[stay])


def _curve(frames: Ints, fade: Floats | float, stay: Floats | float) -> Floats:
    return stay + (1 - stay) * np.exp(-frames / fade)


def _meet(fused: Floats, start: int, tracks: Tracks) -> _Meeting | None:
    """Each object beside the one of a neighbour that it goes on in; None where no frame is shared."""
    shared = _shared(fused, start, tracks)
    if shared is None:
        return None
    own, other = shared
    frames = own.boxes.shape[1]
    looks = np.unique(np.linspace(0, frames - 1, LOOKS).round().astype(np.int64))
    apart, known = np.zeros((len(fused), len(looks), 4)), np.zeros((len(fused), len(looks)), bool)
    voices = np.ones(len(fused))
    mine, theirs = match(np.nan_to_num(link_iou(own, other, _least(own), labels=False)), NEAR).pairs.T
    known[mine] = (own.present[mine] & other.present[theirs])[:, looks]
    off = (own.boxes[mine] - other.boxes[theirs]) / _sides(own.boxes[mine])
    apart[mine] = np.where(known[mine][..., None], off[:, looks], 0.0)
    voices[mine] = [len(tracks.tracks[j].support) or DECIDED for j in theirs.tolist()]
    return _Meeting(looks + own.start - start, apart, known, voices)


def _shared(boxes: Floats, start: int, tracks: Tracks) -> tuple[Dense, Dense] | None:
    """Boxes (k, n, 4) and a neighbour's on the frames that they share; None where no such frame or box is."""
    first, last = max(start, tracks.start), min(start + boxes.shape[1], tracks.stop)
    if first >= last or not tracks.tracks or not len(boxes):
        return None
    own = boxes[:, first - start : last - start]
    here, names = ~np.isnan(own[..., 0]), ("",) * len(own)
    return Dense(first, names, names, own, here, here & False), fill(tracks.tracks, first, last)


def _least(shared: Dense) -> int:
    return min(LEAST, -(-shared.boxes.shape[1] // 4))


def _sides(boxes: Floats) -> Floats:
    """Width and height beside each of the edges x1, y1, x2, y2, at least a pixel."""
    return np.tile(np.maximum(boxes[..., 2:] - boxes[..., :2], 1.0), 2)
