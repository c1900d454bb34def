"""Boxes gathered one at a time while a file is read."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

import numpy as np

from annotation.formats.assembling import Boxes

MADE = 90  # of the characters that an id may have; a number may follow


def _whole() -> array[int]:
    return array("q")


def _floats() -> array[float]:
    return array("d")


@dataclass(slots=True)
class Gathered:
    """Columns of `Boxes` in the making. One id with two labels makes two tracks; no id makes a track of one frame."""

    where: str = "line"
    frames: array[int] = field(default_factory=_whole)
    keys: array[int] = field(default_factory=_whole)
    corners: array[float] = field(default_factory=_floats)
    occluded: bytearray = field(default_factory=bytearray)
    lines: array[int] = field(default_factory=_whole)
    states: array[int] = field(default_factory=_whole)
    tracks: dict[tuple[str | None, str, int], int] = field(default_factory=dict)
    sets: dict[str, int] = field(default_factory=dict)
    attributes: list[Mapping[str, Any]] = field(default_factory=list)

    def add(
        self,
        line: int,
        frame: int,
        track: str | None,
        label: str,
        box: Sequence[float],
        occluded: bool = False,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        key = (track, label, line if track is None else 0)
        self.keys.append(self.tracks.setdefault(key, len(self.tracks)))
        self.frames.append(frame)
        self.corners.extend(box)
        self.occluded.append(occluded)
        self.lines.append(line)
        self.states.append(self._state(attributes or {}))

    def boxes(self) -> Boxes:
        return Boxes(
            frames=np.array(self.frames, np.int64),
            keys=np.array(self.keys, np.int64),
            boxes=np.array(self.corners, np.float64).reshape(-1, 4),
            occluded=np.array(self.occluded, np.uint8).astype(bool),
            lines=np.array(self.lines, np.int64),
            ids=self._ids(),
            labels=[label for _, label, _ in self.tracks],
            where=self.where,
            states=np.array(self.states, np.int64) if len(self.attributes) else None,
            attributes=self.attributes,
        )

    def _state(self, attributes: Mapping[str, Any]) -> int:
        key = repr(sorted(attributes.items(), key=lambda item: item[0])) if attributes else ""
        state = self.sets.setdefault(key, len(self.sets))
        if state == len(self.attributes):
            self.attributes.append(attributes)
        return state

    def _ids(self) -> list[str]:
        """The file's own ids, and new ones where it has none, or one for several tracks; no id is there twice."""
        times = Counter(track for track, _, _ in self.tracks)
        taken = {track for track in times if times[track] == 1}
        numbers, out = count(2), []
        for track, label, line in self.tracks:
            if track is None or times[track] > 1:
                plain = f"box-{line}" if track is None else f"{track}-{label}"[:MADE].strip()
                track = next(i for i in chain([plain], (f"{plain}-{n}" for n in numbers)) if i not in taken)
                taken.add(track)
            out.append(track)
        return out
