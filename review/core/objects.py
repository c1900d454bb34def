"""What is true of a full-video track as a whole: put together from what its segments' tracks say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from annotation.core.joins import SegmentTracks
from annotation.core.tracks import Track


@dataclass(frozen=True)
class Object:
    """One full-video track: its number, and what is true of it as a whole."""

    number: int
    label: str
    start: int
    stop: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    confidence: float | None = None
    support: tuple[str, ...] = ()


class Growing:
    """An object that is put together segment by segment, in their order. Of what is read nothing is kept but what it
    says of the whole: a video of hours has tens of thousands of segments' tracks."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.start, self.stop = 2**62, 0
        self.labels: Counter[str] = Counter()
        # By label: what segments that call it something else say of it are attributes of another thing.
        self.votes: dict[str, dict[str, dict[str, list[Any]]]] = {}
        self.changes: dict[str, dict[int, dict[str, Any]]] = {}
        self.sure, self.weight = 0.0, 0
        self.support: dict[str, None] = {}
        self.reached: int | None = None

    def add(self, segment: SegmentTracks, track: Track) -> None:
        """The object's track in the next segment that has one."""
        start, stop = _span(segment, track)
        if not track.outside.all():  # it may be away for a whole segment, of which there are intervals
            self.start, self.stop = min(self.start, start), max(self.stop, stop)
        self.labels[track.label] += stop - start
        if track.confidence is not None:
            self.sure += track.confidence * max(stop - start, 1)
            self.weight += max(stop - start, 1)
        self.support |= dict.fromkeys(map(intern, track.support))
        self._vote(track, stop - start + 1)
        self._change(segment, track)

    def _vote(self, track: Track, frames: int) -> None:
        votes = self.votes.setdefault(track.label, {})
        for name, value in track.attributes.items():
            vote = votes.setdefault(name, {}).setdefault(repr(value), [0, value])
            vote[0] += frames

    def _change(self, segment: SegmentTracks, track: Track) -> None:
        """Mutable attributes over the borders: each segment has the word from the middle of its overlap on."""
        start, said = segment.start, track.changes
        begin = start if self.reached is None else max(start, (start + self.reached) // 2)
        changes = self.changes.setdefault(track.label, {})
        named = {name for change in said.values() for name in change}
        for frame in [f for f in changes if f >= begin and named]:
            changes[frame] = {name: value for name, value in changes[frame].items() if name not in named}
            if not changes[frame]:
                del changes[frame]
        state: dict[str, Any] = {}
        for frame in sorted(said):
            state |= said[frame]
            at = max(frame, begin)
            changes[at] = changes.get(at, {}) | (state if at == begin else dict(said[frame]))
        self.reached = segment.stop

    def grown(self) -> Object:
        """The object that the segments so far (at least one) make."""
        label = self.labels.most_common(1)[0][0]
        return Object(
            self.number,
            label,
            min(self.start, self.stop),
            self.stop,
            # What most frames' tracks say of the object as a whole.
            {name: max(found.values(), key=lambda v: v[0])[1] for name, found in self.votes[label].items()},
            dict(sorted(self.changes[label].items())),
            self.sure / self.weight if self.weight else None,
            tuple(self.support),
        )


def _span(segment: SegmentTracks, track: Track) -> tuple[int, int]:
    """From the first visible keyframe to where the track ends in its segment."""
    visible = track.frames[~track.outside]
    first = int(visible[0]) if len(visible) else segment.start
    last = int(track.frames[-1]) if len(track.frames) and track.outside[-1] else segment.stop
    return first, max(last, first)
