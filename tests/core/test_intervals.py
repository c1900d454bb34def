"""Intervals of several workers: what is one event."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.tracks import Interval
from review.core import intervals as merging
from review.core.intervals import FLOOR, MOST, merge_intervals


def temporal_iou(a: Interval, b: Interval) -> float:
    """Shared frames over frames of either; two of no length are the same only at the same place."""
    either = max(a.stop, b.stop) - min(a.start, b.start)
    if either <= 0:
        return 1.0
    return max(0, min(a.stop, b.stop) - max(a.start, b.start)) / either


def grouped_step_by_step(drawn, needed, workers):
    """Average link as it is told: the two most alike groups become one until none are alike enough."""
    events = []
    for label in sorted({i.label for own in drawn for i in own}):
        marks = [(w, i) for w, own in enumerate(drawn) for i in sorted(own, key=_order) if i.label == label]
        groups = [[mark] for mark in marks]
        while (best := _most_alike(groups))[0] >= FLOOR:
            groups[-best[1]] += groups.pop(-best[2])
        events += [g for g in groups if len({workers[w] for w, _ in g}) >= needed]
    return sorted((g[0][1].label, g[0][1].track or "", *_middles([i for _, i in g])) for g in events)


def _order(interval):
    return interval.start, interval.stop, interval.track or ""


def _most_alike(groups):
    free = [
        (a, b)
        for a, b in itertools.combinations(range(len(groups)), 2)
        if not {w for w, _ in groups[a]} & {w for w, _ in groups[b]}
    ]
    means = [
        np.mean([temporal_iou(i, j) * (i.track == j.track) for _, i in groups[a] for _, j in groups[b]])
        for a, b in free
    ]
    return max(((float(mean), -a, -b) for mean, (a, b) in zip(means, free, strict=True)), default=(0.0, 0, 0))


def _middles(some):
    return tuple(int(np.floor(np.median([getattr(i, end) for i in some]) + 0.5)) for end in ("start", "stop"))


intervals = st.builds(
    lambda label, start, length, track: Interval(label, start, start + length, track),
    st.sampled_from("xy"),
    st.integers(0, 40),
    st.integers(0, 14),
    st.sampled_from([None, "1"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(intervals, max_size=5), min_size=1, max_size=5), st.integers(1, 3), st.booleans())
def test_events_are_those_of_average_link_step_by_step(drawn, needed, one_person):
    workers = ["ann", "ann", "bob", "cid", "dot"][: len(drawn)] if one_person else list("abcde")[: len(drawn)]
    merged = merge_intervals(drawn, needed, [1.0] * len(drawn), workers)
    found = sorted((i.label, i.track or "", i.start, i.stop) for i in merged)
    assert found == grouped_step_by_step(drawn, needed, workers)


def test_two_submissions_of_one_person_are_one_voice():
    rain = [Interval("rain", 3, 20)]
    assert merge_intervals([rain, rain, []], 2, [1.0] * 3, ["ann", "ann", "bob"]) == ()
    assert len(merge_intervals([rain, rain, []], 2, [1.0] * 3, ["ann", "bob", "cid"])) == 1


def test_thousands_of_events_one_after_the_other_are_told_apart():
    rng = np.random.default_rng(0)
    starts = np.arange(2000) * 10
    drawn = [[Interval("step", int(a), int(a) + 5) for a in starts + rng.integers(0, 2, 2000)] for _ in range(3)]
    assert len(merge_intervals(drawn, 2, [1.0] * 3, list("abc"))) == 2000


def counting(monkeypatch):
    """With how many others each mark is compared, as it comes to be known."""
    compared = []
    graph = merging._graph

    def counted(marks):
        found = graph(marks)
        compared.extend(len(near) for near in found)
        return found

    monkeypatch.setattr(merging, "_graph", counted)
    return compared


def test_of_a_heap_of_intervals_a_few_are_compared_and_the_event_is_found(monkeypatch):
    compared = counting(monkeypatch)
    heap = [Interval("pass", 3, 250 - k % 3) for k in range(1000)]
    honest = [Interval("pass", 3, 250), Interval("pass", 260, 280)]
    found = merge_intervals([heap, honest, honest], 2, [1, 1, 1], ["a", "b", "c"])
    assert found == (Interval("pass", 3, 250), Interval("pass", 260, 280))
    assert sum(compared) == 2 * (2 * MOST + 1 + 1)


def test_marks_of_one_submission_and_those_at_other_times_are_not_compared(monkeypatch):
    compared = counting(monkeypatch)
    chain = [Interval("pass", 10 * k, 10 * k + 12) for k in range(100)]  # each reaches into the next one
    assert len(merge_intervals([chain, chain], 2, [1, 1], ["a", "b"])) == 100
    assert max(compared) == 3
