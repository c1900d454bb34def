"""Scenes and imperfect segments to stitch: real ground truth, or many objects that cross each other.

A segment's tracks are what a consensus would be: keyframes every few frames with normally distributed error on each
edge in proportion to the box, ends that are some frames early or late, ids that mean nothing, in any order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.core.segments import cut
from annotation.core.stitching import Ref, SegmentTracks
from annotation.core.tracks import Bools, Floats, Track, Tracks, make_track

SHARED = Path(os.environ.get("TRACKWEAVE_SHARED", Path(__file__).parents[1].parent / "shared"))


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """Objects on every frame: `boxes` (n, frames, 4), NaN where absent."""

    name: str
    boxes: Floats

    @property
    def present(self) -> Bools:
        return ~np.isnan(self.boxes[..., 0])


def read_scene(path: Path) -> Scene:
    """MOT ground truth; of MOT17's nine columns the pedestrians that count."""
    rows = np.loadtxt(path, delimiter=",")
    if "mot17" in path.parts:
        rows = rows[(rows[:, 6] == 1) & (rows[:, 7] == 1)]
    numbers, at = np.unique(rows[:, 1], return_inverse=True)
    boxes = np.full((len(numbers), int(rows[:, 0].max()), 4), np.nan)
    boxes[at, rows[:, 0].astype(int) - 1] = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    return Scene(path.parent.name, boxes)


def real_scenes() -> list[Scene]:
    return [read_scene(path) for path in sorted((SHARED / "data").glob("mot1[57]/*/gt.txt"))]


def crossing_scene(objects: int, frames: int, seed: int, absences: float = 0.0) -> Scene:
    """Walkers on a street 1600 px wide: both ways, at their own pace, with wandering, in and out, through each other.

    With `absences`, that share of them is hidden once in the middle for 10 to 60 frames.
    """
    rng = np.random.default_rng(seed)
    out = np.full((objects, frames, 4), np.nan)
    for row in range(objects):
        high = rng.uniform(80, 160)
        size = np.array([high * rng.uniform(0.35, 0.45), high])
        pace = rng.choice([-1, 1]) * rng.uniform(0.5, 5.0)
        stay = int(min(frames, rng.uniform(0.5, 1.2) * 1600 / abs(pace)))
        start = int(rng.integers(-stay // 2, max(1, frames - stay // 2)))
        at = np.arange(max(0, start), min(frames, start + stay))
        sway = rng.uniform(0, 20, 2) * np.sin(at[:, None] / rng.uniform(20, 80, 2) + rng.uniform(0, 6, 2))
        middle = rng.uniform(200, 1400) + pace * (at - start - stay / 2)
        centre = np.stack([middle, np.full(len(at), rng.uniform(300, 600))], axis=1) + sway
        boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        if rng.random() < absences and len(at) > 120:
            gone = int(rng.integers(30, len(at) - 90))
            boxes[gone : gone + int(rng.integers(10, 60))] = np.nan
        out[row, at] = boxes
    return Scene(f"crossings of {objects}", out[~np.isnan(out[..., 0]).all(axis=1)])


@dataclass(frozen=True, slots=True)
class Errors:
    """`noise` is the standard deviation of an edge as a share of the box's side, `edges` the most frames that an end
    is early or late, `step` the frames between keyframes, `missed` the share of tracks that a segment lacks."""

    noise: float = 0.0
    edges: int = 0
    step: int = 10
    missed: float = 0.0


def segment(
    scene: Scene, length: int, overlap: int, errors: Errors, seed: int
) -> tuple[list[SegmentTracks], Mapping[Ref, int]]:
    """The scene's segments, and the object (row of the scene) that each track is of."""
    rng = np.random.default_rng(seed)
    segments: list[SegmentTracks] = []
    truth: dict[Ref, int] = {}
    for number, (start, stop) in enumerate(cut(scene.boxes.shape[1], length, overlap)):
        tracks = []
        for row in rng.permutation(len(scene.boxes)):
            id = f"t{len(tracks)}"
            track = draw(scene.boxes[row], id, start, stop, errors, rng)
            if track is not None and rng.random() >= errors.missed:
                tracks.append(track)
                truth[f"s{number}", id] = int(row)
        segments.append(SegmentTracks(f"s{number}", start, stop, Tracks(start, stop, tuple(tracks))))
    return segments, truth


def draw(boxes: Floats, id: str, start: int, stop: int, errors: Errors, rng: np.random.Generator) -> Track | None:
    """One object as a segment's track; None where nothing of it is left."""
    here = ~np.isnan(boxes[start:stop, 0])
    if not here.any():
        return None
    frames, points, outside = [], [], []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], here.view(np.int8), [0]]))).reshape(-1, 2)
    for first, last in edges:
        low, high = first + rng.integers(-errors.edges, errors.edges + 1, 2) * np.array([1, 1]) + [0, last - first]
        low, high = max(0, low), min(stop - start, high)
        if frames and low <= frames[-1] - start:
            low = frames[-1] - start + 1
        if low >= high:
            continue
        at = np.unique(np.append(np.arange(low, high, errors.step), high - 1))
        seen = boxes[start + np.clip(at, first, last - 1)]
        side = np.tile(seen[:, 2:] - seen[:, :2], 2)
        drawn = seen + rng.normal(0, 1, seen.shape) * side * errors.noise
        frames += (at + start).tolist()
        points += drawn.tolist()
        outside += [False] * len(at)
        if high < stop - start:
            frames.append(high + start)
            points.append([np.nan] * 4)
            outside.append(True)
    return make_track(id, "person", frames, points, outside=outside) if frames else None
