"""What a consensus says of its objects in words: attributes and events."""

from __future__ import annotations

from annotation.core.tracks import Interval, Track, Tracks, make_track
from review.core.consensus import Consensus, Submission, make_consensus

STOP = 40


def drawn(left: float = 0, label: str = "car", **more) -> Track:
    return make_track("mine", label, [0], [[left, 0, left + 40, 60]], **more)


def agree(*each: tuple[str, tuple[Track, ...], tuple[Interval, ...]]) -> Consensus:
    given = [Submission(f"s{i}", who, Tracks(0, STOP, own, events)) for i, (who, own, events) in enumerate(each)]
    return make_consensus(given, 0, STOP)


def test_attributes_are_those_that_its_label_has():
    car = drawn(attributes={"wheels": 4})
    bus = drawn(label="bus", attributes={"decks": 2}, changes={0: {"doors": "open"}})
    (track,) = agree(("ann", (car,), ()), ("bob", (car,), ()), ("cid", (bus,), ())).tracks.tracks
    assert (track.label, track.attributes, track.changes) == ("car", {"wheels": 4}, {})


def test_an_event_of_what_is_no_object_is_none_of_the_scene():
    fight = (Interval("fights", 12, 20, "mine"),)
    made = agree(("ann", (drawn(0),), fight), ("bob", (drawn(500),), fight), ("cid", (), ()))
    assert (made.tracks.tracks, made.tracks.intervals) == ((), ())
    together = agree(("ann", (drawn(0),), fight), ("bob", (drawn(1),), fight), ("cid", (), ()))
    assert together.tracks.intervals == (Interval("fights", 12, 20, "1"),)


def test_an_event_needs_persons_as_an_object_does():
    rain = (Interval("rain", 12, 20),)
    made = agree(("ann", (drawn(),), rain), ("ann", (drawn(),), rain), ("bob", (), ()))
    assert (made.tracks.tracks, made.tracks.intervals) == ((), ())
