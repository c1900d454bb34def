"""What a reviewer sees of a doubtful join."""

from __future__ import annotations

import pytest

from annotation.core.tracks import Tracks
from review.models import Consensus, Join
from review.showing import pictures
from tests.review.rows import accepted, decide_anew, walker, walkers

pytestmark = pytest.mark.django_db


def join_of(rows: list[Consensus], left: int, right: int, row: int = 1) -> Join:
    one, other = rows[left].segment, rows[right].segment
    ends = {"left_segment": one, "left_track": f"{one.start}-{row}"}
    ends |= {"right_segment": other, "right_track": f"{other.start}-{row}"}
    return Join.objects.create(video=rows[left].video, kind="border", confidence=0.5, **ends)


def test_a_join_is_seen_before_the_border_on_it_and_after_it() -> None:
    rows = accepted(2)  # frames 0 to 30 and 24 to 54
    seen = pictures(join_of(rows, 0, 1))
    assert [(p.name, p.frame, [m.side for m in p.marks]) for p in seen] == [
        ("Before", 23, ["left"]),
        ("Both", 27, ["left", "right"]),
        ("After", 30, ["right"]),
    ]


def test_an_absence_is_seen_at_its_two_ends_alone() -> None:
    seen = pictures(join_of(accepted(3), 0, 2))  # the third begins at 48
    assert [(p.name, p.frame) for p in seen] == [("Before", 29), ("After", 48)]


def test_every_picture_shows_its_boxes_at_one_scale_and_within_the_frame() -> None:
    rows = accepted(2)
    for row in range(3):
        seen = pictures(join_of(rows, 0, 1, row))
        assert len({p.view[2:] for p in seen}) == 1
        for picture in seen:
            x, y, width, height = picture.view
            assert x >= 0 and y >= 0 and x + width <= 1280 and y + height <= 720
            for mark in picture.marks:
                assert x <= mark.x and mark.x + mark.width <= x + width
                assert y <= mark.y and mark.y + mark.height <= y + height


def test_of_a_track_that_was_decided_away_there_is_nothing_to_see() -> None:
    rows = accepted(2)
    join = join_of(rows, 0, 1)
    segment = rows[1].segment
    decide_anew(rows[1], Tracks(segment.start, segment.stop, (walker(segment.start, segment.stop, 0),)))
    assert pictures(join) == []
    assert pictures(join_of(rows, 0, 1, 0)) != []


def test_a_box_as_large_as_the_frame_is_shown_whole() -> None:
    huge = lambda start, stop: walkers(start, stop, count=1, label="person")  # noqa: E731
    rows = accepted(2, huge)
    rows[0].video.width, rows[0].video.height = 50, 60
    join = join_of(rows, 0, 1, 0)
    join.video = rows[0].video
    for picture in pictures(join):
        assert picture.view[2] <= 50 and picture.view[3] <= 60 and picture.width <= 50
