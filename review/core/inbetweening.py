"""Where objects are between keyframes: what the straight lines from one to the next leave out.

Idea: a worker looked at an object on keyframes, and lines were drawn in between. Others have their keyframes on other
frames, so each one's say what the others' lines miss. Where a keyframe stands off the fused line, that is partly its
worker's error, which lasts, and partly movement, which lines miss between keyframes. The best linear estimate (Gauss
and Markov; kriging, Cressie 1993) tells the one from the other: movement is a random walk and an integrated one,
errors are each worker's own, and fade slowly or at once. How large these are is read from the segment itself by
restricted maximum likelihood (Patterson & Thompson 1971). Time is counted in steps from one keyframe of an object to
the next, since people place one more where they see an object stray. Only what keyframes say of movement is used: equal
drawings come back as they are, and where all have their keyframes on the same frames, or on every frame, nothing moves.

Work grows with the number of keyframes: each stretch of some is estimated from itself and from those around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.core.ranges import ranges
from annotation.core.tracks import Floats, Ints
from review.core.fusing import Votes
from review.core.gridding import placed
from review.core.keying import Keys, Made, Stretches, find_keys, find_stretches
from review.core.stacking import Stack

FADE, STAY = 4.0, 0.1  # steps after which errors are alike to 1/e, and the share of them that stays for good
USUAL = np.array(
    [2e-3, 6e-4, 1e-3, 1e-3]
)  # variances, shares of the side: of errors, lasting or not, of movement a step
PRIOR = 10.0  # looks that the first of these is worth
DECADES = 1.0  # how far ratios of the others to it are from these ones
BELIEVED = np.array([1, 1, 0.5, 0.1])  # shares of what is found: whoever sees a line that is far off places a keyframe
FAR = 10.0  # times what is usual for what the keyframes of a stretch say: somebody erred
COARSE, FINE = 10.0 ** np.array([-3, -2, -1, 1, 2]), 10.0 ** np.array([-0.5, 0.5])  # steps in which they are looked for
LOOKS = 10  # stretches from which variances are read
OUTLIER = 1e-4  # least trust in a keyframe
SLIP = 1e-6  # of the variance of errors, which keeps tables regular
VAST = 1e100  # beyond all that is ever said, squared
AT_ONCE = 64  # stretches that are estimated together


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """What the keyframes of b stretches say, by axis: how far the two edges of each are off the fused line, `said` (b,
    2, m, 2), 0 where it is not heard, as shares of the `side` (b, 4); `contrast` (b, 2, m, m) is how that is made of
    all keyframes; `time` (b, m) is since the first of them, in steps; `alike` (b, 2, m, m) is how lasting errors of two
    go together, and `own` (b, 2, m) how large those are that do not last."""

    said: Floats
    contrast: Floats
    time: Floats
    alike: Floats
    own: Floats
    side: Floats


def inbetween(block: Stack, member: Ints, fused: Floats, votes: Votes) -> Floats:
    """Fused boxes (k, n, 4), NaN where absent, moved to where objects are likely to have been between keyframes.

    `member` (t, n) is the cluster of each track on each frame, -1 for none. The same array if nothing moves.
    """
    keys = find_keys(block, member, votes)
    near, far = find_stretches(keys)
    if not len(far.core):
        return fused
    made = keys.made()
    looks = np.linspace(0, len(near.core) - 1, min(LOOKS, len(near.core))).round().astype(np.int64)
    variances = _variances(_model(keys, made, near.some(looks), fused))
    moved = fused.copy()
    for a in range(0, len(far.core), AT_ONCE):
        _move(moved, keys, made, far.some(slice(a, a + AT_ONCE)), fused, variances)
    return placed(moved, fused, votes.grid)


def _model(keys: Keys, made: Made, stretches: Stretches, fused: Floats) -> _Model:
    places = stretches.first[:, None] + np.arange((stretches.last - stretches.first).max())
    inside = places < stretches.last[:, None]
    places = np.minimum(places, len(keys.frame) - 1)
    cluster, frame = keys.cluster[places], keys.frame[places]
    boxes = fused[cluster, frame] * inside[..., None]
    side = np.tile(np.maximum((boxes[..., 2:] - boxes[..., :2]).sum(axis=1) / inside.sum(axis=1)[:, None], 1.0), 2)
    said = np.where(inside[..., None], keys.off[places] / side[:, None], 0.0)
    heard = (
        inside & (made.lowest[places] >= stretches.first[:, None]) & (made.highest[places] < stretches.last[:, None])
    )
    contrast = _contrast(made, stretches, places.shape[1])
    contrast *= heard[:, None, :, None]
    time = (frame - frame[:, :1]) / stretches.step[:, None]
    doubt = np.ascontiguousarray(np.moveaxis(1 / np.sqrt(np.maximum(keys.trusted[places], OUTLIER)), 2, 1))
    worker = keys.worker[places]
    lasting = np.exp(np.abs(time[:, :, None] - time[:, None]) / -FADE)
    lasting *= 1 - STAY
    lasting += STAY
    lasting *= worker[:, :, None] == worker[:, None]
    alike = doubt[..., None] * doubt[:, :, None]
    alike *= lasting[:, None]
    said = np.moveaxis((said * heard[..., None]).reshape(*heard.shape, 2, 2), 3, 1)
    return _Model(said, contrast, time, alike, doubt**2, side)


def _contrast(made: Made, stretches: Stretches, m: int) -> Floats:
    """How each of the m keyframes of the stretches differs from the fused line, by axis as a sum of those, (b, 2, m,
    m): right where all that the line is made of is in the stretch."""
    b = len(stretches.first)
    contrast = np.zeros((b, 2, m, m))
    contrast[..., np.arange(m), np.arange(m)] = 1.0
    since, until = made.since[stretches.first], made.since[stretches.last]
    which, part = ranges(since, until - since)
    first = stretches.first[which]
    row, place = made.row[part] - first, made.part[part] - first
    inside = (place >= 0) & (made.part[part] < stretches.last[which])
    at = ((which * 2 * m + row) * m + place)[inside]
    flat, share = contrast.reshape(-1), made.share[part[inside]]
    flat[at] -= share[:, 0]
    flat[at + m * m] -= share[:, 1]
    return contrast


def _movement(early: Floats, late: Floats) -> tuple[Floats, Floats]:
    """How movement up to two times goes together: of a random walk and of an integrated one, which begin at 0. Lines
    miss nothing of where and how fast it begins."""
    low, high = np.minimum(early, late), np.maximum(early, late)
    swing = 3 * high
    swing -= low
    swing *= low
    swing *= low
    swing /= 6
    return low, swing


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Where movement along the edges of b stretches is expected to be at any time: what `_movement` says of the
    keyframes at the times (b, m), each by its `pull` (b, m, 4). A cubic between two keyframes, so sums are enough."""

    early: Floats  # (b, m + 1, 4, 4): of the first so many keyframes, the pull times time to the power of 0, 1, 2, 3
    walks: Floats
    swings: Floats

    @classmethod
    def of(cls, time: Floats, pull: Floats, walks: Floats, swings: Floats) -> _Path:
        powers = pull[:, :, None] * (time[..., None] ** np.arange(4))[..., None]
        return cls(np.concatenate([np.zeros_like(powers[:, :1]), np.cumsum(powers, axis=1)], axis=1), walks, swings)

    def at(self, which: Ints, count: Ints, time: Floats) -> Floats:
        """At the times (q,) of the stretches `which` (q,), where `count` (q,) keyframes are not later: (q, 4)."""
        early, t = self.early[which, count], time[:, None]
        none, one = np.moveaxis(self.early[which, -1, :2] - early[:, :2], 1, 0)
        swing = (3 * t * early[:, 2] - early[:, 3] + 3 * t**2 * one - t**3 * none) / 6
        return self.walks * (early[:, 1] + t * none) + self.swings * swing


def _variances(model: _Model) -> Floats:
    """The likeliest variances (2, 4) of errors, lasting and not, and of the two kinds of movement along each axis, as
    shares of the side."""
    tables, looks = _tables(model)
    found, axes = np.tile(USUAL[1:] / USUAL[0], (2, 1)), np.arange(2)
    best, lasting = (told[0] for told in _likelihoods(tables, looks, found[None]))
    for steps in (COARSE, FINE, FINE):
        for kind in (1, 2, 0):  # movement first: errors that do not last would explain most of it, too
            tried = found * np.where(np.arange(3) == kind, steps[:, None, None], 1.0)
            likely, variance = _likelihoods(tables, looks, tried)
            pick = likely.argmax(axis=0)
            better = likely[pick, axes] > best
            best, lasting = (
                np.where(better, new[pick, axes], old) for new, old in ((likely, best), (variance, lasting))
            )
            found = np.where(better[:, None], tried[pick, axes], found)
    return np.concatenate([np.ones((2, 1)), found], axis=1) * BELIEVED * lasting[:, None]


def _tables(model: _Model) -> tuple[Floats, Ints]:
    """How what is said goes together by lasting errors, others and the two kinds of movement, (4, b, 2, m + 2, m + 2),
    and how many looks that is, (2, q), by axis, of both edges of the stretches in turn.

    Below the first lies what is said of both edges: so there is below its Cholesky factor what that makes of it.
    """
    contrast, m = model.contrast, model.contrast.shape[-1]
    turned = np.swapaxes(contrast, -1, -2)
    movement = (kind[:, None] for kind in _movement(model.time[..., None], model.time[:, None]))
    errors = contrast @ model.alike @ turned
    others = [contrast * model.own[:, :, None] @ turned, *(contrast @ kind @ turned for kind in movement)]
    spread = np.linalg.eigvalsh(errors)
    count = np.count_nonzero(spread > SLIP * spread.max(axis=(0, 2), keepdims=True), axis=-1)
    tables = np.zeros((4, *contrast.shape[:2], m + 2, m + 2))
    for table, kind in zip(tables, (errors, *others), strict=True):
        table[..., :m, :m] = kind
    steady, at = tables[0], np.arange(m)
    steady[..., at, at] += SLIP + ~contrast.any(axis=-1)
    steady[..., m:, :m] = np.swapaxes(model.said, -1, -2)
    steady[..., [m, m + 1], [m, m + 1]] = VAST
    return tables, np.repeat(count.T, 2, axis=1)


def _likelihoods(tables: Floats, looks: Ints, ratios: Floats) -> tuple[Floats, Floats]:
    """By axis, (s, 2), of variances that are `ratios` (s, 2, 3) times those of lasting errors, and the likeliest of
    these. In a stretch in which somebody erred, far more is said than elsewhere: so much counts and no more."""
    table = tables[0] + ratios[:, None, :, 0, None, None] * tables[1]
    for kind in (1, 2):
        table += ratios[:, None, :, kind, None, None] * tables[kind + 1]
    root = np.linalg.cholesky(table)
    known = np.log(np.diagonal(root, axis1=-2, axis2=-1)[..., :-2]).sum(axis=(1, 3)) * 2
    far: Floats = (root[..., -2:, :-2] ** 2).sum(axis=-1)
    far = np.swapaxes(far, 1, 2).reshape(len(ratios), *looks.shape) * (looks > 0)
    total = looks.sum(axis=-1)
    usual = PRIOR / (PRIOR + total)
    variance = usual * USUAL[0] + (1 - usual) * _middle(far / np.maximum(looks, 1), looks)
    told = np.minimum(far / variance[..., None], FAR * looks).sum(axis=-1) + total * np.log(variance)
    unusual = ((np.log10(ratios * USUAL[0] / USUAL[1:]) / DECADES) ** 2).sum(axis=-1)
    return -told / 2 - known - unusual / 2, variance


def _middle(values: Floats, weights: Ints) -> Floats:
    """The median by weights (q,) along the last axis; 0 of nothing."""
    order = np.argsort(values, axis=-1, kind="stable")
    total = np.cumsum(np.take_along_axis(np.broadcast_to(weights, values.shape), order, axis=-1), axis=-1)
    at = np.count_nonzero(total < total[..., -1:] / 2, axis=-1)[..., None]
    middle: Floats = np.take_along_axis(values, np.take_along_axis(order, at, axis=-1), axis=-1)[..., 0]
    return middle


def _move(moved: Floats, keys: Keys, made: Made, stretches: Stretches, fused: Floats, variances: Floats) -> None:
    """Add to the boxes of these stretches what lines leave out, in place."""
    model = _model(keys, made, stretches, fused)
    b, m = model.time.shape
    walk, swing = _movement(model.time[..., None], model.time[:, None])
    errors, alone, walks, swings = variances.T
    table = errors[:, None, None] * model.alike
    table[..., np.arange(m), np.arange(m)] += alone[:, None] * model.own
    for axis in (0, 1):
        table[:, axis] += walks[axis] * walk + swings[axis] * swing
    table = model.contrast @ table @ np.swapaxes(model.contrast, -1, -2)
    table[..., np.arange(m), np.arange(m)] += (SLIP * errors)[:, None] + ~model.contrast.any(axis=-1)
    solved = np.linalg.solve(table, model.said)
    excess = (solved * model.said).sum(axis=(2, 3)) / np.maximum(2 * model.contrast.any(axis=-1).sum(axis=-1), 1)
    solved *= (FAR / np.maximum(excess, FAR))[..., None, None]  # somebody erred
    pull = np.swapaxes(model.contrast, -1, -2) @ solved
    path = _Path.of(model.time, np.moveaxis(pull, 1, 3).reshape(b, m, 4), np.tile(walks, 2), np.tile(swings, 2))
    rows = np.repeat(np.arange(b), m)
    at_keys = path.at(rows, np.tile(np.arange(1, m + 1), b), model.time.ravel()).reshape(b, m, 4)
    which, cluster, frame = _frames(keys, stretches, fused)
    first, last = stretches.first[which], stretches.last[which]
    count = np.clip(keys.until(cluster, frame) - first, 0, last - first)
    there = path.at(which, count, np.maximum(frame - keys.frame[first], 0) / stretches.step[which])
    at, way, share, held = keys.lines(cluster, frame)
    inside = (at >= first[:, None, None]) & (at < last[:, None, None])
    share = np.tile(share * (inside[..., 0] & (inside[..., 1] | (way == 0)))[..., None], 2)
    place = np.clip(at - first[:, None, None], 0, m - 1)
    before, after = at_keys[which[:, None], place[..., 0]], at_keys[which[:, None], place[..., 1]]
    total = share.sum(axis=1)
    lines = (share * (before + way[..., None] * (after - before))).sum(axis=1) / np.maximum(total, 1e-300)
    known = (total > 0) & ~held.any(axis=1, keepdims=True)
    moved[cluster, frame] += np.where(known, there - lines, 0.0) * model.side[which]


def _frames(keys: Keys, stretches: Stretches, fused: Floats) -> tuple[Ints, Ints, Ints]:
    """All frames of the stretches on which there is a box: whose they are, of which cluster, and the frames, (q,)."""
    which, frame = ranges(stretches.since, stretches.until - stretches.since)
    cluster = keys.cluster[stretches.core][which]
    there = ~np.isnan(fused[cluster, frame, 0])
    return which[there], cluster[there], frame[there]
