"""How far submissions are apart and what that says of copies, beside the same pair by pair and frame by frame."""

from __future__ import annotations

import math
from dataclasses import astuple
from itertools import combinations, product
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annotation.core.tracks import Dense, Floats
from crowd.core import comparing
from crowd.core.comparing import COARSE, FAR, FINE, LEAST, LEAST_FRAMES, SHIFTS, UNTOUCHED, Compared, compare
from crowd.core.copying import (
    AVERAGED,
    BETTER,
    EASIER,
    EASIEST,
    FREEDOM,
    HERE,
    JITTER,
    JITTER_REST,
    KEPT,
    MOST,
    OWN_HAND,
    POOL_ENDS,
    REST_SPREAD,
    USUAL,
    Usual,
    judge,
    usual_of,
)


def dense(boxes: Floats) -> Dense:
    """Tracks with these boxes, of which those who are never there are none."""
    boxes = boxes[~np.isnan(boxes[..., 0]).all(axis=1)]
    names, present = tuple(map(str, range(len(boxes)))), ~np.isnan(boxes[..., 0])
    return Dense(0, names, names, boxes, present, present & False)


def crowd(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Boxes of parties (n, k, f, 4), some of whom copy the first one, and what all were given (k, f, 4)."""
    n, k, f = rng.integers(1, 5), rng.integers(1, 4), rng.choice([1, 2, 4, 9, 45, 70])
    paths = np.arange(k)[:, None, None] * 500.0 + rng.normal(0, 1, (k, 1, 2)) * np.arange(f)[:, None]
    true = np.concatenate([paths, paths + (50, 80)], axis=2)
    boxes = true + rng.normal(0, rng.choice([1.5, 9.0]), (n, k, 1, 4)) + rng.normal(0, 0.3, (n, k, f, 4))
    left = rng.random((n, k, f)) < rng.choice([0.0, 0.3])
    boxes = np.where(left[..., None], true, boxes)
    first, last = rng.integers(0, max(1, f // 3), (n, k, 1)), f - rng.integers(0, max(1, f // 3), (n, k, 1))
    at = np.arange(f)
    boxes[(at < first) | (at >= last) | (rng.random((n, k, f)) < 0.05) | (rng.random((n, k, 1)) < 0.1)] = np.nan
    for copy in range(1, n):
        if rng.random() < 0.4:
            boxes[copy] = np.roll(boxes[0], rng.integers(-3, 4), axis=1)
    return boxes, true


def apart(one: Floats, other: Floats, given: Floats | None, shift: int, looks: int) -> list[Floats]:
    """Signed differences of an object's edges (f, 4), in shares of the side, on the frames on which both placed it."""
    out, frames = [], len(one)
    for f in range(0, frames, max(1, frames // looks)):
        to = f + shift
        if 0 <= to < frames and not any(absent_or_left(own[g], given, g) for own, g in ((one, f), (other, to))):
            out.append((other[to] - one[f]) / sides(one[f]))
    return out


def sides(box: Floats) -> Floats:
    return np.array([max(box[2] - box[0], 1.0), max(box[3] - box[1], 1.0)] * 2)


def absent_or_left(box: Floats, given: Floats | None, frame: int) -> bool:
    """Whether a box is not there, or is still where it was given."""
    return bool(np.isnan(box[0])) or (
        given is not None and bool((np.abs(box - given[frame]) <= UNTOUCHED * sides(given[frame])).all())
    )


def ends(one: Floats, other: Floats, shift: int) -> tuple[int, int]:
    """How many ends both have inside the range, and how many of them are the same but for the shift."""
    mine, theirs = (np.flatnonzero(~np.isnan(own[:, 0])) for own in (one, other))
    if not len(mine) or not len(theirs):
        return 0, 0
    pairs = []
    if mine[0] + shift > 0:
        pairs.append((mine[0] + shift, theirs[0]))
    if mine[-1] + 1 + shift < len(one):
        pairs.append((mine[-1] + shift, theirs[-1]))
    return len(pairs), sum(a == b for a, b in pairs)


def cost(one: Floats, other: Floats, given: Floats | None, shift: int) -> float:
    """How badly a shift fits two parties (k, f, 4)."""
    objects = range(len(one))
    looks = [apart(one[k], other[k], None if given is None else given[k], shift, COARSE) for k in objects]
    usual = [min(FAR, median(np.abs(d).mean() for d in some)) for some in looks if some]
    kept = sum(ends(one[k], other[k], shift)[1] for k in objects)
    return round(len(usual) * math.log((np.mean(usual) if usual else FAR) + LEAST) - kept, 9)


def told(some: list[Floats]) -> tuple[float, float]:
    """Mean square of the edges' median differences, and the median of what is left about these."""
    if len(some) < LEAST_FRAMES:
        return math.nan, math.nan
    middle = np.array([median(d[edge] for d in some) for edge in range(4)])
    return float((middle**2).mean()), median(float(np.abs(d - middle).mean()) for d in some)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_submissions_are_as_far_apart_as_frame_by_frame(seed: int, shown: bool, golden: bool) -> None:
    rng = np.random.default_rng(seed)
    drawn, true = crowd(rng)
    people = drawn[:-1] if golden and len(drawn) > 1 else drawn
    gold = dense(drawn[-1]) if len(people) < len(drawn) else None
    found = compare([dense(own) for own in people], given=dense(true) if shown else None, gold=gold)
    parties = [*map(dense, people), *([gold] if gold else []), *([dense(true)] if shown else [])]
    boxes = comparing.together(parties)
    shown_to_all = boxes[-1] if shown else None
    n, k = len(drawn), boxes.shape[1]
    assert found.workers == len(people) and found.offset.shape == (n, n, k)
    tables = found.offset, found.rest, found.ends, found.kept
    for i, j in combinations(range(n), 2):
        shift = min(SHIFTS, key=lambda s, i=i, j=j: cost(boxes[i], boxes[j], shown_to_all, s))
        for at, (one, other) in enumerate(zip(boxes[i], boxes[j], strict=True)):
            wants = told(apart(one, other, None if shown_to_all is None else shown_to_all[at], shift, FINE))
            wants += ends(one, other, shift) if wants[0] == wants[0] else (0, 0)
            assert [t[i, j, at] for t in tables] == pytest.approx(wants, rel=1e-9, abs=1e-15, nan_ok=True)
    for table in tables:
        assert np.array_equal(table, table.transpose(1, 0, 2), equal_nan=True)


def scales_of(
    task: Compared, i: int, j: int, objects: list[int], table: Floats, root: int, prior: float
) -> list[float]:
    """How far apart independent hands come at some objects (logarithm of a variance), by all who drew these."""
    here: dict[int, float] = {}
    for k in objects:
        met = {t: (table[i, t, k] + table[j, t, k]) / 2 for t in range(len(table)) if t not in (i, j)}
        people = sorted(m for t, m in met.items() if t < task.workers and not math.isnan(m))
        told = people[len(people) // 2 :][:1]  # of two the larger one
        told += [m for t, m in met.items() if t >= task.workers and not math.isnan(m)]
        if told:
            here[k] = root * math.log(min(told) + LEAST ** (2 / root))
    scene = (sum(here.values()) + prior) / (len(here) + 1)
    return [max(HERE * here.get(k, scene) + (1 - HERE) * scene, prior + EASIEST) for k in objects]


def chance_of_ends(task: Compared, i: int, j: int, spreads: list[float], usual: Usual) -> float:
    """That two who marked for themselves end on one frame, by how often both end as others do."""
    others = [t for t in range(task.workers) if t not in (i, j)]
    kept, ends = (sum(int(table[one, t].sum()) for one in (i, j) for t in others) for table in (task.kept, task.ends))
    exact = min(1.0, math.hypot(spreads[i], spreads[j]) / (math.sqrt(2) * max(usual.spread, LEAST)))
    chance = 1 - exact * (1 - (kept + POOL_ENDS * usual.kept) / (ends + POOL_ENDS))
    return min(max(chance, 1 - KEPT), KEPT)


def likeness(task: Compared, i: int, j: int, spreads: list[float], usual: Usual) -> tuple[float, ...] | None:
    """Score, number of objects, difference and what is usual of two submissions, by densities as scipy has them."""
    objects = [k for k in range(task.offset.shape[2]) if not math.isnan(task.offset[i, j, k])]
    if not objects:
        return None
    both = sum(max(spreads[k], LEAST) ** 2 for k in (i, j)) / (2 * max(usual.spread, LEAST) ** 2)
    offsets = scales_of(task, i, j, objects, task.offset, 1, math.log(usual.offset * both + LEAST**2))
    rests = scales_of(task, i, j, objects, task.rest, 2, 2 * math.log(usual.rest * math.sqrt(both) + LEAST))
    chance = chance_of_ends(task, i, j, spreads, usual)
    kept, lost = task.kept[i, j], task.ends[i, j] - task.kept[i, j]
    of_ends = {k: (KEPT / chance) ** kept[k] * ((1 - KEPT) / (1 - chance)) ** lost[k] for k in objects}
    known = [t for t in range(len(task.offset)) if t not in (i, j)]
    beside = any(not math.isnan(task.offset[i, t, k] + task.offset[j, t, k]) for t in known for k in objects)
    own, either = 0.0, 0.0
    for more, often in zip(*(BETTER if beside else EASIER), strict=True):
        scales = zip(objects, offsets, rests, strict=True)
        by_hand = {k: density(task, i, j, k, offset + more, rest + more) for k, offset, rest in scales}
        alone = math.exp(often) * math.prod(by_hand.values())
        own += alone
        for jitter, (share, of_share) in product(JITTER, zip(*OWN_HAND, strict=True)):
            scale = math.log(jitter**2 / AVERAGED + LEAST**2), 2 * math.log(JITTER_REST * jitter + LEAST)
            says = (density(task, i, j, k, *scale) / hand * of_ends[k] for k, hand in by_hand.items())
            mixed = math.prod((1 - share) * min(said, math.exp(MOST)) + share for said in says)
            either += alone * math.exp(of_share) * mixed / len(JITTER)
    difference = median(math.sqrt(task.offset[i, j, k]) for k in objects)
    return math.log(either / own), len(objects), difference, median(math.exp(s / 2) for s in offsets)


def density(task: Compared, i: int, j: int, k: int, offset_scale: float, rest_scale: float) -> float:
    """Of an object's offset, a mean square of four, and of its rest, both as logarithms, about their scales."""
    share = (task.offset[i, j, k] + LEAST**2) / math.exp(offset_scale)
    away = (2 * math.log(task.rest[i, j, k] + LEAST) - rest_scale) / REST_SPREAD
    return float(stats.f.pdf(share, 4, FREEDOM) * share * stats.t.pdf(away, 4) / REST_SPREAD)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_a_copy_is_as_likely_as_the_densities_of_every_object_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    workers, n, k = rng.integers(1, 5), rng.integers(0, 2), rng.integers(1, 4)
    n += workers
    offset, rest = rng.choice([0.0, 1e-4, 0.003, 0.02], (n, n, k)), rng.choice([0.0, 0.01, 0.05], (n, n, k))
    ends = rng.integers(0, 3, (n, n, k))
    kept = np.minimum(ends, rng.integers(0, 3, (n, n, k)))
    offset[rng.random((n, n, k)) < 0.2] = np.nan
    low = np.tril_indices(n)
    for table in (offset, rest, ends, kept):
        table[low] = table.transpose(1, 0, 2)[low]
    rest[np.isnan(offset)] = np.nan
    task, spreads = Compared(workers, offset, rest, ends, kept), rng.choice([0.0, 0.03, 0.2], workers).tolist()
    usual = Usual(*rng.choice([0.001, 0.03], 2).tolist(), rng.choice([0.1, 0.9]), rng.choice([0.01, 0.05]))
    found = judge(task, spreads, usual)
    want = {pair: likeness(task, *pair, spreads, usual) for pair in combinations(range(workers), 2)}
    assert set(found) == {pair for pair, said in want.items() if said is not None}
    for pair, said in found.items():
        assert (said.score, said.objects, said.difference, said.usual) == pytest.approx(want[pair], rel=1e-9, abs=1e-9)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_what_is_usual_is_the_middle_of_all_pairs_of_all_tasks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks = [compare([dense(own) for own in crowd(rng)[0]]) for _ in range(rng.integers(0, 3))]
    pairs = [(t, i, j) for t in tasks for i, j in combinations(range(t.workers), 2)]
    offsets, rests = ([x for t, *at in pairs for x in getattr(t, of)[*at] if x == x] for of in ("offset", "rest"))
    kept, ends = (sum(int(getattr(t, of)[*at].sum()) for t, *at in pairs) for of in ("kept", "ends"))
    share = (kept + POOL_ENDS * USUAL.kept) / (ends + POOL_ENDS)
    want = (median(offsets), median(rests), share, 0.07) if offsets else (*astuple(USUAL)[:3], 0.07)
    assert astuple(usual_of(tasks, 0.07)) == pytest.approx(want)
