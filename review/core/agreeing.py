"""How far submissions agree with the consensus that was made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from annotation.core.likeness import intervals_soft_f
from annotation.core.matching import track_soft_fs
from annotation.core.tracks import Dense, Tracks, fill_all


def agreements(drawn: Mapping[str, Tracks], made: Tracks, merged: Dense) -> dict[str, float]:
    """The soft track F of each submission, by its id, with the objects of a consensus (`merged`, on all its frames).

    Where neither shows a track it is the soft F of their intervals. A single submission agrees with itself.
    """
    if len(drawn) == 1:
        return dict.fromkeys(drawn, 1.0)
    filled = fill_all((source.tracks for source in drawn.values()), made.start, made.stop)
    scores = dict(zip(drawn, track_soft_fs(filled, merged), strict=True))
    if merged.present.any():
        return scores
    nothing = [id for id, dense in zip(drawn, filled, strict=True) if not dense.present.any()]
    return scores | {id: intervals_soft_f(drawn[id].intervals, made.intervals) for id in nothing}


def timed(made: Tracks, drawn: Iterable[Tracks]) -> bool:
    """Whether a consensus has no object, and there are intervals in it or in what it was made of."""
    return not made.tracks and any(source.intervals for source in (made, *drawn))
