"""Stitching what thousands of tracks in one place make of it."""

from __future__ import annotations

from annotation.core import absences, linking
from annotation.core.piling import MOST
from annotation.core.stitching import SegmentTracks, stitch
from annotation.core.tracks import Tracks, make_track


def test_of_heaps_at_a_border_a_few_are_weighed(monkeypatch):
    weighed = []
    weigh = linking._weigh
    monkeypatch.setattr(linking, "_weigh", lambda *args: weighed.append(len(args[3])) or weigh(*args))

    def heap(start, stop):
        still = [make_track("a", "car", [start], [[500, 500, 540, 540]])]
        same = [make_track(str(k), "car", [start], [[10, 10, 50, 90]]) for k in range(200)]
        return SegmentTracks(str(start), start, stop, Tracks(start, stop, (*still, *same)))

    stitched = stitch([heap(0, 60), heap(50, 110)])
    assert (("0", "a"), ("50", "a")) in [(join.left, join.right) for join in stitched.joins]
    assert weighed == [MOST**2 + 1]


def test_pairs_that_are_weighed_some_at_a_time_are_joined_as_all_at_once(monkeypatch):
    segments = [
        SegmentTracks(
            str(a),
            a,
            a + 40,
            Tracks(a, a + 40, tuple(make_track(str(k), "car", [a], [[9 * k, 0, 9 * k + 40, 60]]) for k in range(9))),
        )
        for a in (0, 30, 60)
    ]
    at_once = stitch(segments)
    monkeypatch.setattr(linking, "AT_ONCE", 7)
    assert stitch(segments).joins == at_once.joins and len(at_once.joins) == 18


def test_ends_that_are_weighed_some_at_a_time_are_joined_as_all_at_once(monkeypatch):
    def walked(start, first, last):
        boxes = [[[5 * f + 60 * k, 0, 5 * f + 60 * k + 40, 60] for f in (first, last)] for k in range(9)]
        gone = [last + 1] * (last + 1 < start + 40)
        shown = [b + b[-1:] * len(gone) for b in boxes]
        outside = [False, False, True][: 2 + len(gone)]
        tracks = (make_track(str(k), "car", [first, last, *gone], b, outside=outside) for k, b in enumerate(shown))
        return SegmentTracks(str(start), start, start + 40, Tracks(start, start + 40, tuple(tracks)))

    segments = [walked(0, 0, 20), walked(30, 45, 69)]
    at_once = stitch(segments)
    monkeypatch.setattr(absences, "AT_ONCE", 7)
    assert stitch(segments).joins == at_once.joins and {j.kind for j in at_once.joins} == {"gap"}


def test_of_heaps_of_open_ends_a_few_are_joined():
    def heap(start, first, last):
        boxes = [[500, 500, 540, 540]] * 2
        track = make_track("a", "car", [first, last, last + 1], [*boxes, boxes[0]], outside=[False, False, True])
        boxes = [[10, 10, 50, 90]] * 3
        more = [
            make_track(str(k), "car", [first, last, last + 1], boxes, outside=[False, False, True]) for k in range(300)
        ]
        return SegmentTracks(str(start), start, start + 40, Tracks(start, start + 40, (track, *more)))

    stitched = stitch([heap(0, 5, 20), heap(30, 45, 60)])
    assert (("0", "a"), ("30", "a")) in [(join.left, join.right) for join in stitched.joins]
    assert len(stitched.joins) == MOST + 1
