"""What is true of a full-video track as a whole: put together from what its segments' tracks say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.core.stitching import Ref, SegmentTracks
from annotation.core.tracks import Track


@dataclass(frozen=True)
class Object:
    """One full-video track: its number, its segments' tracks in order, and what is true of it as a whole."""

    number: int
    label: str
    sources: tuple[Ref, ...]
    start: int
    stop: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    confidence: float | None = None
    support: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """What is kept of one segment's track: what it says beside its boxes, and from where to where."""

    ref: Ref
    segment: tuple[int, int]
    span: tuple[int, int]
    label: str
    confidence: float | None
    support: tuple[str, ...]
    attributes: Mapping[str, Any]
    changes: Mapping[int, Mapping[str, Any]]


def part_of(segment: SegmentTracks, track: Track) -> Part:
    """What a segment's track says beside its boxes."""
    said = (track.label, track.confidence, track.support, track.attributes, track.changes)
    return Part((segment.key, track.id), (segment.start, segment.stop), _span(segment, track), *said)


def object_of(number: int, parts: list[Part]) -> Object:
    """The object whose tracks in its segments, in their order, are `parts` (at least one)."""
    labels: Counter[str] = Counter()
    for part in parts:
        labels[part.label] += part.span[1] - part.span[0]
    sure = [(p.confidence, p.span[1] - p.span[0]) for p in parts if p.confidence is not None]
    return Object(
        number,
        labels.most_common(1)[0][0],
        tuple(p.ref for p in parts),
        min(p.span[0] for p in parts),
        max(p.span[1] for p in parts),
        _attributes(parts),
        _changes(parts),
        float(np.average([c for c, _ in sure], weights=[max(n, 1) for _, n in sure])) if sure else None,
        tuple(dict.fromkeys(s for p in parts for s in p.support)),
    )


def _span(segment: SegmentTracks, track: Track) -> tuple[int, int]:
    """From the first visible keyframe to where the track ends in its segment."""
    visible = track.frames[~track.outside]
    first = int(visible[0]) if len(visible) else segment.start
    last = int(track.frames[-1]) if len(track.frames) and track.outside[-1] else segment.stop
    return first, max(last, first)


def _attributes(parts: list[Part]) -> dict[str, Any]:
    """What most frames' tracks say of the object as a whole."""
    votes: dict[str, dict[str, list[Any]]] = {}
    for part in parts:
        for name, value in part.attributes.items():
            vote = votes.setdefault(name, {}).setdefault(repr(value), [0, value])
            vote[0] += part.span[1] - part.span[0] + 1
    return {name: max(found.values(), key=lambda v: v[0])[1] for name, found in votes.items()}


def _changes(parts: list[Part]) -> dict[int, dict[str, Any]]:
    """Mutable attributes over the borders: each segment has the word from the middle of its overlap on."""
    changes: dict[int, dict[str, Any]] = {}
    reached = None
    for part in parts:
        start, stop = part.segment
        begin = start if reached is None else max(start, (start + reached) // 2)
        state: dict[str, Any] = {}
        for frame in sorted(part.changes):
            state |= part.changes[frame]
            at = max(frame, begin)
            changes[at] = dict(state) if at == begin else changes.get(at, {}) | dict(part.changes[frame])
        reached = stop
    return dict(sorted(changes.items()))
