"""The public contract's JSON, read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from annotation.core.json_input import InvalidJson, load_json
from annotation.core.parsing import InvalidTracks, Limits, parse_tracks
from annotation.core.problems import Problem
from annotation.core.tracks import Track, Tracks
from annotation.core.values import name_problem
from annotation.formats.archives import AT, MAX_BYTES, InvalidFile, the_member
from annotation.formats.assembling import Target

# A file holds a whole video, a submission a segment.
LIMITS = Limits(tracks=100_000, keyframes=20_000_000, intervals=100_000)
MAX_CONTAINERS = 60_000_000


def read_json(data: bytes, target: Target | None = None, *, video: str | None = None) -> Tracks:
    """Tracks and intervals from a document, or from a zip with `tracks.json` (`video` names one of several).

    Confidence, and `support` and `disputes` of the provenance, come back with the tracks. InvalidFile names what is
    wrong by its place, such as `/tracks/0/keyframes/3/points`.
    """
    target = target or Target()
    try:
        document = load_json(the_member(data, "tracks.json", video), MAX_BYTES, max_containers=MAX_CONTAINERS)
        tracks = parse_tracks(
            document,
            ontology=target.ontology,
            start=0,
            stop=target.frame_count if target.frame_count is not None else _frame_count(document),
            width=target.width,
            height=target.height,
            limits=LIMITS,
        )
    except (InvalidJson, InvalidTracks) as error:
        raise InvalidFile([Problem(AT, f"{p.pointer}: {p.message}".lstrip(": ")) for p in error.errors]) from None
    said = zip(tracks.tracks, document["tracks"], strict=True)
    return replace(tracks, tracks=tuple(_with_origin(track, item) for track, item in said))


def _frame_count(document: Any) -> int:
    """The video's length as the document says it; without it, any frame is taken."""
    video = document.get("video") if isinstance(document, dict) else None
    count = video.get("frame_count") if isinstance(video, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 < count < 2**31 else 2**31


def _with_origin(track: Track, item: Mapping[str, Any]) -> Track:
    confidence, origin = item.get("confidence"), item.get("provenance")
    if isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1:
        track = replace(track, confidence=float(confidence))
    origin = origin if isinstance(origin, dict) else item
    support, disputes = origin.get("support"), origin.get("disputes")
    if isinstance(support, list) and not any(map(name_problem, support)):
        track = replace(track, support=tuple(support))
    if isinstance(disputes, list) and all(_is_range(d) for d in disputes):
        track = replace(track, disputes=tuple((a, b) for a, b in disputes))
    return track


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(v) is int and abs(v) < 2**31 for v in value)
