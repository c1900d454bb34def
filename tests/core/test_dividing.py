"""Clusters that hold one object's end and another's beginning."""

from __future__ import annotations

import numpy as np

from annotation.core.tracks import Track, Tracks, make_track
from review.core.dividing import divide
from review.core.stacking import stack

FRAMES = 21


def drawn(*presences: range) -> Track:
    """One drawing that is there on some ranges of frames."""
    here = sorted(f for some in presences for f in some)
    gone = [some.stop for some in presences if some.stop < FRAMES]
    box = dict.fromkeys(here, [0.0, 0, 40, 60]) | dict.fromkeys(gone, [np.nan] * 4)
    at = sorted(box)
    return make_track("", "car", at, [box[f] for f in at], outside=[f in gone for f in at])


def test_a_cut_that_leaves_nothing_on_one_side_is_none():
    # Two drew it in two parts; all that any drawing has before the second is one frame.
    parts = drawn(range(8, 12)), drawn(range(12, FRAMES))
    whole = drawn(range(1), range(10, FRAMES))
    block = stack([Tracks(0, FRAMES, tracks) for tracks in ((whole,), parts, parts)], 0, FRAMES)
    member = np.where(block.present, 0, -1)
    assert (divide(block, member, np.ones(3)) == member).all()
