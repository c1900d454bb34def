"""What stitching takes and gives: segments with their tracks, joins between tracks, identities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from annotation.core.tracks import Tracks

Ref = tuple[str, str]  # (segment key, track id)
Pair = tuple[Ref, Ref]


@dataclass(frozen=True, eq=False, slots=True)
class SegmentTracks:
    """The accepted tracks of one segment, frames `[start, stop)` of the video; `key` names the segment for ever."""

    key: str
    start: int
    stop: int
    tracks: Tracks


class Join(NamedTuple):  # not a frozen dataclass, which takes several times as long to make
    """Two tracks taken for one object: the earlier is `left`.

    `kind` is "border" between neighbours, by the frames that both show or nearly do, and "gap" over an absence.
    `similarity` is what was compared, 0 to 1; `margin` what the next best answer loses of it, times the square root of
    the evidence; `confidence` the share of such joins that is right in simulations; `shared` the number of frames on
    which both are present, `error` how far their edges lie apart there (root mean square, in sides of the box), and
    `nearest` how far on the frames on which they are nearest (lower quartile of the frames, three at least).
    `rivals` are the tracks that either end might have been joined with instead, with their similarities, best first.
    `decided` marks a reviewer's verdict.
    """

    left: Ref
    right: Ref
    kind: Literal["border", "gap"]
    confidence: float
    doubtful: bool
    similarity: float = 1.0
    margin: float = 1.0
    shared: int = 0
    error: float = 0.0
    decided: bool = False
    rivals: tuple[tuple[Ref, float], ...] = ()
    nearest: float = 0.0


@dataclass(frozen=True, slots=True)
class Stitched:
    """Joins (best guesses, doubtful ones marked) and the public identity of every track, counted from 1.

    `borders` counts the borders that the call computed; `next_identity` is the first number never given out;
    `refused` are verdicts of "same" that contradict other verdicts or would join two tracks of one segment.
    """

    joins: tuple[Join, ...] = ()
    identities: Mapping[Ref, int] = field(default_factory=dict)
    borders: int = 0
    next_identity: int = 1
    refused: tuple[Pair, ...] = ()
