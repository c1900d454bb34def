"""Clusters that hold one object's end and another's beginning."""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Track, Tracks, make_track
from review.core.dividing import divide
from review.core.stacking import stack

FRAMES = 21


def drawn(*presences: range, x: float = 0.0) -> Track:
    """One drawing that is there on some ranges of frames, and does not move."""
    here = sorted(f for some in presences for f in some)
    gone = [some.stop for some in presences if some.stop < FRAMES]
    box = dict.fromkeys(here, [x, 0, x + 40, 60]) | dict.fromkeys(gone, [np.nan] * 4)
    at = sorted(box)
    return make_track("", "car", at, [box[f] for f in at], outside=[f in gone for f in at])


def shown(member: np.ndarray) -> list[str]:
    return ["".join("." if k < 0 else str(k) for k in row) for row in member.tolist()]


def divided(*workers: tuple[Track, ...], weights: list[float] | None = None) -> list[str]:
    block = stack([Tracks(0, FRAMES, tracks) for tracks in workers], 0, FRAMES)
    return shown(divide(block, np.where(block.present, 0, -1), np.array(weights or [1.0] * len(workers))))


def test_two_drawings_one_after_the_other_are_two_objects_where_most_have_two():
    parts = drawn(range(8, 12)), drawn(range(12, FRAMES), x=20.0)
    assert divided((drawn(range(10, FRAMES)),), parts, parts) == [
        "..........11111111111",
        "........0000.........",
        "............111111111",
        "........0000.........",
        "............111111111",
    ]


def test_who_ends_one_drawing_and_goes_on_with_another_in_the_same_place_follows_one_object():
    parts = drawn(range(8, 12)), drawn(range(12, FRAMES))
    assert set("".join(divided((drawn(range(10, FRAMES)),), parts, parts))) == {"0", "."}


def test_who_begins_anew_where_it_was_hidden_does_not_outvote_who_leads_across():
    whole = (drawn(range(FRAMES)),)
    for moved, parts in ((4.0, "0"), (25.0, "01")):
        anew = drawn(range(9)), drawn(range(13, FRAMES), x=moved)
        assert set("".join(divided(whole, anew, anew))) == {*parts, "."}


def test_who_leads_across_by_two_drawings_is_no_reason_to_let_others_begin_anew():
    pieces = drawn(range(10)), drawn(range(11, FRAMES))
    anew = drawn(range(9)), drawn(range(13, FRAMES), x=4.0)
    assert set("".join(divided(pieces, anew, anew))) == {"0", "1", "."}


def test_a_cut_that_leaves_nothing_on_one_side_is_none():
    # The whole one is cut once, and all that any drawing of its first part has before the next cut is one frame.
    parts = drawn(range(7, 17)), drawn(range(17, FRAMES), x=20.0)
    whole = drawn(range(1), range(9, FRAMES))
    assert divided((whole,), parts, parts) == [
        "0........000000111111",
        ".......0000000000....",
        ".................1111",
        ".......0000000000....",
        ".................1111",
    ]


def test_a_brief_object_is_one_though_nobody_can_lead_far_across_its_middle():
    drawings = [(drawn(range(a, b)),) for a, b in ((2, 13), (1, 12), (3, 11), (3, 11))]
    assert divided(*drawings, weights=[1.0, 1.0, 1.2, 1.2]) == [
        "..00000000000........",
        ".00000000000.........",
        "...00000000..........",
        "...00000000..........",
    ]
