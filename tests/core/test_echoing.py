"""Events that end alike: what a copy keeps, and what honest hands have in common anyway."""

from __future__ import annotations

import numpy as np
import pytest

from annotation.core.tracks import Interval
from crowd.core.echoing import Marked, same_ends, suspected
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
