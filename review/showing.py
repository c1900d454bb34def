"""What a reviewer looks at to tell whether two tracks are one object: crops of before, of what both show, of after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from annotation import recording
from annotation.core.tracks import Bools, Floats, fill_track
from annotation.models import TrackSet
from review.models import Consensus, Join

# A crop is so many times as long as the box's longer side, and no less than so many pixels: a box alone says little.
AROUND, LEAST = 3.0, 64.0
SHAPE = 4 / 3
# Pixels of a crop's width in the picture that is asked for, where the video has them.
SHARP = 640


@dataclass(frozen=True, slots=True)
class Mark:
    """One track's box on a picture, in pixels of the video."""

    side: Literal["left", "right"]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame with the boxes to look at; `view` is the part of it to show (x, y, width, height), `width` how wide the
    whole frame has to be so that the part is sharp."""

    name: str
    frame: int
    marks: tuple[Mark, ...]
    view: tuple[float, float, float, float]
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One track on the frames of its segment."""

    side: Literal["left", "right"]
    start: int
    boxes: Floats
    present: Bools

    @property
    def frames(self) -> np.ndarray:
        return np.flatnonzero(self.present) + self.start

    def mark(self, frame: int) -> Mark:
        x1, y1, x2, y2 = np.round(self.boxes[frame - self.start], 1).tolist()
        return Mark(self.side, x1, y1, round(x2 - x1, 1), round(y2 - y1, 1))


def pictures(join: Join) -> list[Picture]:
    """What there is to see of a join, in order: the left track before the right one's segment begins, both on a frame
    that both show, the right track after the left one's segment has ended. Nothing where a track is gone."""
    return pictures_of([join])[0]


def pictures_of(joins: Sequence[Join]) -> list[list[Picture]]:
    """The same of several, whose tracks are asked for at once."""
    segments = {pk for join in joins for pk in (join.left_segment_id, join.right_segment_id)}
    rows = Consensus.objects.filter(segment__in=segments, track_set__isnull=False).select_related("track_set")
    decided = {row.segment_id: row.track_set for row in rows if row.track_set}
    return [_pictures(join, decided) for join in joins]


def _pictures(join: Join, decided: Mapping[str, TrackSet]) -> list[Picture]:
    left = _side("left", decided.get(join.left_segment_id), join.left_track)
    right = _side("right", decided.get(join.right_segment_id), join.right_track)
    if left is None or right is None:
        return []
    before = left.frames[left.frames < join.right_segment.start]
    after = right.frames[right.frames >= join.left_segment.stop]
    both = np.intersect1d(left.frames, right.frames)
    shown: list[tuple[str, int, tuple[Mark, ...]]] = []
    at = int(before[-1] if len(before) else left.frames[0])
    shown.append(("Before", at, (left.mark(at),)))
    if len(both):
        at = int(both[len(both) // 2])
        shown.append(("Both", at, (left.mark(at), right.mark(at))))
    at = int(after[0] if len(after) else right.frames[-1])
    shown.append(("After", at, (right.mark(at),)))
    return _cropped(shown, (float(join.video.width or 0), float(join.video.height or 0)))


def _side(side: Literal["left", "right"], decided: TrackSet | None, track_id: str) -> _Side | None:
    if decided is None:
        return None
    tracks = recording.load(decided)
    track = next((t for t in tracks.tracks if t.id == track_id), None)
    if track is None:
        return None
    boxes, present, _ = fill_track(track, tracks.start, tracks.stop)
    return _Side(side, tracks.start, boxes, present) if present.any() else None


def _cropped(shown: Sequence[tuple[str, int, tuple[Mark, ...]]], size: tuple[float, float]) -> list[Picture]:
    """Pictures of one scale, each around its boxes and within the frame."""
    longest = max(max(m.width, m.height) for _, _, marks in shown for m in marks)
    wide = min(max(LEAST, AROUND * longest) * SHAPE, size[0], size[1] * SHAPE)
    high = wide / SHAPE
    asked = int(min(size[0], np.ceil(size[0] * SHARP / wide)))
    out = []
    for name, frame, marks in shown:
        x, y = (np.mean([a + b / 2 for a, b in sides]) for sides in _sides(marks))
        corner = (float(np.clip(x - wide / 2, 0, size[0] - wide)), float(np.clip(y - high / 2, 0, size[1] - high)))
        view = (*(round(c, 1) for c in corner), round(wide, 1), round(high, 1))
        out.append(Picture(name, frame, marks, view, asked))
    return out


def _sides(marks: Sequence[Mark]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    return [(m.x, m.width) for m in marks], [(m.y, m.height) for m in marks]
