"""How CVAT and vatic stitch, re-implemented from what they publish, to compare with.

CVAT (its annotation manager's description): segments are merged from left to right into what was merged so far. Two
tracks of one label are compared on each shared frame: 1 − IoU where both are there, 1 where only one is, nothing where
neither is; the mean is the cost, the Hungarian method pairs them, and a cost above 0.5 is no pair. Both tracks are
interpolated anew for each comparison, from their first keyframe on.

vatic (Vondrick 2013 and its merge step): neighbouring segments' paths are compared on frames on which both have a box,
lost ones included: 1 − IoU, or 1 where only one is lost. The Hungarian method pairs them, and a sum above half of the
compared frames is no pair.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from shapely import box as polygon

from annotation.core.stitching import Pair, SegmentTracks
from annotation.core.tracks import Track

Shapes = dict[int, tuple[float, float, float, float] | None]  # by frame; None is outside


def shapes(track: Track, stop: int) -> Shapes:
    """Every frame of a track from its first keyframe up to `stop`, as plain Python does it."""
    out: Shapes = {}
    frames = track.frames.tolist()
    points = track.points.tolist()
    outside = track.outside.tolist()
    for i, frame in enumerate(frames):
        following = frames[i + 1] if i + 1 < len(frames) else stop
        out[frame] = None if outside[i] else tuple(points[i])
        if outside[i]:
            for at in range(frame + 1, following):
                out[at] = None
            continue
        moves = i + 1 < len(frames) and not outside[i + 1]
        for at in range(frame + 1, following):
            share = (at - frame) / (following - frame) if moves else 0.0
            target = points[i + 1] if moves else points[i]
            out[at] = tuple(a + (b - a) * share for a, b in zip(points[i], target, strict=True))
    return out


def overlap_of(a: tuple, b: tuple) -> float:
    first, second = polygon(*a), polygon(*b)
    shared = first.intersection(second).area
    return shared / (first.area + second.area - shared) if shared else 0.0


def cvat_cost(left: Track, right: Track, start: int, stop: int) -> float:
    if left.label != right.label:
        return 1.0
    a, b = shapes(left, stop), shapes(right, stop)
    count, error = 0, 0.0
    for frame in range(start, stop):
        mine, theirs = a.get(frame), b.get(frame)
        if mine and theirs:
            error += 1 - overlap_of(mine, theirs)
        elif mine or theirs:
            error += 1
        else:
            continue
        count += 1
    return error / count if count else 1.0


def vatic_cost(left: Track, right: Track, start: int, stop: int) -> tuple[float, int]:
    a, b = shapes(left, stop), shapes(right, stop)
    cost, count = 0.0, 0
    for frame in set(a) & set(b):
        if start <= frame < stop:
            mine, theirs = a[frame], b[frame]
            count += 1
            if mine and theirs:
                cost += 1 - overlap_of(mine, theirs)
            elif mine or theirs:
                cost += 1
    return cost, count


def cvat(segments: Sequence[SegmentTracks]) -> list[Pair]:
    pairs: list[Pair] = []
    for left, right in zip(segments, segments[1:], strict=False):
        cost = np.array(
            [[cvat_cost(a, b, right.start, left.stop) for b in right.tracks.tracks] for a in left.tracks.tracks]
        ).reshape(len(left.tracks.tracks), len(right.tracks.tracks))
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if cost[i, j] <= 0.5:
                pairs.append(((left.key, left.tracks.tracks[i].id), (right.key, right.tracks.tracks[j].id)))
    return pairs


def vatic(segments: Sequence[SegmentTracks]) -> list[Pair]:
    pairs: list[Pair] = []
    for left, right in zip(segments, segments[1:], strict=False):
        first, second = left.tracks.tracks, right.tracks.tracks
        found = [[vatic_cost(a, b, right.start, left.stop) for b in second] for a in first]
        horrible = right.start + left.stop
        cost = np.array([[c if n else horrible for c, n in row] for row in found]).reshape(len(first), len(second))
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            total, count = found[i][j]
            if count and total <= 0.5 * count:
                pairs.append(((left.key, first[i].id), (right.key, second[j].id)))
    return pairs
