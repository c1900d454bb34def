"""What simulated spammers submit: something that takes no time and looks like work from afar, others' work included."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np

from annotation.core.tracks import Dense, Floats, Track, Tracks, make_track

NO_LABEL = "object"


def draw(
    kind: Literal["static", "random", "same", "one"],
    name: str,
    seen: Dense,
    rng: np.random.Generator,
    width: float,
    height: float,
) -> Tracks:
    """A spammer's submission for the range of `seen`, what is really there.

    "static": boxes at some places of each segment that never move; "random": boxes that jump about; "same": the same
    boxes in every segment; "one": a single object of those that are there, and nothing else.
    """
    frames = seen.present.shape[1]
    labels = list(dict.fromkeys(seen.labels)) or [NO_LABEL]
    if kind == "one":
        tracks = _one(seen)
    elif kind == "random":
        step = max(1, frames // 6)
        at = np.arange(0, frames, step)
        tracks = [_track(at, _boxes(len(at), seen, rng, width, height), rng, labels, seen) for _ in range(3)]
    else:
        # The same numbers come up in every segment, whatever was drawn before.
        source = np.random.default_rng(zlib.crc32(name.encode())) if kind == "same" else rng
        if kind == "same":
            boxes = _usual_boxes(3, width, height, source)
        else:
            boxes = _boxes(int(rng.integers(2, 5)), seen, rng, width, height)
        tracks = [_track(np.array([0]), box[None], source, labels, seen) for box in boxes]
    named = [make_track(str(i + 1), t.label, t.frames, t.points, outside=t.outside) for i, t in enumerate(tracks)]
    return Tracks(seen.start, seen.stop, tuple(named))


def copied(source: Tracks, rng: np.random.Generator, *, jitter: float, shift: int = 0, dropped: float = 0.0) -> Tracks:
    """Somebody else's submission, disguised.

    Every keyframe's edges get fresh noise of `jitter` (a share of the side), everything comes `shift` frames later
    within the range, a share `dropped` of the tracks is left out, and ids are dealt anew.
    """
    kept = [t for t in source.tracks if rng.random() >= dropped] or list(source.tracks[:1])
    out = []
    for name, i in enumerate(rng.permutation(len(kept)).tolist(), start=1):
        track = kept[i]
        side = np.tile(np.maximum(track.points[:, 2:] - track.points[:, :2], 1.0), 2)
        frames = track.frames + shift
        inside = (frames >= source.start) & (frames < source.stop)
        if inside.any():
            points = (track.points + side * rng.normal(0, jitter, track.points.shape))[inside].round(2)
            flags = {"outside": track.outside[inside], "occluded": track.occluded[inside]}
            out.append(make_track(str(name), track.label, frames[inside], points, **flags))
    return Tracks(source.start, source.stop, tuple(out))


def usual_size(seen: Dense, width: float, height: float) -> Floats:
    """Width and height of a usual object of the range, or of a tenth of the picture where there is none."""
    if not seen.present.any():
        return np.array([width, height]) / 10
    boxes = seen.boxes[seen.present]
    return np.minimum(np.median(boxes[:, 2:] - boxes[:, :2], axis=0), np.array([width, height]) * 0.9)


def _boxes(n: int, seen: Dense, rng: np.random.Generator, width: float, height: float) -> Floats:
    size = usual_size(seen, width, height) * rng.uniform(0.7, 1.3, (n, 2))
    corner = rng.uniform(0, 1, (n, 2)) * np.maximum(np.array([width, height]) - size, 1.0)
    return np.concatenate([corner, corner + size], axis=1).round(2)


def _usual_boxes(n: int, width: float, height: float, rng: np.random.Generator) -> Floats:
    """Boxes that do not depend on what is there."""
    size = np.array([width, height]) * rng.uniform(0.08, 0.2, (n, 2))
    corner = rng.uniform(0, 1, (n, 2)) * (np.array([width, height]) - size)
    return np.concatenate([corner, corner + size], axis=1).round(2)


def _track(at: np.ndarray, boxes: Floats, rng: np.random.Generator, labels: list[str], seen: Dense) -> Track:
    return make_track("", str(rng.choice(labels)), at + seen.start, boxes)


def _one(seen: Dense) -> list[Track]:
    """The object that is there for longest, by its first and last box."""
    if not len(seen.ids):
        return []
    i = int(np.argmax(seen.present.sum(axis=1)))
    at = np.flatnonzero(seen.present[i])[[0, -1]]
    at = np.unique(at)
    points, outside = seen.boxes[i, at].round(2), np.zeros(len(at), bool)
    if at[-1] + 1 < seen.present.shape[1]:
        at, outside = np.append(at, at[-1] + 1), np.append(outside, True)
        points = np.concatenate([points, np.full((1, 4), np.nan)])
    return [make_track("", seen.labels[i], at + seen.start, points, outside=outside)]
