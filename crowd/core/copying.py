"""Submissions of one task that are nearer to each other than independent hands come.

Idea: two hands err independently of each other, a copy errs as its source does. For every object that two drew, their
offset, what is left about it and the ends that they have in common (`crowd.core.comparing`) are likely to some degree
where each drew for themselves, and to another where one copied and put fresh jitter on top. How far apart independent
hands come is read from both against all third parties at that object (gold among them), drawn towards what is usual in
the scene and in the project; how often they end on the same frame, from the same. Where a scene is easy all are close,
and nobody stands out; two who are better than all others are allowed for by a factor that is summed over. A copy may
leave objects to its author's own hand, so the share that was copied is summed over, too. The score is the logarithm of
the likelihood ratio: scores of several tasks add up.

Boxes that both left where a model had put them say nothing; a copy may be shifted by some frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from annotation.core.tracks import Bools, Dense, Floats
from crowd.core.comparing import LEAST, Compared, compare

# Of the likelihoods: degrees of freedom of an offset about its scale, spread of the logarithm of a rest (Student's t).
FREEDOM, REST_SPREAD = 6.0, 0.85
JITTER = np.array([0.0, 0.005, 0.01, 0.02])  # that may have been put on a copy, shares of the side
AVERAGED = 6.0  # of the variance of jitter, what is left in an offset
JITTER_REST = 0.6  # of jitter, what is seen about the offset
KEPT = 0.9  # of the ends of what was copied
OWN_HAND = np.array([0.1, 0.5, 0.8]), np.log([0.5, 0.3, 0.2])  # share of a copy that was not copied
# By how much (logarithm of the variance) two may be nearer to each other than usual, and how often that is so: beside
# third parties at the same objects, and where nobody else was there and the whole scene may be easy.
BETTER = np.array([-1.4, -0.7, 0.0, 0.7]), np.log([0.15, 0.3, 0.4, 0.15])
EASIER = np.array([-4.6, -3.2, -1.6, -0.8, 0.0, 0.7]), np.log([0.05, 0.05, 0.1, 0.25, 0.35, 0.2])
EASIEST = -5.0  # no scene is so easy that independent hands come nearer than by this (logarithm of the variance)
HERE = 0.5  # how much is believed of one object's scale, beside the scene's
POOL_ENDS = 20.0  # what is usual in the project counts as so many ends
MOST = 3.0  # what one object says at most
ALIKE = 3.0  # from this on two submissions are alike
ALIKE_AGAIN = 1.0  # the same, of two workers who are suspected already
TWICE, OFTEN = 2, 0.1  # on so many tasks, and on that share of those that both did, two must be alike to be suspected


@dataclass(frozen=True, slots=True)
class Usual:
    """How far apart two workers of a project usually are.

    `offset` is a mean square, `rest` a mean, as shares of the side; `kept` is the share of ends on the same frame,
    `spread` the usual worker's error of an edge.
    """

    offset: float = 0.055**2
    rest: float = 0.03
    kept: float = 0.4
    spread: float = 0.05


USUAL = Usual()  # where nothing is known of a project


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much speaks for one of two submissions being a copy: `score` over `objects`, and what it rests on.

    `difference` and `usual` are medians over the objects, shares of the side.
    """

    score: float
    objects: int
    difference: float
    usual: float


def usual_of(tasks: Iterable[Compared], spread: float = USUAL.spread) -> Usual:
    """What is usual among the pairs of many tasks: medians, so that a minority of copies does not count."""
    offsets, rests, ends, kept = [np.zeros(0)], [np.zeros(0)], 0, 0
    for task in tasks:
        pairs = np.triu_indices(task.workers, 1)
        known = np.isfinite(task.offset[pairs])
        offsets.append(task.offset[pairs][known])
        rests.append(task.rest[pairs][known])
        ends += int(task.ends[pairs].sum())
        kept += int(task.kept[pairs].sum())
    offset, rest = np.concatenate(offsets), np.concatenate(rests)
    if not len(offset):
        return Usual(spread=spread)
    share = (kept + POOL_ENDS * USUAL.kept) / (ends + POOL_ENDS)
    return Usual(float(np.median(offset)), float(np.median(rest)), share, spread)


def likenesses(
    drawn: Sequence[Dense],
    spreads: Sequence[float],
    *,
    given: Dense | None = None,
    gold: Dense | None = None,
    usual: Usual | None = None,
) -> dict[tuple[int, int], Likeness]:
    """Every pair (i, j), i < j, of submissions of one task that drew a common object.

    `spreads` are the workers' usual errors of an edge as a share of its side, `given` is what everybody was shown to
    start from, `gold` a truth that stands for one more third party.
    """
    return judge(compare(drawn, given=given, gold=gold), spreads, usual or USUAL)


def judge(task: Compared, spreads: Sequence[float], usual: Usual) -> dict[tuple[int, int], Likeness]:
    """`likenesses` of submissions that are compared already."""
    found = {}
    for i in range(task.workers):
        for j in range(i + 1, task.workers):
            if (one := _likeness(task, i, j, spreads, usual)) is not None:
                found[i, j] = one
    return found


def often(alike: int, met: int) -> bool:
    """Whether two who were alike on so many of the tasks on which they met are suspected; once is a coincidence."""
    return alike >= max(TWICE, OFTEN * met)


def _likeness(task: Compared, i: int, j: int, spreads: Sequence[float], usual: Usual) -> Likeness | None:
    compared = np.isfinite(task.offset[i, j])
    if not compared.any():
        return None
    offset, rest = task.offset[i, j][compared], task.rest[i, j][compared]
    offset_scale, rest_scale, beside = _scales(task, i, j, compared, spreads, usual)
    better, often_better = BETTER if beside else EASIER
    apart = _of_offset(offset, offset_scale + better[:, None]) + _of_rest(rest, rest_scale + better[:, None])
    jitter = JITTER[:, None]
    copied = _of_offset(offset, np.log(jitter**2 / AVERAGED + LEAST**2))
    copied += _of_rest(rest, 2 * np.log(JITTER_REST * jitter + LEAST))
    says = copied - apart[:, None] + _of_ends(task, i, j, spreads, usual)[compared]
    says = np.minimum(says, MOST)  # (how much better, jitter, object)
    share, how_often = OWN_HAND
    by_object = np.log((1 - share[:, None, None, None]) * np.exp(says) + share[:, None, None, None])
    own = often_better + apart.sum(axis=1)
    either = by_object.sum(axis=-1) + own[:, None] + how_often[:, None, None]
    score = logsumexp(either) - np.log(len(JITTER)) - logsumexp(own)
    expected = float(np.median(np.sqrt(np.exp(offset_scale))))
    return Likeness(float(score), int(compared.sum()), float(np.median(np.sqrt(offset))), expected)


def _scales(
    task: Compared, i: int, j: int, compared: Bools, spreads: Sequence[float], usual: Usual
) -> tuple[Floats, Floats, bool]:
    """Logarithms of the variances of independent hands at the compared objects, and whether third parties tell."""
    third = np.delete(np.arange(task.workers), [i, j])
    spread = np.maximum(np.asarray(spreads, float), LEAST) ** 2
    both = spread[i] + spread[j]
    # Spreads say nothing here: two who copy each other make the consensus, and seem exact.
    offset = _upper_median((task.offset[i, third] + task.offset[j, third]) / 2)
    rest = _upper_median((task.rest[i, third] + task.rest[j, third]) / 2)
    for truth in range(task.workers, len(task.offset)):  # two who are both right need not have copied
        offset = np.fmin(offset, (task.offset[i, truth] + task.offset[j, truth]) / 2)
        rest = np.fmin(rest, (task.rest[i, truth] + task.rest[j, truth]) / 2)
    alone = both / (2 * max(usual.spread, LEAST) ** 2)
    prior = np.log(usual.offset * alone + LEAST**2), 2 * np.log(usual.rest * np.sqrt(alone) + LEAST)
    here = np.log(offset[compared] + LEAST**2), 2 * np.log(rest[compared] + LEAST)
    scales = [_drawn_together(*pair) for pair in zip(here, prior, strict=True)]
    return scales[0], scales[1], bool(np.isfinite(here[0]).any())


def _drawn_together(here: Floats, prior: float) -> Floats:
    """Each object's scale between its own and the scene's; the scene's where nothing is known of it."""
    known = np.isfinite(here)
    scene = (here[known].sum() + prior) / (known.sum() + 1)
    return np.maximum(np.where(known, HERE * here + (1 - HERE) * scene, scene), prior + EASIEST)


def _of_offset(offset: Floats, scale: Floats) -> Floats:
    """Logarithm of the density (F) of the logarithm of a mean square of four about an estimated scale."""
    apart = np.log(offset + LEAST**2) - scale
    height = 2 * np.log(4 / FREEDOM) + np.log(FREEDOM / 2) + np.log(FREEDOM / 2 + 1)
    return 2 * apart - (4 + FREEDOM) / 2 * np.log1p(4 / FREEDOM * np.exp(apart)) + height


def _of_rest(rest: Floats, scale: Floats) -> Floats:
    """Logarithm of the density of the logarithm of a rest: Student's t with four degrees of freedom."""
    apart = (2 * np.log(rest + LEAST) - scale) / REST_SPREAD
    return -2.5 * np.log1p(apart**2 / 4) - np.log(REST_SPREAD * 8 / 3)


def _of_ends(task: Compared, i: int, j: int, spreads: Sequence[float], usual: Usual) -> Floats:
    """What the ends of every object say for a copy, by how often both end as third parties do; who places edges exactly
    is exact at ends."""
    third = np.delete(np.arange(task.workers), [i, j])
    ends, kept = (int((table[i, third] + table[j, third]).sum()) for table in (task.ends, task.kept))
    exact = min(1.0, float(np.hypot(spreads[i], spreads[j])) / (np.sqrt(2) * max(usual.spread, LEAST)))
    chance = 1 - exact * (1 - (kept + POOL_ENDS * usual.kept) / (ends + POOL_ENDS))
    chance = float(np.clip(chance, 1 - KEPT, KEPT))
    lost = task.ends[i, j] - task.kept[i, j]
    return task.kept[i, j] * np.log(KEPT / chance) + lost * np.log((1 - KEPT) / (1 - chance))


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
