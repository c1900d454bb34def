"""Events in skills, and in what one more worker is worth: beside objects, and where there are no objects."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from annotation.core.tracks import Dense, Interval, Tracks, make_track
from crowd.core.skill import estimate
from review.core.cases import Case, Drawn, Task
from review.core.consensus import Submission, make_consensus
from review.core.evaluating import evaluate
from review.core.existing import FALSE_ALARM, HIT, log_odds
from review.core.intervals import Mark
from review.core.learning import Answers, learn
from review.core.marking import BY_CHANCE, Events, judge, lengths_of, renamed, votes_of, with_events
from review.core.risking import FINDS, Known, expected_gain
from review.core.stacking import stack

LENGTH = 300


def span(start: int, stop: int, label: str = "crossing", track: str | None = None) -> Interval:
    return Interval(label, start, stop, track)


def segment(number: int, *events: Interval, objects: int = 0) -> Tracks:
    """Events counted from a segment's start, beside so many objects that stand still."""
    start = number * LENGTH
    moved = tuple(Interval(e.label, e.start + start, e.stop + start, e.track) for e in events)
    tracks = (make_track(str(k), "car", [start], [[50.0 * k, 0, 50 * k + 40, 40]]) for k in range(objects))
    return Tracks(start, start + LENGTH, tuple(tracks), moved)


def answers(number: int, *, gold: Tracks | None = None, **drawn: Tracks) -> Answers:
    return Answers(number * LENGTH, (number + 1) * LENGTH, tuple(drawn), tuple(drawn.values()), gold)


def crowd(spam: str, objects: int = 0, gold: bool = False) -> list[Answers]:
    """Ten segments with two events each, which Ann and Bob mark within two frames of where they are."""
    rng, tasks = np.random.default_rng(5), []
    for n in range(10):
        starts = rng.integers(10, 120), rng.integers(150, 240)
        real = [span(int(s), int(s) + 40) for s in starts]
        near = [[span(e.start + int(rng.integers(-2, 3)), e.stop, e.label) for e in real] for _ in range(2)]
        away = [span(int(s), int(s) + 30) for s in rng.integers(0, 250, 2)]
        marked = {"whole": [span(0, LENGTH)], "random": away, "nothing": []}[spam]
        drawn = {"ann": near[0], "bob": near[1], "sam": marked}
        told = {name: segment(n, *events, objects=objects) for name, events in drawn.items()}
        tasks.append(answers(n, gold=segment(n, *real, objects=objects) if gold else None, **told))
    return tasks


@pytest.mark.parametrize("gold", [False, True])
@pytest.mark.parametrize("spam", ["whole", "random", "nothing"])
def test_who_marks_events_well_is_trusted_and_who_does_not_is_not(spam: str, gold: bool):
    skills = learn(crowd(spam, gold=gold)).skills
    assert min(skills["ann"].mean, skills["bob"].mean) > 0.85
    assert skills["sam"].mean < 0.6
    assert skills["sam"].weight < skills["ann"].weight / 4


def test_gold_of_events_tells_who_of_two_is_right():
    tasks = [answers(a.start // LENGTH, gold=a.gold, ann=a.drawn[0], sam=a.drawn[2]) for a in crowd("whole", gold=True)]
    skills = learn(tasks).skills
    assert skills["ann"].mean > 0.85 and skills["sam"].weight == 0


def test_bad_events_beside_good_boxes_leave_the_rates_of_boxes_as_they_are():
    beside, alone = learn(crowd("random", objects=2)).skills, learn(crowd("nothing", objects=2)).skills
    assert beside["sam"].mean < beside["ann"].mean - 0.1
    without = [
        Answers(a.start, a.stop, a.workers, tuple(Tracks(d.start, d.stop, d.tracks) for d in a.drawn))
        for a in crowd("random", objects=2)
    ]
    boxes = learn(without).skills
    for name in ("ann", "bob", "sam"):
        rates = [(s[name].hit, s[name].false_alarm, s[name].spread) for s in (beside, alone, boxes)]
        assert rates[0] == rates[1] == rates[2]
    assert boxes["sam"].event_hit is None
    assert beside["sam"].event_hit < beside["ann"].event_hit


def test_gold_of_tracks_alone_says_nothing_of_what_happens():
    tasks = crowd("nothing", objects=2)
    silent = [Answers(a.start, a.stop, a.workers, a.drawn, segment(n, objects=2)) for n, a in enumerate(tasks)]
    heard = [Answers(a.start, a.stop, a.workers, a.drawn, segment(n)) for n, a in enumerate(tasks)]
    assert learn(silent).skills["ann"].event_false_alarm < 0.1
    assert learn(heard).skills["ann"].event_false_alarm > 0.5


def test_events_outside_of_what_counts_of_a_segment_teach_nothing():
    task = answers(0, ann=segment(0, span(5, 20)), bob=segment(0, span(100, 140)))
    within = Answers(80, LENGTH, task.workers, task.drawn)
    assert learn([within]).skills["ann"].event_false_alarm == pytest.approx(0.1)
    assert learn([within]).skills["ann"].event_hit < 0.8


def made(*said: tuple[Interval, ...], objects: int = 3):
    drawn = [segment(0, *events, objects=objects) for events in said]
    return make_consensus([Submission(str(i), str(i), one) for i, one in enumerate(drawn)], 0, LENGTH)


def test_one_more_is_worth_asking_where_only_an_event_is_disputed():
    settled, disputed = made((span(10, 50),), (span(10, 50),)), made((span(10, 50),), ())
    assert settled.gain < 0.025 < disputed.gain
    assert disputed.confidence < settled.confidence
    assert made((span(10, 50),), (span(10, 50),), ()).gain < 0.025


def test_one_disputed_event_is_one_thing_among_all():
    alone, beside_three, beside_nine = (made((span(10, 50),), (), objects=n).gain for n in (0, 3, 9))
    assert alone / 2 > beside_three > 2 * beside_nine > 0


def used(third: tuple[Interval, ...], gold: Tracks | None, *said: tuple[Interval, ...]) -> int:
    """How many of three workers an adaptive evaluation asks, of whom the first two said so."""
    given = [segment(0, *events) for events in (*said, third)]
    drawn = tuple(Drawn(i, name, one) for i, (name, one) in enumerate(zip(("ann", "bob", "cid"), given, strict=True)))
    none = np.zeros((0, LENGTH), bool)
    truth = Dense(0, (), (), np.zeros((0, LENGTH, 4)), none, none)
    (result,), _ = evaluate([Case("clip", truth, (Task(0, LENGTH, drawn, gold),))], adaptive=True)
    return len(result.used[0])


def test_what_holds_events_alone_is_not_empty():
    one = (span(10, 50),)
    assert used(one, None, one, one) == 2
    assert used((), None, (), ()) == 3  # nobody is known to see anything


def test_who_marked_what_gold_marks_is_believed_that_nothing_happens():
    one, gold = (span(10, 50),), segment(0, span(10, 50))
    proven = Task(0, LENGTH, tuple(Drawn(i, name, segment(0, *one)) for i, name in enumerate(("ann", "bob"))), gold)
    blank = tuple(Drawn(i, name, segment(1)) for i, name in enumerate(("ann", "bob", "cid")))
    none = np.zeros((0, 2 * LENGTH), bool)
    truth = Dense(0, (), (), np.zeros((0, 2 * LENGTH, 4)), none, none)
    case = Case("clip", truth, (proven, Task(LENGTH, 2 * LENGTH, blank, None)))
    (result,), _ = evaluate([case], adaptive=True)
    assert [len(some) for some in result.used] == [2, 2]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_marks_of_events_are_counted_group_by_group(seed: int):
    workers, groups = marked(np.random.default_rng(seed))
    votes, frames = votes_of(groups, workers), lengths_of(groups)
    assert votes.shape == (len(groups), len(workers)) and frames.shape == (len(groups),)
    for row, length, group in zip(votes.tolist(), frames.tolist(), groups, strict=True):
        assert row == [any(m.worker == w for m in group) for w in workers]
        assert length == len(range(min(m.interval.start for m in group), max(m.interval.stop for m in group)))


def marked(rng: np.random.Generator) -> tuple[list[str], list[list[Mark]]]:
    """Submissions' workers, some of them twice, and groups of marks with one of each submission at most."""
    workers = rng.choice(["ann", "bob", "cid"], rng.integers(1, 5)).tolist()
    groups = []
    for _ in range(rng.integers(0, 5)):
        who = rng.permutation(len(workers))[: rng.integers(1, 5)].tolist()
        starts, lengths = rng.integers(0, 20, len(who)), rng.integers(1, 30, len(who))
        marks = [span(int(s), int(s + n)) for s, n in zip(starts, lengths, strict=True)]
        groups.append([Mark(w, workers[w], i) for w, i in zip(who, marks, strict=True)])
    return workers, groups


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_an_event_of_a_track_is_of_the_object_that_most_of_the_track_is(seed: int):
    rng = np.random.default_rng(seed)
    n, names = 6, [f"t{k}" for k in range(rng.integers(0, 4))]
    tracks = tuple(make_track(name, "car", [0], [[9.0 * k, 0, 9.0 * k + 40, 40]]) for k, name in enumerate(names))
    block, number = stack([Tracks(0, n, tracks)] * 2, 0, n), rng.integers(-1, 3, (2 * len(names), n))
    events = [span(0, 3, label, track) for label, track in zip("abcd", [None, *names], strict=False)]
    events.append(span(1, 2, "gone", "nobody"))
    for worker in range(2):
        want = []
        for event in events:
            rows = [r for r, t in enumerate(block.tracks) if t.id == event.track and block.owners[r] == worker]
            seen = sorted(k for r in rows for k in number[r].tolist() if k >= 0)
            if event.track is None or seen:  # of equals the first
                want.append(replace(event, track=str(max(seen, key=seen.count) + 1) if seen else None))
        assert renamed(block, Tracks(0, n, (), tuple(events)), worker, number) == want


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_events_are_judged_one_by_one(seed: int, needed: int):
    rng = np.random.default_rng(seed)
    workers, groups = marked(rng)
    known = {w: rng.choice([None, 0.3, 0.9], 2).tolist() if rng.random() < 0.8 else None for w in sorted({*workers})}
    usual = estimate([])
    skills = [known[w] and replace(usual, event_hit=known[w][0], event_false_alarm=known[w][1]) for w in workers]
    persons = [known[w] or (None, None) for w in sorted({*workers})]
    found = judge(groups, workers, skills, needed)
    chances, exist = [], []
    for group in groups:
        votes = np.array([[any(m.worker == w for m in group) for w in known]])
        hits = [HIT if hit is None else hit for hit, _ in persons]
        alarms = [FALSE_ALARM if alarm is None else alarm for _, alarm in persons]
        odds = log_odds(votes, np.array(hits), np.array(alarms), lengths_of([group]), coincidence=BY_CHANCE)
        chances.append(1 / (1 + math.exp(-odds[0])))
        exist.append(votes.sum() >= needed)
    assert found.number == pytest.approx(sum(chances))
    want = [p if there else 1 - p for p, there in zip(chances, exist, strict=True)]
    assert found.certain.tolist() == pytest.approx(want)
    votes = votes_of(groups, [*known])
    finds = np.array([FINDS if hit is None else hit for hit, _ in persons])
    off, one, none = np.array([misplaced(group) for group in groups]), np.ones(len(groups)), np.zeros(len(groups))
    things = Known(logit(chances), np.array(exist, bool), votes, none > 0, off, one, none)
    assert found.gain == pytest.approx(expected_gain(things, finds))


def misplaced(group: list[Mark]) -> float:
    """1 − the share of frames of either that marks have in common with the event, on average."""
    starts, stops = ([getattr(m.interval, end) for m in group] for end in ("start", "stop"))
    event = {*range(math.floor(median(starts) + 0.5), math.floor(median(stops) + 0.5))}
    some = [{*range(*ends)} for ends in zip(starts, stops, strict=True)]
    return sum(1 - len(one & event) / len(one | event) for one in some) / len(some)


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1), max_size=6), st.integers(0, 6), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 9))
def test_the_gain_of_both_is_the_mean_over_all_there_is_likely_to_be(certain, objects, gain, of_events, events):
    objects = min(objects, len(certain))
    real = [p if k < objects else 1 - p for k, p in enumerate(certain)]
    want = (sum(p * gain for p in real) + events * of_events) / (sum(real) + events)
    assert with_events(gain, np.array(certain), objects, Events(of_events, events, np.zeros(0))) == pytest.approx(want)
