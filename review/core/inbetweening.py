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

from annotation.core.tracks import Bools, Floats, Ints
from review.core.fusing import Votes
from review.core.keying import Keys, find_keys
from review.core.stacking import Stack

CORE = 16  # keyframes of a stretch
BESIDE = 24  # and those looked at on either side, at most
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
AT_ONCE = 64  # stretches that are estimated together


@dataclass(frozen=True, slots=True, eq=False)
class _Stretches:
    """b stretches of keyframes: `core` is where each one's own begin in the list of all, `first` and `last` (b,) the
    range that is looked at; they have the frames from `since` to `until` (b,), and keyframes are `step` (b,) apart."""

    core: Ints
    first: Ints
    last: Ints
    since: Ints
    until: Ints
    step: Floats

    def some(self, which: Ints | slice) -> _Stretches:
        core, first, last, since, until = (
            column[which] for column in (self.core, self.first, self.last, self.since, self.until)
        )
        return _Stretches(core, first, last, since, until, self.step[which])


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """What the keyframes of b stretches say, by axis: how far the two edges of each are off the fused line, `said` (b,
    2, m, 2), 0 where it is not heard, as shares of the `side` (b, 4); `contrast` (b, 2, m, m) is how that is made of
    all keyframes; `time` (b, m) is since the first of them, in steps; `alike` (b, 2, m, m) is how lasting errors of two
    go together, and `own` those that do not last."""

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
    stretches = _stretches(keys)
    if not len(stretches.core):
        return fused
    looks = np.linspace(0, len(stretches.core) - 1, min(LOOKS, len(stretches.core))).round().astype(np.int64)
    model = _model(keys, _stretches(keys, compared=False).some(looks), fused)
    variances = np.stack([_variances(model, axis) for axis in (0, 1)])
    moved = fused.copy()
    for a in range(0, len(stretches.core), AT_ONCE):
        _move(moved, keys, stretches.some(slice(a, a + AT_ONCE)), fused, variances)
    upright = np.all(moved[..., 2:] > moved[..., :2], axis=-1, keepdims=True)
    moved = np.where(upright, moved, fused)
    return moved if votes.grid is None else votes.grid.nearest(moved)


def _stretches(keys: Keys, *, compared: bool = True) -> _Stretches:
    """The stretches of all clusters in which something is told. Each looks at the keyframes between which lines run on
    its frames, and at those that these are compared with, if that is asked."""
    told = keys.between()
    edges = np.searchsorted(keys.cluster, np.arange(len(told) + 1))
    columns: list[Ints] = [np.zeros((5, 0), np.int64)]
    for k in np.flatnonzero(told).tolist():
        begin, end = int(edges[k]), int(edges[k + 1])
        core = np.arange(begin, end, CORE)
        until = np.append(keys.frame[core[1:]], keys.before.shape[2])
        since = np.append(0, until[:-1])
        early = np.where(keys.before[k] < 0, end, keys.before[k]).min(axis=0)
        late = keys.after[k].max(axis=0)
        first, last = np.minimum(core, early[since]), np.maximum(np.minimum(core + CORE, end) - 1, late[until - 1])
        if compared:
            first, last = np.minimum(first, early[keys.frame[first]]), np.maximum(last, late[keys.frame[last]])
        first, last = np.maximum(first, core - BESIDE), np.minimum(last + 1, core + CORE + BESIDE)
        columns.append(np.stack([core, first, np.minimum(last, end), since, until]))
    core, first, last, since, until = np.concatenate(columns, axis=1)
    return _Stretches(core, first, last, since, until, keys.steps()[keys.cluster[core]])


def _model(keys: Keys, stretches: _Stretches, fused: Floats) -> _Model:
    places = stretches.first[:, None] + np.arange((stretches.last - stretches.first).max())
    inside = places < stretches.last[:, None]
    places = np.minimum(places, len(keys.frame) - 1)
    cluster, frame = keys.cluster[places], keys.frame[places]
    boxes = fused[cluster, frame] * inside[..., None]
    side = np.tile(np.maximum((boxes[..., 2:] - boxes[..., :2]).sum(axis=1) / inside.sum(axis=1)[:, None], 1.0), 2)
    said = np.where(inside[..., None], keys.off[places] / side[:, None], 0.0)
    contrast, whole = _contrast(keys, stretches, places)
    heard = inside & whole
    contrast *= heard[:, None, :, None]
    time = (frame - frame[:, :1]) / stretches.step[:, None]
    doubt = np.ascontiguousarray(np.moveaxis(1 / np.sqrt(np.maximum(keys.trusted[places], OUTLIER)), 2, 1))
    same = keys.worker[places][:, :, None] == keys.worker[places][:, None]
    apart = np.abs(time[:, :, None] - time[:, None])
    alike = doubt[..., None] * doubt[:, :, None]
    alike *= np.where(same, STAY + (1 - STAY) * np.exp(-apart / FADE), 0.0)[:, None]
    own = np.zeros_like(alike)
    own[..., np.arange(alike.shape[-1]), np.arange(alike.shape[-1])] = doubt**2
    said = np.moveaxis((said * heard[..., None]).reshape(*heard.shape, 2, 2), 3, 1)
    return _Model(said, contrast, time, alike, own, side)


def _contrast(keys: Keys, stretches: _Stretches, places: Ints) -> tuple[Floats, Bools]:
    """How each keyframe of the stretches (b, m) differs from the fused line, by axis as a sum of all keyframes, (b, 2,
    m, m), and where (b, m) all of these are in the stretch."""
    b, m = places.shape
    at, way, share, held = keys.lines(keys.cluster[places].ravel(), keys.frame[places].ravel())
    begin, end = np.repeat(stretches.first, m)[:, None], np.repeat(stretches.last, m)[:, None]
    contrast = np.tile(np.eye(m), (b, 2, 1, 1))
    whole = ~held.any(axis=1)
    for which, part in ((0, 1 - way), (1, way)):
        used = (part > 0) & (share > 0).any(axis=-1)
        inside = (at[..., which] >= begin) & (at[..., which] < end)
        whole &= (inside | ~used).all(axis=1)
        row, worker = np.nonzero(used & inside)
        place = at[row, worker, which] - begin[row, 0]
        contrast[row // m, :, row % m, place] -= part[row, worker, None] * share[row, worker]
    return contrast, whole.reshape(b, m)


def _movement(early: Floats, late: Floats) -> tuple[Floats, Floats]:
    """How movement up to two times goes together: of a random walk and of an integrated one, which begin at 0. Lines
    miss nothing of where and how fast it begins."""
    low, high = np.minimum(early, late), np.maximum(early, late)
    return low, low**2 * (3 * high - low) / 6


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


def _variances(model: _Model, axis: int) -> Floats:
    """The likeliest variances (3,) of errors and of the two kinds of movement along an axis, as shares of the side."""
    contrast, said = model.contrast[:, axis], model.said[:, axis]
    kinds = [model.alike[:, axis], model.own[:, axis], *_movement(model.time[..., None], model.time[:, None])]
    errors, *others = (contrast @ kind @ np.swapaxes(contrast, -1, -2) for kind in kinds)
    steady = errors + np.eye(errors.shape[-1]) * (SLIP + ~contrast.any(axis=-1, keepdims=True))
    spread = np.linalg.eigvalsh(errors)
    count = np.count_nonzero(spread > SLIP * spread.max(), axis=-1)
    heard = np.flatnonzero(count)
    looks = np.tile(count[heard, None], said.shape[-1])
    usual = PRIOR / (PRIOR + looks.sum())

    def likelihood(ratios: Floats) -> tuple[float, float]:
        """Of variances that are `ratios` (3,) times those of lasting errors, and the likeliest of these. In a stretch
        in which somebody erred, far more is said than elsewhere: so much counts and no more."""
        root = np.linalg.cholesky(steady + ratios[0] * others[0] + ratios[1] * others[1] + ratios[2] * others[2])
        far = (np.linalg.solve(root, said) ** 2).sum(axis=1)[heard]
        variance = usual * USUAL[0] + (1 - usual) * _middle(far / looks, looks)
        told = np.minimum(far / variance, FAR * looks).sum() + looks.sum() * np.log(variance)
        known = said.shape[-1] * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum()
        unusual = np.sum((np.log10(ratios * USUAL[0] / USUAL[1:]) / DECADES) ** 2)
        return float(-told / 2 - known - unusual / 2), variance

    found = USUAL[1:] / USUAL[0]
    best = likelihood(found)
    for steps in (COARSE, FINE, FINE):
        for kind in (1, 2, 0):  # movement first: errors that do not last would explain most of it, too
            tried = [np.where(np.arange(3) == kind, found * step, found) for step in steps]
            best, found = max([(best, found), *((likelihood(t), t) for t in tried)], key=lambda told: told[0])
    return np.array([1, *found]) * BELIEVED * best[1]


def _middle(values: Floats, weights: Ints) -> float:
    """The median by weights; 0 of nothing."""
    order = np.argsort(values, axis=None, kind="stable")
    total = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order[np.searchsorted(total, total[-1] / 2)]]) if len(total) else 0.0


def _move(moved: Floats, keys: Keys, stretches: _Stretches, fused: Floats, variances: Floats) -> None:
    """Add to the boxes of these stretches what lines leave out, in place."""
    model = _model(keys, stretches, fused)
    b, m = model.time.shape
    walk, swing = _movement(model.time[..., None], model.time[:, None])
    errors, alone, walks, swings = variances.T
    table = errors[:, None, None] * model.alike + alone[:, None, None] * model.own
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


def _frames(keys: Keys, stretches: _Stretches, fused: Floats) -> tuple[Ints, Ints, Ints]:
    """All frames of the stretches on which there is a box: whose they are, of which cluster, and the frames, (q,)."""
    many = stretches.until - stretches.since
    which = np.repeat(np.arange(len(many)), many)
    frame = np.arange(len(which)) - np.repeat(np.cumsum(many) - many - stretches.since, many)
    cluster = keys.cluster[stretches.core][which]
    there = ~np.isnan(fused[cluster, frame, 0])
    return which[there], cluster[there], frame[there]
