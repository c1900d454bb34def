"""How CVAT and vatic stitch, re-implemented from what they publish, to compare with.

CVAT (its annotation manager): segments are merged from left to right into what was merged so far. Each old track that
is still there is compared with each new one of its label: on every shared frame 1 − IoU where both are there, 1 where
only one is, nothing where neither is; the mean is the cost, the Hungarian method pairs them, and a cost above 0.5 is no
pair. Both tracks are interpolated anew for each comparison, from their first keyframe on. A pair's keyframes are
united, the new one's winning; an old track without a partner ends with the overlap.

vatic (Vondrick 2013 and its merge step): neighbouring segments' paths are compared on frames on which both have a box,
lost ones included: 1 − IoU, or 1 where only one is lost. The Hungarian method pairs them, and a sum above half of the
compared frames is no pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment
from shapely import box as polygon

from annotation.core.stitching import Pair, Ref, SegmentTracks
from annotation.core.tracks import Track

Shape = tuple[float, ...] | None  # a box, or None where outside


@dataclass(slots=True)
class Path:
    """A track as a list of keyframes that can grow: its latest part, its label, boxes by frame."""

    ref: Ref
    label: str
    keyframes: dict[int, Shape]


def path_of(key: str, track: Track) -> Path:
    drawn = zip(track.frames.tolist(), track.points.tolist(), track.outside.tolist(), strict=True)
    return Path((key, track.id), track.label, {f: None if out else tuple(box) for f, box, out in drawn})


def shapes(path: Path, stop: int) -> dict[int, Shape]:
    """Every frame of a path from its first keyframe up to `stop`, as plain Python does it."""
    out: dict[int, Shape] = {}
    frames = sorted(path.keyframes)
    for frame, following in zip(frames, [*frames[1:], max(stop, frames[-1] + 1)], strict=True):
        a = path.keyframes[frame]
        b = path.keyframes.get(following)
        out[frame] = a
        for at in range(frame + 1, following):
            share = (at - frame) / (following - frame)
            out[at] = a and tuple(x + (y - x) * share for x, y in zip(a, b or a, strict=True))
        if following >= stop:
            break
    return out


def overlap_of(a: tuple, b: tuple) -> float:
    first, second = polygon(*a), polygon(*b)
    shared = first.intersection(second).area
    return shared / (first.area + second.area - shared) if shared else 0.0


def cvat_cost(left: Path, right: Path, start: int, stop: int) -> float:
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


def vatic_cost(left: Path, right: Path, start: int, stop: int) -> tuple[float, int]:
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
    merged = [path_of(segments[0].key, track) for track in segments[0].tracks.tracks]
    for left, right in pairwise(segments):
        old = [p for p in merged if max(p.keyframes) >= right.start or p.keyframes[max(p.keyframes)]]
        new = [path_of(right.key, track) for track in right.tracks.tracks]
        cost = np.array([[cvat_cost(a, b, right.start, left.stop) for b in new] for a in old])
        found = {}
        for i, j in zip(*linear_sum_assignment(cost.reshape(len(old), len(new))), strict=True):
            if cost[i, j] <= 0.5:
                found[int(j)] = int(i)
        for i, path in enumerate(old):
            if i not in found.values() and path.keyframes[max(path.keyframes)]:
                path.keyframes[left.stop] = None
        for j, path in enumerate(new):
            if j not in found:
                merged.append(path)
                continue
            united = old[found[j]]
            pairs.append((united.ref, path.ref))
            united.keyframes |= path.keyframes
            united.ref = path.ref
    return pairs


def vatic(segments: Sequence[SegmentTracks]) -> list[Pair]:
    pairs: list[Pair] = []
    for left, right in pairwise(segments):
        first = [path_of(left.key, track) for track in left.tracks.tracks]
        second = [path_of(right.key, track) for track in right.tracks.tracks]
        found = [[vatic_cost(a, b, right.start, left.stop) for b in second] for a in first]
        horrible = right.start + left.stop
        cost = np.array([[c if n else horrible for c, n in row] for row in found]).reshape(len(first), len(second))
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            total, count = found[i][j]
            if count and total <= 0.5 * count:
                pairs.append((first[i].ref, second[j].ref))
    return pairs
