"""The keyframes of one track, from JSON to arrays.

A submission may hold 100,000 of them, so they are checked as arrays; only a track that fails is gone through one
keyframe at a time, to say where and why. A property test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from annotation.core.problems import shown
from annotation.core.tracks import Bools, Floats, Ints
from annotation.core.values import boolean_problem, number_problem

# Beyond any picture: areas and products of such numbers still fit in a float.
FARTHEST = 1e6
# A side that would vanish in every format that we write.
SHORTEST = 1e-3
NO_BOX = (float("nan"),) * 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where keyframes may lie: frames `[start, stop)` on multiples of `frame_step`, boxes in the picture's pixels.

    Without width and height a box may lie anywhere.
    """

    start: int
    stop: int
    width: float | None = None
    height: float | None = None
    frame_step: int = 1


@dataclass(frozen=True, slots=True)
class KeyframeArrays:
    """Sorted by frame, of one length k; `points` (k, 4) is NaN where there is no box."""

    frames: Ints
    points: Floats
    outside: Bools
    occluded: Bools


def read_keyframes(keyframes: list[Any], bounds: Bounds) -> KeyframeArrays | None:
    """Arrays of keyframes that are all in order, else None: then `keyframe_problems` says what is wrong."""
    if set(map(type, keyframes)) != {dict}:
        return None
    given = [k.get("points") for k in keyframes]
    frames = _frames([k.get("frame") for k in keyframes])
    outside = _flags([k.get("outside", False) for k in keyframes])
    occluded = _flags([k.get("occluded", False) for k in keyframes])
    points = _points(given)
    if frames is None or outside is None or occluded is None or points is None:
        return None
    has_box = np.array([p is not None for p in given], bool)
    if not (_frames_fit(frames, bounds) and _boxes_fit(points, has_box, ~outside, bounds)):
        return None
    order = np.argsort(frames, kind="stable")
    if np.any(np.diff(frames[order]) == 0):
        return None
    return KeyframeArrays(frames[order], points[order], outside[order], occluded[order])


def _frames(values: list[Any]) -> Ints | None:
    if set(map(type, values)) != {int}:
        return None
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        return None


def _flags(values: list[Any]) -> Bools | None:
    return np.array(values, bool) if set(map(type, values)) <= {bool} else None


def _points(given: list[Any]) -> Floats | None:
    rows = [NO_BOX if p is None else p for p in given]
    if not set(map(type, rows)) <= {list, tuple} or set(map(len, rows)) != {4}:
        return None
    numbers = list(chain.from_iterable(rows))
    if not set(map(type, numbers)) <= {int, float}:
        return None
    try:
        return np.array(numbers, dtype=np.float64).reshape(-1, 4)
    except OverflowError:
        return None


def _frames_fit(frames: Ints, bounds: Bounds) -> bool:
    inside = (frames >= bounds.start) & (frames < bounds.stop)
    return bool(np.all(inside & (frames % bounds.frame_step == 0)))


def _boxes_fit(points: Floats, has_box: Bools, visible: Bools, bounds: Bounds) -> bool:
    with np.errstate(invalid="ignore"):
        fits = np.all(np.abs(points) <= FARTHEST, axis=1)
    x1, y1, x2, y2 = np.where(fits[:, None], points, 0.0).T
    fits &= (x2 - x1 >= SHORTEST) & (y2 - y1 >= SHORTEST)
    if bounds.width is not None and bounds.height is not None:
        in_picture = (x2 > 0) & (y2 > 0) & (x1 < bounds.width) & (y1 < bounds.height)
        fits &= in_picture | ~visible
    return bool(np.all(np.where(has_box, fits, ~visible)))


def keyframe_problems(keyframes: list[Any], bounds: Bounds) -> Iterator[tuple[str, str]]:
    """What is wrong with keyframes, one by one: pointers below the list (`/3/points`) and messages."""
    seen: dict[int, int] = {}
    for i, keyframe in enumerate(keyframes):
        if not isinstance(keyframe, dict):
            yield f"/{i}", f"must be an object, not {shown(keyframe)}"
            continue
        frame: Any = keyframe.get("frame")
        problem = frame_problem(frame, bounds)
        if problem is None and frame in seen:
            problem = f"keyframe {seen[frame]} is on frame {frame} already"
        elif problem is None:
            seen[frame] = i
        if problem:
            yield f"/{i}/frame", problem
        yield from ((f"/{i}{at}", message) for at, message in _shape_problems(keyframe, bounds))


def frame_problem(frame: Any, bounds: Bounds) -> str | None:
    """Why a keyframe may not be on this frame, or None."""
    if isinstance(frame, bool) or not isinstance(frame, int):
        return f"must be a whole number, not {shown(frame)}"
    if not bounds.start <= frame < bounds.stop:
        return f"frame {shown(frame)} is outside the frames {bounds.start} to {bounds.stop - 1}"
    if frame % bounds.frame_step:
        return f"frame {frame} is no multiple of {bounds.frame_step}"
    return None


def _shape_problems(keyframe: dict[str, Any], bounds: Bounds) -> Iterator[tuple[str, str]]:
    for flag in ("outside", "occluded"):
        if problem := boolean_problem(keyframe.get(flag, False)):
            yield f"/{flag}", problem
    visible = keyframe.get("outside", False) is not True
    points = keyframe.get("points")
    if points is not None:
        problem = box_problem(points, bounds, visible)
        if problem:
            yield "/points", problem
    elif visible:
        yield "/points", "a keyframe that is not outside needs points"


def box_problem(points: Any, bounds: Bounds, visible: bool = True) -> str | None:
    """Why points make no box here, or None. Only a visible box has to lie in the picture, at least in part."""
    if problem := _numbers_problem(points):
        return problem
    x1, y1, x2, y2 = map(float, points)
    if not (x2 - x1 >= SHORTEST and y2 - y1 >= SHORTEST):
        return f"the box {_said(points)} is inverted or has no area"
    if bounds.width is None or bounds.height is None:
        return None
    if visible and not (x2 > 0 and y2 > 0 and x1 < bounds.width and y1 < bounds.height):
        return f"the box {_said(points)} lies wholly outside the picture of {bounds.width} × {bounds.height}"
    return None


def _numbers_problem(points: Any) -> str | None:
    if not isinstance(points, list | tuple):
        return f"must be a list x1, y1, x2, y2, not {shown(points)}"
    if len(points) != 4:
        return f"a box has 4 numbers x1, y1, x2, y2, not {len(points)}"
    for number in points:
        if problem := number_problem(number):
            return f"a coordinate {problem}"
    if max(map(abs, points)) > FARTHEST:
        return f"a coordinate is farther out than {FARTHEST:.0f} pixels"
    return None


def _said(points: Any) -> str:
    return ", ".join(f"{p:g}" for p in points)
