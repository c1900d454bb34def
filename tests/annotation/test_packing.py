from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from annotation.core.packing import Unreadable, digest, pack, unpack
from annotation.core.tracks import Interval, Track, Tracks, from_json, make_track, to_json

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
values = st.one_of(words, st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False))
attributes = st.dictionaries(words, values, max_size=3)
any_float = st.floats(allow_nan=False, allow_infinity=False, width=64)
decimals = st.integers(-(10**6), 10**6).map(lambda n: n / 100)


@st.composite
def track(draw: st.DrawFn) -> Track:
    frames = np.array(sorted(draw(st.sets(st.integers(0, 10**9), max_size=6))), np.int64)
    k = len(frames)
    numbers = draw(st.sampled_from([any_float, decimals]))
    points = draw(hnp.arrays(np.float64, (k, 4), elements=numbers))
    outside = draw(hnp.arrays(bool, k))
    points[outside & draw(hnp.arrays(bool, k))] = np.nan
    changes = {int(f): draw(attributes) for f in frames[: draw(st.integers(0, 2))]}
    confidence = draw(st.none() | st.floats(0, 1))
    support = tuple(draw(st.lists(words, max_size=2))) if confidence is not None else ()
    disputes = ((3, 5),) if confidence is not None else ()
    occluded = draw(hnp.arrays(bool, k))
    return Track(
        draw(words),
        draw(words),
        frames,
        points,
        outside,
        occluded,
        draw(attributes),
        changes,
        confidence,
        support,
        disputes,
    )


interval = st.builds(Interval, words, st.integers(0, 5), st.integers(6, 9), st.none() | words, attributes)
track_sets = st.builds(
    Tracks,
    st.just(0),
    st.just(10**9 + 1),
    st.lists(track(), max_size=4).map(tuple),
    st.lists(interval, max_size=2).map(tuple),
)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.all((a.view(np.int64) == b.view(np.int64)) | np.isnan(a) & np.isnan(b)))


@given(track_sets)
def test_what_is_packed_comes_back_bit_for_bit(tracks: Tracks) -> None:
    back = unpack(pack(tracks), tracks.start, tracks.stop)
    assert back.intervals == tracks.intervals and (back.start, back.stop) == (tracks.start, tracks.stop)
    assert len(back.tracks) == len(tracks.tracks)
    for a, b in zip(tracks.tracks, back.tracks, strict=True):
        assert (a.id, a.label, a.attributes, a.changes) == (b.id, b.label, b.attributes, b.changes)
        assert (a.confidence, a.support, a.disputes) == (b.confidence, b.support, b.disputes)
        assert same_bits(a.points, b.points)
        for name in ("frames", "outside", "occluded"):
            x, y = getattr(a, name), getattr(b, name)
            assert x.dtype == y.dtype and np.array_equal(x, y)
    assert digest(back) == digest(tracks)


@given(track_sets)
def test_the_json_form_survives_packing(tracks: Tracks) -> None:
    said = to_json(tracks)
    assert to_json(unpack(pack(from_json(said, 0, tracks.stop)), 0, tracks.stop)) == said


def example(**more: object) -> Tracks:
    one = make_track("1", "person", [0, 9], [[1, 2, 3, 4], [5, 6, 7, 8.5]])
    return replace(Tracks(0, 10, (one,)), **more)


@pytest.mark.parametrize(
    "other",
    [
        example(stop=11),
        example(intervals=(Interval("walks", 1, 2),)),
        example(tracks=(make_track("2", "person", [0, 9], [[1, 2, 3, 4], [5, 6, 7, 8.5]]),)),
        example(tracks=(make_track("1", "person", [0, 8], [[1, 2, 3, 4], [5, 6, 7, 8.5]]),)),
        example(tracks=(make_track("1", "person", [0, 9], [[1, 2, 3, 4], [5, 6, 7, math.nextafter(8.5, 9)]]),)),
        example(tracks=(make_track("1", "person", [0, 9], [[1, 2, 3, 4], [5, 6, 7, 8.5]], occluded=[0, 1]),)),
        example(tracks=(make_track("1", "person", [0, 9], [[1, 2, 3, 4], [5, 6, 7, 8.5]], outside=[0, 1]),)),
    ],
)
def test_another_content_has_another_digest(other: Tracks) -> None:
    assert digest(other) != digest(example())


def test_decimal_boxes_take_a_tenth_of_their_json() -> None:
    steps = np.random.default_rng(1).normal(0, 3, (300, 4)).cumsum(axis=0)
    track = make_track("1", "car", range(300), np.round(steps + 500, 2))
    tracks = Tracks(0, 300, (track,))
    assert len(pack(tracks)) < len(str(to_json(tracks))) / 10


@pytest.mark.parametrize("payload", [b"", b"no zlib", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_other_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(payload, 0, 1)
