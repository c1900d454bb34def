"""How alike two sources are: by their tracks, and where neither shows one by what they say happens."""

from __future__ import annotations

import pytest

from annotation.core import likeness
from annotation.core.likeness import soft_f
from annotation.core.tracks import Interval, Tracks, make_track
from crowd.core.feedback import telling_frames
from crowd.core.scoring import benchmark
from review.core.consensus import Submission, make_consensus

STILL = make_track("1", "car", [0], [[0, 0, 40, 40]])
AWAY = make_track("1", "car", [0, 100], [[0, 0, 40, 40]] * 2, outside=[False, True])


def said(*spans: tuple[int, int], label: str = "crossing", tracks: tuple = ()) -> Tracks:
    return Tracks(0, 200, tracks, tuple(Interval(label, start, stop) for start, stop in spans))


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        (said((10, 20)), said((10, 20)), 1.0),
        (said((10, 20)), said((15, 25)), 1 / 3),
        (said((10, 20)), said((10, 20), (40, 50)), 2 / 3),
        (said((10, 20)), said(), 0.0),
        (said((10, 20)), said((10, 20), label="cut"), 0.0),
        (said(), said(), 1.0),
        # A track is one thing that can be right, and an event another one.
        (said(tracks=(STILL,)), said((10, 20), tracks=(STILL,)), 2 / 3),
        (said((15, 25), tracks=(STILL,)), said((10, 20), tracks=(STILL,)), 2 / 3),
        (said((10, 20), (10, 20), tracks=(STILL,)), said((10, 20), tracks=(STILL,)), 4 / 5),
        (said((10, 20), tracks=(STILL,)), said((10, 20)), 2 / 3),
        # A reference of tracks alone says nothing of what happens.
        (said((10, 20), tracks=(STILL,)), said(tracks=(STILL,)), 1.0),
        (said((10, 20), tracks=(STILL,)), said(), 0.0),
    ],
)
def test_tracks_and_events_are_judged_by_their_number(a: Tracks, b: Tracks, alike: float) -> None:
    assert soft_f(a, b, 0, 200) == pytest.approx(alike)
    assert benchmark(a, b, 0, 200).soft_track_f == pytest.approx(alike)


def test_only_what_lies_in_the_range_is_compared() -> None:
    a, b = said((90, 110), tracks=(AWAY,)), said((100, 110), (150, 160))
    assert soft_f(a, b, 100, 120) == 1.0
    assert soft_f(a, b, 100, 200) == pytest.approx(2 / 3)


def test_a_heap_of_events_costs_little_and_counts_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "MOST", 3)
    many = said(*((i, i + 1) for i in range(10)))
    assert soft_f(many, many, 0, 200) == pytest.approx(2 * 3 / 20)


def test_gold_of_events_says_how_many_it_holds() -> None:
    gold = said((10, 20), (50, 60))
    found = benchmark(said((10, 20)), gold, 0, 40)
    assert (found.intervals, found.interval_f) == (1, 1.0)
    missed = benchmark(said(tracks=(STILL,)), gold, 0, 40)
    assert (missed.intervals, missed.interval_f) == (1, 0.0)
    unasked = benchmark(said((10, 20), tracks=(STILL,)), said(tracks=(STILL,)), 0, 40)
    assert (unasked.intervals, unasked.interval_f) == (0, None)


def test_a_consensus_of_events_tells_who_agrees_with_it() -> None:
    drawn = {"a": said((10, 30)), "b": said((10, 30)), "c": said()}
    made = make_consensus([Submission(name, name, tracks) for name, tracks in drawn.items()], 0, 200)
    assert made.tracks.intervals == said((10, 30)).intervals
    assert made.scores == {"a": 1.0, "b": 1.0, "c": 0.0}
    alike = make_consensus([Submission(name, name, drawn["a"]) for name in "abc"], 0, 200)
    assert made.agreement == pytest.approx(2 / 3)
    assert made.confidence == pytest.approx(alike.confidence * 2 / 3)


def test_an_event_that_one_of_two_marks_beside_an_object_lowers_their_agreement() -> None:
    drawn = {"a": said((10, 30), tracks=(STILL,)), "b": said(tracks=(STILL,))}
    made = make_consensus([Submission(name, name, tracks) for name, tracks in drawn.items()], 0, 200)
    assert made.tracks.intervals == ()
    assert made.scores == {"a": pytest.approx(2 / 3), "b": 1.0}


def test_who_trains_sees_frames_on_which_something_else_happens() -> None:
    first, second, third = telling_frames(said((70, 80)), said((70, 80), (100, 110)))
    assert [frame["agreement"] for frame in (first, second, third)] == [1.0, 0.0, 1.0]
    assert 100 <= second["frame"] < 110
    assert second["intervals"] == {"yours": [], "gold": [{"label": "crossing", "start": 100, "stop": 110}]}
    assert "intervals" not in telling_frames(said(tracks=(STILL,)), said(tracks=(STILL,)))[0]


def test_who_trains_sees_what_they_missed_beside_boxes() -> None:
    second = telling_frames(said(tracks=(STILL,)), said((100, 110), tracks=(STILL,)))[1]
    assert (100 <= second["frame"] < 110, second["agreement"]) == (True, pytest.approx(2 / 3))
    asked_of_boxes = telling_frames(said((100, 110), tracks=(STILL,)), said(tracks=(STILL,)))
    assert [frame["agreement"] for frame in asked_of_boxes] == [1.0] * 3
