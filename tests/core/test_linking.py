"""What speaks for two tracks at a border being one, beside the same counted pair by pair and frame by frame."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.core.joins import SegmentTracks
from annotation.core.linking import (
    ABSENT,
    APART,
    EDGE,
    FADE,
    FEW,
    FIT,
    GUESSED,
    LABELS,
    LOOKS,
    REACH,
    UNSEEN,
    Side,
    carry,
    see,
    weigh,
)
from annotation.core.tracks import Floats, Tracks, fill_track, make_track

Box = list[float]
Seen = dict[int, Box]  # boxes by frame


def alike(a: Box, b: Box) -> float:
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (both - shared) if both > shared else 0.0


def carried_on(seen: Seen, width: int) -> dict[int, tuple[Box, int]]:
    """By frame where the motion through the last frames leads, and how many frames after the last one that is."""
    if not seen:
        return {}
    last = max(seen)
    near = {f: box for f, box in seen.items() if f > last - FIT}
    middle = sum(near) / len(near)
    mean = [sum(box[edge] for box in near.values()) / len(near) for edge in range(4)]
    lever = 1 + sum((f - middle) ** 2 for f in near)
    speed = [sum((f - middle) * (box[axis] + box[axis + 2]) / 2 for f, box in near.items()) / lever for axis in (0, 1)]
    ahead = range(last + 1, min(last + REACH + 1, width))
    return {f: ([m + speed[e % 2] * (f - middle) for e, m in enumerate(mean)], f - last) for f in ahead}


def as_seen(boxes: Floats) -> list[Seen]:
    return [{f: box for f, box in enumerate(own) if box[0] == box[0]} for own in boxes.tolist()]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e-3, 1e5]))
def test_motion_is_carried_on_by_the_line_through_the_last_frames(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    t, width = rng.integers(0, 5), rng.integers(1, 30)
    boxes = unit * (rng.normal(0, 2, (t, width, 4)).cumsum(axis=1) + np.array([0.0, 0, 20, 30]))
    boxes[rng.random((t, width)) < rng.choice([0.0, 0.5, 0.9])] = np.nan
    carried, distance = carry(boxes, ~np.isnan(boxes[..., 0]))
    for row, seen in enumerate(as_seen(boxes)):
        want = carried_on(seen, width)
        assert np.flatnonzero(~np.isnan(carried[row, :, 0])).tolist() == sorted(want)
        assert distance[row].tolist() == [want[f][1] if f in want else 0 for f in range(width)]
        for f, (box, _) in want.items():
            assert carried[row, f] == pytest.approx(box, rel=1e-9, abs=1e-6 * unit)


def meet(left: list[Box], right: list[Box]) -> bool:
    """Whether the hulls of two lists of boxes do."""
    if not left or not right:
        return False
    low = [max(min(box[axis] for box in some) for some in (left, right)) for axis in (0, 1)]
    high = [min(max(box[axis + 2] for box in some) for some in (left, right)) for axis in (0, 1)]
    return low[0] < high[0] and low[1] < high[1]


def soon_told_apart(left: Seen, right: Seen, frames: range) -> bool:
    """Whether three shared frames or more, of some or of all, are too little alike."""
    for step in (max(1, len(frames) // LOOKS), 1):
        looks = [alike(left[f], right[f]) for f in frames[::step] if f in left and f in right]
        if len(looks) >= 3 and sum(looks) < APART * len(looks):
            return True
    return False


def similarity(left: Seen, right: Seen, width: int, frames: range) -> float | None:
    """Of two tracks by what both show and by where their motion leads; None where they are told apart before that."""
    after = carried_on(left, width)
    turned = carried_on({width - 1 - f: box for f, box in right.items()}, width)
    before = {width - 1 - f: guess for f, guess in turned.items()}
    hulls = ([*seen.values(), *(box for box, _ in led.values())] for seen, led in ((left, after), (right, before)))
    if not meet(*hulls) or soon_told_apart(left, right, frames):
        return None
    both = [f for f in frames if f in left and f in right]
    said = [(1.0, alike(left[f], right[f])) for f in both]
    guessed = [
        (FADE ** led[f][1], alike(led[f][0], real[f]))
        for led, real in ((after, right), (before, left))
        for f in {*led} & {*real}
    ]
    weight = sum(w for w, _ in guessed)
    part = min(1.0, GUESSED * len(both) / weight) if weight and both and len(frames) <= FEW else 1.0
    said += [(part * w, like) for w, like in guessed]
    if not both:
        said += [(FADE ** (after[f][1] + before[f][1]), alike(after[f][0], before[f][0])) for f in {*after} & {*before}]
    said += [(ABSENT * max(0, n - EDGE), 0.0) for n in alone(left, right, frames)]
    return sum(w * like for w, like in said) / (sum(w for w, _ in said) or 1.0)


def alone(left: Seen, right: Seen, frames: range) -> tuple[int, int]:
    """On how many frames only the left one is there, and only the right one."""
    return sum(f in left and f not in right for f in frames), sum(f in right and f not in left for f in frames)


def weighed(left: Seen, right: Seen, width: int, frames: range, same_label: bool) -> tuple[float, ...] | None:
    """Similarity, shared frames, error and the error where it is least of two tracks; None where they cannot be one."""
    alike_by = similarity(left, right, width, frames)
    errors = sorted(apart(left[f], right[f]) for f in frames if f in left and f in right)
    n, gone = len(errors), alone(left, right, frames)
    if alike_by is None or (not same_label and n < 3):
        return None
    alike_by -= (0 if same_label else LABELS) + (0 if n else UNSEEN)
    enough = n >= max(1, min(3, math.ceil(len(frames) / 4), sum(gone) + n)) or max(gone) <= 2 * EDGE
    if alike_by <= 0 or not enough:
        return None
    nearest = errors[min(n, max(3, math.ceil(n / 4))) - 1] if n else 0.0
    return alike_by, n, math.sqrt(sum(e**2 for e in errors) / max(1, n)), nearest


def apart(a: Box, b: Box) -> float:
    sides = [(a[e + 2] - a[e] + b[e + 2] - b[e]) / 2 for e in (0, 1)]
    return math.sqrt(sum(((a[e] - b[e]) / sides[e % 2]) ** 2 for e in range(4)) / 4)


def segment(rng: np.random.Generator, key: str, start: int, stop: int, homes: Floats) -> SegmentTracks:
    """Some of those who live at these places and move on, each there all the time, for a moment, or now and then."""
    tracks = []
    for k, (x, y, speed) in enumerate(homes.tolist()):
        here = np.arange(stop - start) >= rng.integers(0, stop - start)
        moment = here & ~np.roll(here, rng.integers(1, 4))
        there = [here | True, moment, rng.random(len(here)) < 0.6][rng.integers(3)]
        if rng.random() < 0.9:
            frames = np.arange(start, stop)
            corner = np.stack([x + speed * frames, y + 0 * frames], axis=1) + rng.normal(0, 2, (len(frames), 2))
            boxes = np.concatenate([corner, corner + (20, 30)], axis=1)
            tracks.append(make_track(str(k), rng.choice(["car", "dog"], p=[0.8, 0.2]), frames, boxes, outside=~there))
    return SegmentTracks(key, start, stop, Tracks(start, stop, tuple(tracks)))


def in_window(one: SegmentTracks, side: Side, start: int, width: int) -> list[Seen]:
    """What a side should see of a segment in a window."""
    assert [ref for ref in side.refs if ref[0] == one.key] == [(one.key, t.id) for t in one.tracks.tracks]
    boxes = np.array([fill_track(t, start, start + width)[0] for t in one.tracks.tracks]).reshape(-1, width, 4)
    inside = [one.start <= start + f < one.stop for f in range(width)]
    return [{f: box for f, box in seen.items() if inside[f]} for seen in as_seen(boxes)]


@settings(max_examples=70)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 3, 10, 11, 13, 25]))
def test_pairs_are_weighed_as_pair_by_pair_and_frame_by_frame(seed: int, overlap: int) -> None:
    rng = np.random.default_rng(seed)
    homes = np.concatenate([rng.uniform(0, 60, (4, 2)), rng.normal(0, 2, (4, 1))], axis=1)
    width, shared = overlap + 2 * REACH, slice(REACH, REACH + overlap)
    lefts, rights, starts = [], [], []
    for border in range(2):
        since = 30 + 100 * border  # the second segment's start; the first one's stop is so many frames later
        lefts.append(segment(rng, f"{border}l", since - 12, since + overlap, homes))
        rights.append(segment(rng, f"{border}r", since, since + overlap + 12, homes))
        starts.append(since - REACH)
    left, right = see(lefts, starts, width, forward=True), see(rights, starts, width, forward=False)
    found = weigh(left, right, shared)
    columns = (found.similarity, found.shared, found.error, found.nearest)
    got = dict(
        zip(zip(found.left.tolist(), found.right.tolist(), strict=True), zip(*columns, strict=True), strict=True)
    )
    want = {}
    for one, other, start in zip(lefts, rights, starts, strict=True):
        pairs = product(in_window(one, left, start, width), in_window(other, right, start, width))
        names = product(one.tracks.tracks, other.tracks.tracks)
        for (a, b), (track, partner) in zip(pairs, names, strict=True):
            rows = left.refs.index((one.key, track.id)), right.refs.index((other.key, partner.id))
            want[rows] = weighed(a, b, width, range(width)[shared], track.label == partner.label)
    want = {rows: said for rows, said in want.items() if said is not None}
    assert set(got) == set(want)
    for pair, said in want.items():
        assert tuple(got[pair]) == pytest.approx(said, rel=1e-9, abs=1e-12)
