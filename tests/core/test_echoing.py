"""Events that end alike: what a copy keeps, and what honest hands have in common anyway."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.matching import match
from annotation.core.tracks import Interval
from crowd.core import echoing
from crowd.core.echoing import (
    ALIKE,
    BETTER,
    HERE,
    HIGHEST,
    KEPT,
    LEAST,
    LEAST_ALONE,
    MEANT,
    POOL_ENDS,
    USUAL,
    Marked,
    _ends,
    same_ends,
    score,
    suspected,
)
from crowd.core.flags import same_times

LENGTH = 300
COPY = frozenset(("ann", "sam"))


def marked(
    off: dict[str, float], *, tasks: int = 30, obvious: bool = False, copied: bool = False, known: bool = False
) -> list[Marked]:
    """Two events in each segment, whose ends everybody misses by their own number of frames; Sam may copy from Ann."""
    rng, out = np.random.default_rng(3), []
    for n in range(tasks):
        real = [(int(s), int(s) + 40) for s in (rng.integers(10, 100), rng.integers(160, 240))]
        said = {
            name: [
                Interval("x", *(e + (0 if obvious else round(float(rng.normal(0, wide)))) for e in ends))
                for ends in real
            ]
            for name, wide in off.items()
        }
        if copied:
            said["sam"] = list(said["ann"])
        truth = [[Interval("x", *ends) for ends in real]] if known else []
        out.append(Marked(str(n), 0, LENGTH, tuple(said), tuple(said.values()), truth))
    return out


@pytest.mark.parametrize("third", [{"bob": 3.0}, {"bob": 3.0, "cid": 3.0}])
def test_who_copies_events_ends_on_the_same_frames(third: dict[str, float]):
    found = suspected(marked({"ann": 3.0} | third, copied=True))
    assert set(found) == {COPY}
    assert all(found[COPY].tasks[task] == (4, True) for task in map(str, range(30)))


def test_two_of_whom_one_copies_are_known_by_how_others_differ_elsewhere():
    others = [
        Marked(f"o{m.task}", 0, LENGTH, m.workers, m.events) for m in marked(dict.fromkeys(("bob", "cid", "dan"), 3.0))
    ]
    assert set(suspected([*marked({"ann": 3.0}, copied=True), *others])) == {COPY}


def test_a_few_events_that_end_alike_are_a_coincidence():
    assert suspected(marked({"ann": 3.0, "bob": 3.0}, tasks=1, copied=True)) == {}


@pytest.mark.parametrize("crowd", [("ann", "sam"), ("ann", "sam", "bob"), ("ann", "sam", "bob", "cid", "dan")])
def test_events_that_anybody_sees_to_the_frame_make_nobody_a_copy(crowd: tuple[str, ...]):
    assert suspected(marked(dict.fromkeys(crowd, 3.0), tasks=100, obvious=True)) == {}


def test_independent_hands_are_no_copies():
    for wide in (0.5, 1.0, 3.0):
        assert suspected(marked(dict.fromkeys(("ann", "sam", "bob", "cid"), wide), tasks=100)) == {}


def test_two_who_are_more_exact_than_the_rest_copied_from_nobody():
    assert suspected(marked({"ann": 0.3, "sam": 0.3, "bob": 4.0, "cid": 4.0}, tasks=100)) == {}


def test_ends_that_gold_has_or_that_all_were_given_say_nothing():
    exact = marked({"ann": 0.0, "sam": 0.0, "bob": 4.0, "cid": 4.0}, tasks=100, known=True)
    assert suspected(exact) == {}
    assert suspected([Marked(m.task, m.start, m.stop, m.workers, m.events) for m in exact]) != {}


def test_ends_on_the_border_of_a_segment_say_nothing():
    whole = [Interval("x", 0, LENGTH)]
    assert suspected([Marked(str(n), 0, LENGTH, ("ann", "sam"), (whole, whole)) for n in range(100)]) == {}
    assert not same_ends(whole, whole, 0, LENGTH)
    part = [Interval("x", 5, LENGTH)]
    assert same_ends(part, part, 0, LENGTH)
    assert not same_ends(part, [], 0, LENGTH) and not same_ends([], [], 0, LENGTH)
    assert not same_ends(part, [Interval("y", 5, LENGTH)], 0, LENGTH)


WHOLE = [Interval("x", 0, LENGTH)]


def here(start: int) -> list[Interval]:
    return [Interval("x", start, start + 30)]


def test_who_marks_the_whole_clip_each_time_is_seen():
    others = [[here(20 * n), here(20 * n + 1)] for n in range(4)]
    flag = same_times([WHOLE] * 4, others)
    assert flag is not None
    assert flag.code == "same_everywhere" and (flag.evidence["times"], flag.evidence["tasks"]) == (4, 4)
    assert flag.evidence["events"] == [{"label": "x", "start": 0, "stop": LENGTH}]
    assert same_times([WHOLE] * 2, others[:2]) is None


@pytest.mark.parametrize(
    "others",
    [
        [[WHOLE]] * 5,  # it goes on throughout
        [[WHOLE, here(20 * n)] for n in range(5)],  # one other saw it, too
        [[[Interval("x", 0, 200)]]] * 5,  # theirs are the same each time as well
        [[[]]] * 5,  # the others may have missed it
        [[here(20 * n)] for n in range(2)] + [[WHOLE]] * 3,  # twice of five
    ],
)
def test_who_marks_what_goes_on_throughout_is_right(others: list[list[list[Interval]]]):
    assert same_times([WHOLE] * 5, others) is None


def test_events_at_times_of_their_own_are_no_habit():
    assert same_times([here(40 * n) for n in range(5)], [[here(40 * n + 20)] for n in range(5)]) is None
    assert same_times([], []) is None and same_times([[]] * 4, [[here(3)]] * 4) is None


def shared(a: Interval, b: Interval) -> float:
    """Temporal IoU, frame by frame; 0 of two labels."""
    one, other = ({*range(i.start, i.stop)} for i in (a, b))
    return len(one & other) / len(one | other) if a.label == b.label and one | other else 0.0


def partners(mine: list[Interval], other: list[Interval]) -> dict[int, Interval]:
    """Whom the one to one pairs of the greatest sum give to each of mine."""
    pairs = match(np.array([[shared(a, b) for b in other] for a in mine]).reshape(len(mine), len(other)), MEANT).pairs
    return {i: other[j] for i, j in pairs.tolist()}


def naive_ends(task: Marked) -> list[tuple]:
    """Pair, task, label, kept, how many third parties end like one of them, of how many."""
    found = []
    everybody = range(len(task.workers))
    for i, j, end in ((i, j, end) for i in everybody for j in everybody if i < j for end in ("start", "stop")):
        for at, b in partners(task.events[i], task.events[j]).items():
            a, border = task.events[i][at], getattr(task, end)
            here, there = getattr(a, end), getattr(b, end)
            known, thirds = (
                [getattr(p[at], end) for p in (partners(task.events[i], other) for other in some) if at in p]
                for some in (task.known, [task.events[k] for k in everybody if k not in (i, j)])
            )
            if border in (here, there) or (here == there and here in known):
                continue
            alike = sum(third in (here, there) for third in thirds)
            pair = frozenset((task.workers[i], task.workers[j]))
            found.append((pair, task.task, a.label, here == there, alike, len(thirds)))
    return found


def naive_score(ends: list[tuple], all_ends: list[tuple]) -> float:
    """Of one pair, from the likelihood of every end if one copied and if both marked for themselves."""
    copied, apart = 1.0, [math.exp(often) for often in BETTER[1]]
    for pair, _, label, kept, alike, others in ends:
        rest = [end[3] for end in all_ends if end[2] == label and end[0] != pair]
        usual = (sum(rest) + POOL_ENDS * USUAL) / (len(rest) + POOL_ENDS)
        chance = min(max((alike + HERE * usual) / (others + HERE), LEAST if others else LEAST_ALONE), HIGHEST)
        copied *= KEPT if kept else 1 - KEPT
        for k, better in enumerate(BETTER[0]):
            odds = chance / (1 - chance) * math.exp(better)
            apart[k] *= odds / (1 + odds) if kept else 1 / (1 + odds)
    return math.log(copied / sum(apart))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 10**9, 2**31]))
def test_ends_are_those_of_all_pairs_one_by_one(seed: int, start: int):
    rng = np.random.default_rng(seed)
    names, tasks = ["ann", "bob", "cid", "dan"], []
    wide = rng.choice([1, 2, 9])
    for n in range(rng.integers(0, 9)):
        real = [tuple(sorted(rng.choice(31, 2, replace=False).tolist())) for _ in range(rng.integers(0, 9))]
        said = [
            [
                Interval(
                    "xxxy"[rng.integers(4)],
                    start + max(0, s - int(rng.integers(wide))),
                    start + e + int(rng.integers(wide)),
                )
                for s, e in real
                if rng.random() < 0.8
            ]
            for _ in range(6)
        ]
        workers = rng.permutation(names)[: rng.integers(1, 5)].tolist()
        known = said[4 : 4 + rng.integers(3)]
        tasks.append(Marked(str(n), start, start + 30, workers, said[: len(workers)], known))
    ends = [end for task in tasks for end in naive_ends(task)]
    got = [e for task in tasks for e in _ends(task)]
    fields = ("pair", "task", "label", "kept", "alike", "others")
    assert Counter(tuple(getattr(e, f) for f in fields) for e in got) == Counter(ends)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(echoing, "ALIKE", -math.inf)
        everybody = suspected(tasks)
    assert set(everybody) == {end[0] for end in ends}
    for pair, found in everybody.items():
        own = [end for end in ends if end[0] == pair]
        assert score(found) == pytest.approx(naive_score(own, ends))
        assert found.tasks == {
            task: (sum(e[1] == task for e in own), all(e[3] for e in own if e[1] == task))
            for task in {e[1] for e in own}
        }
    assert suspected(tasks) == {pair: found for pair, found in everybody.items() if score(found) >= ALIKE}
