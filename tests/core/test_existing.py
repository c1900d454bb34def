"""Is it an object or an invention: what the lengths of both say."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.boxes import iou_aligned
from annotation.core.tracks import Tracks, make_track
from crowd.core.skill import Skill, estimate
from review.core.consensus import Submission, make_consensus
from review.core.existing import (
    BRIEF,
    HARD,
    HARDER,
    LENGTHS,
    MOST_MISSED,
    SUPPORT,
    TWICE,
    drawn_twice,
    length_odds,
    log_odds,
    odds_by_length,
    supporters,
    vote_counts,
)
from review.core.learning import Answers, learn

FRAMES = 100


@pytest.mark.parametrize(
    ("second", "label", "how", "told"),
    [
        ({0: 2.0}, 0, "by one of three who drew it elsewhere by a little", True),
        ({0: 2.0, 1: 3.0}, 0, "by two of three, so that most say that there are two", False),
        ({0: 2.0}, 1, "as something else: a rider and a bicycle", False),
        ({0: 30.0}, 0, "elsewhere", False),
        ({3: 2.0}, 0, "by somebody who drew only this", False),
    ],
)
def test_a_second_drawing_of_an_object_is_told_from_a_second_object(second, label, how, told):
    boxes = np.full((2, 4, FRAMES, 4), np.nan)
    for worker in range(3):
        boxes[0, worker] = [worker, 0.0, worker + 40.0, 60.0]
    for worker, shift in second.items():
        boxes[1, worker, 20:] = [shift, 0.0, shift + 40.0, 60.0]
    drawn = ~np.isnan(boxes[..., 0])
    named = drawn.any(axis=2)[..., None] & (np.array([0, label])[:, None, None] == np.arange(2))
    assert drawn_twice(boxes, drawn, named).tolist() == [False, told], how


def test_who_draws_an_object_twice_does_not_make_it_two():
    alone = [submit_boxes([x]) for x in (0.0, 1.0, 6.0)]
    twice = [submit_boxes([0.0, 5.0]), *alone[1:]]
    for crowd in (alone, twice):
        some = [Submission(str(n), f"w{n}", tracks, estimate([])) for n, tracks in enumerate(crowd)]
        made = make_consensus(some, 0, FRAMES, lone=True)
        assert len(made.tracks.tracks) == 1 and made.gain < 0.1


def submit_boxes(places: list[float]) -> Tracks:
    boxes = [[[x, 0.0, x + 40.0, 60.0]] * FRAMES for x in places]
    return Tracks(0, FRAMES, tuple(make_track(str(k), "car", range(FRAMES), b) for k, b in enumerate(boxes)))


def test_lengths_say_nothing_where_nothing_was_seen():
    assert np.array_equal(length_odds(np.zeros(0, int), np.zeros(0), np.zeros(0)), np.zeros(len(LENGTHS) + 1))


def test_lengths_say_nothing_where_inventions_last_as_long_as_objects():
    frames = np.tile([5, 20, 90], 40)
    real = np.repeat([1.0, 0.0], 60)
    assert np.abs(length_odds(frames, real, np.ones(120))).max() < 0.05


def test_what_is_brief_is_an_invention_where_inventions_are_brief():
    frames, real = np.array([10] * 30 + [90] * 100), np.array([0.0] * 30 + [1.0] * 100)
    odds = length_odds(frames, real, np.ones(130))
    brief, long = np.searchsorted(LENGTHS, [10, 90], side="right")
    assert odds[brief] < -1.5 and odds[long] > 1.0


def test_a_few_drawings_say_little():
    few, many = (length_odds(np.array([10, 90] * n), np.array([0.0, 1.0] * n), np.ones(2 * n)) for n in (1, 100))
    assert np.abs(few).max() < 0.8 < 2 < np.abs(many).max()


def test_what_spammers_invent_says_nothing_about_the_inventions_of_others():
    frames, real = np.array([90] * 50 + [10] * 30 + [90] * 100), np.array([0.0] * 80 + [1.0] * 100)
    spammers = np.array([0.0] * 50 + [1.0] * 130)
    assert length_odds(frames, real, spammers) == pytest.approx(
        length_odds(frames[50:], real[50:], spammers[50:]), abs=0.2
    )


def test_lengths_are_those_of_whoever_drew_a_cluster():
    lengths = np.zeros((2, len(LENGTHS) + 1))
    lengths[0, 0], lengths[1, 0] = -2.0, -1.0
    votes = np.array([[True, False], [False, True], [True, True], [False, False]])
    assert odds_by_length(np.array([3, 3, 3, 3]), votes, lengths).tolist() == [-2.0, -1.0, -1.5, 0.0]
    assert odds_by_length(np.array([300] * 4), votes, lengths).tolist() == [0.0] * 4


def test_of_unknown_lengths_nothing_is_said():
    votes, known = np.array([[True, True], [False, True]]), [-2.0] * (len(LENGTHS) + 1)
    assert odds_by_length(np.array([3, 3]), votes, [known, ()]).tolist() == [-2.0, 0.0]
    assert odds_by_length(np.array([3, 3]), votes, [known, [9.0]]).tolist() == [-2.0, 0.0]
    assert odds_by_length(np.array([3]), votes[:1], [(), ()]).tolist() == [0.0]


@pytest.mark.parametrize("objects", [20, 1000])
def test_a_length_that_nothing_had_says_nothing_and_one_doubtful_cluster_little(objects: int):
    frames, real = np.array([90] * objects), np.ones(objects)
    assert np.abs(length_odds(frames, real, np.ones(objects))).max() < 0.2
    one = length_odds(np.append(frames, 30), np.append(real, 0.5), np.ones(objects + 1))
    assert np.abs(one).max() < 1


def test_a_skill_with_lengths_comes_back_from_json():
    skill = replace(estimate([]), lengths=(0.5, -0.25))
    assert Skill.from_json(json.loads(json.dumps(skill.to_json()))) == skill
    old = {k: v for k, v in skill.to_json().items() if k != "lengths"}
    assert Skill.from_json(old).lengths == ()


def drawn(rng: np.random.Generator, worker: int) -> Tracks:
    """Four objects all the time, of which one in four is missed, and now and then an invention of ten frames."""
    tracks = []
    for k in range(4):
        if rng.random() < 0.75:
            box = np.array([100.0 * k, 0, 100.0 * k + 40, 80]) + rng.normal(0, 1, 4)
            tracks.append(make_track(str(k), "person", [0, FRAMES - 1], [box, box]))
    if rng.random() < 0.6:
        first = int(rng.integers(FRAMES - 10))
        box = np.array([600.0 + 50 * worker, 300, 640 + 50 * worker, 380])
        gone = [[np.nan] * 4]
        at = [first, first + 9, first + 10] if first + 10 < FRAMES else [first, first + 9]
        tracks.append(
            make_track("x", "person", at, [box, box, *gone][: len(at)], outside=[False, False, True][: len(at)])
        )
    return Tracks(0, FRAMES, tuple(tracks))


def test_a_lone_drawing_exists_if_it_is_long_where_inventions_are_brief():
    rng = np.random.default_rng(1)
    names = ("a", "b", "c")
    answers = [Answers(0, FRAMES, names, tuple(drawn(rng, w) for w in range(3))) for _ in range(40)]
    skills = learn(answers).skills
    assert skills["a"].lengths[1] < -1 < 0.5 < skills["a"].lengths[4]

    box = np.array([500.0, 500, 540, 580])
    kept = {}
    for last in (9, FRAMES - 1):
        at, gone = ([0, last], []) if last == FRAMES - 1 else ([0, last, last + 1], [[np.nan] * 4])
        outside = [False, False, True][: len(at)]
        alone = Tracks(0, FRAMES, (make_track("1", "person", at, [box, box, *gone], outside=outside),))
        for said in (skills, {n: replace(skill, lengths=()) for n, skill in skills.items()}):
            given = [Submission(n, n, alone if n == "a" else Tracks(0, FRAMES), said[n]) for n in names[:2]]
            made = make_consensus(given, 0, FRAMES, lone=True)
            kept[last + 1, said is skills] = len(made.tracks.tracks)
    assert kept == {(10, True): 0, (FRAMES, True): 1, (10, False): 0, (FRAMES, False): 0}


def test_what_is_there_for_long_is_the_less_likely_to_have_been_overlooked_by_most():
    hits, alarms = np.full(3, 0.9), np.full(3, 0.05)
    lone, two = np.array([[True, False, False]] * 3), np.array([[True, True, False]] * 3)
    brief, longer, longest = log_odds(lone, hits, alarms, np.array([1, 30, 300]))
    assert brief > longer > longest
    assert np.ptp(log_odds(two, hits, alarms, np.array([1, 30, 300]))) < (brief - longest) / 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_second_drawings_are_those_that_every_pair_says(seed: int):
    rng = np.random.default_rng(seed)
    k, workers, n = int(rng.integers(1, 9)), int(rng.integers(2, 6)), 12
    drawn = (rng.random((k, workers, 1)) < 0.6) & (rng.random((k, workers, n)) < 0.8)
    corner = rng.uniform(0, 15, (k, 1, 1, 2)) + rng.normal(0, 1, (k, workers, n, 2))
    boxes = np.where(drawn[..., None], np.concatenate([corner, corner + 30], axis=-1), np.nan)
    there = drawn.any(axis=2)
    named = there[..., None] & (rng.random((k, workers, 2)) < 0.8)

    def lies_on(a: int, b: int, w: int) -> bool:
        both = drawn[a, w] & drawn[b, w]
        alike = iou_aligned(boxes[a, w, both], boxes[b, w, both]).sum() / drawn[a, w].sum()
        return bool(alike >= TWICE and (named[a, w] & named[b, w]).any())

    for a in range(k):
        who = np.flatnonzero(there[a])
        larger = [b for b in range(k) if len(who) and 2 * len(who) <= there[b].sum()]
        told = any(all(there[b, w] and lies_on(a, b, w) for w in who) for b in larger)
        assert drawn_twice(boxes, drawn, named)[a] == told


def naive_odds(votes: list[bool], hits, alarms, frames: int, asked: list[bool], coincidence: float) -> float:
    """Of one cluster, from the chances that each of those who saw the segment did what they did."""
    hits, alarms = ([min(max(x, low), 0.98) for x in some] for some, low in ((hits, 0.02), (alarms, 0.005)))
    hard, there = HARD * min(1.0, BRIEF / max(1, frames)), 0.0
    for share, harder in ((1 - hard, 1.0), (hard, HARDER)):
        for drew, saw, hit in zip(votes, asked, hits, strict=True):
            missed = max(min(harder * (1 - hit), MOST_MISSED), min(1 - hit, MOST_MISSED))
            share *= 1 - missed if drew else missed if saw else 1.0
        there += share
    inventors = [hit * a / (1 - a) for drew, hit, a in zip(votes, hits, alarms, strict=True) if drew]
    invented = sum(inventors) * coincidence ** (len(inventors) - 1)
    return math.log(there / invented) if inventors else -math.inf


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.1, 1.0]), st.booleans())
def test_odds_are_those_of_each_clusters_votes_one_by_one(seed: int, coincidence: float, everybody: bool):
    rng = np.random.default_rng(seed)
    k, w = rng.integers(0, 6), rng.integers(1, 6)
    votes, frames = rng.random((k, w)) < 0.5, rng.choice([0, 1, 8, 9, 300], k)
    hits, alarms = rng.choice([0.0, 0.05, 0.5, 0.9, 1.0], w), rng.choice([0.0, 0.1, 0.6, 1.0], w)
    asked = np.ones((k, w), bool) if everybody else votes | (rng.random((k, w)) < 0.5)
    found = log_odds(votes, hits, alarms, frames, None if everybody else asked, coincidence)
    rows = zip(votes.tolist(), frames.tolist(), asked.tolist(), strict=True)
    want = [naive_odds(v, hits.tolist(), alarms.tolist(), n, saw, coincidence) for v, n, saw in rows]
    assert found.tolist() == pytest.approx(want, rel=1e-9, abs=1e-9)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_who_drew_an_object_and_whose_lengths_speak_of_it_is_asked_one_by_one(seed: int):
    rng = np.random.default_rng(seed)
    k, w, n = rng.integers(0, 5), rng.integers(0, 5), rng.integers(0, 12)
    drawn = rng.random((k, w, n)) < rng.choice([0.0, 0.1, 0.9], (k, w, 1))
    count = drawn.sum(axis=2).tolist()
    votes = supporters(drawn)
    assert votes.tolist() == [[c > 0 and c >= SUPPORT * max(own) for c in own] for own in count]
    names = [f"w{at}" for at in rng.integers(0, 3, w)]
    persons = vote_counts(votes, names) if w else np.zeros((k, 0), bool)
    for row, own in zip(persons.tolist(), votes.tolist(), strict=True):
        assert row == [any(v for v, name in zip(own, names, strict=True) if name == p) for p in sorted({*names})]
    frames = rng.choice([0, 7, 8, 31, 256, 1000], k)
    lengths = [tuple(rng.normal(0, 1, rng.choice([0, len(LENGTHS) + 1])).tolist()) for _ in range(w)]
    place = [sum(edge <= f for edge in LENGTHS) for f in frames.tolist()]
    said = [[o[at] for v, o in zip(own, lengths, strict=True) if v and o] for own, at in zip(votes, place, strict=True)]
    want = [sum(some) / max(1, len(some)) for some in said]
    assert odds_by_length(frames, votes, lengths).tolist() == pytest.approx(want)
