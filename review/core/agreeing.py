"""How far submissions agree with the consensus that was made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from annotation.core.likeness import things, together
from annotation.core.matching import track_soft_fs
from annotation.core.tracks import Dense, Tracks, fill_all


def agreements(drawn: Mapping[str, Tracks], made: Tracks, merged: Dense) -> dict[str, float]:
    """How alike each submission, by its id, is to a consensus with the objects `merged` on all its frames: the soft F
    of tracks and intervals together.

    All were asked about the same labels, so an interval that the consensus lacks counts too. A single submission agrees
    with itself.
    """
    if len(drawn) == 1:
        return dict.fromkeys(drawn, 1.0)
    filled = fill_all((source.tracks for source in drawn.values()), made.start, made.stop)
    scores = zip(drawn.items(), filled, track_soft_fs(filled, merged), strict=True)
    return {
        id: together(score, things(dense, merged), source.intervals, made.intervals)
        for (id, source), dense, score in scores
    }


def timed(made: Tracks, drawn: Iterable[Tracks]) -> bool:
    """Whether a consensus has no object, and there are intervals in it or in what it was made of."""
    return not made.tracks and any(source.intervals for source in (made, *drawn))
