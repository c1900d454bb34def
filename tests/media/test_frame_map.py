"""The frame map: what goes in comes out, and frames that turn out to be none move the numbers behind them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.media.frame_map import FrameMap, constant_frame_map
from annotation.media.ordering import mend_times
from annotation.media.packet_table import NO_TIME

steps = st.lists(st.integers(1, 10**6), min_size=1, max_size=60)


@st.composite
def frame_maps(draw: st.DrawFn) -> FrameMap:
    times = np.cumsum(np.array([draw(st.integers(-(10**9), 10**9)), *draw(steps)], np.int64))
    n = len(times)
    some = st.sets(st.integers(0, n - 1)).map(sorted).map(tuple)
    stamped = draw(st.sampled_from(("times", "decode", "serial")))
    stamps = times if stamped == "times" else np.array(draw(st.permutations(range(n))), np.int64)
    return FrameMap(
        times=times,
        time_base=Fraction(draw(st.integers(1, 2000)), draw(st.integers(1, 100_000))),
        width=draw(st.integers(1, 9000)),
        height=draw(st.integers(1, 9000)),
        keyframes=draw(some),
        undecodable=draw(some),
        settled=draw(st.integers(0, n)),
        stamped=stamped,
        stamps=stamps,
    )


@given(frame_maps())
def test_a_map_survives_packing(frame_map: FrameMap) -> None:
    again = FrameMap.unpack(frame_map.pack())
    assert again.sha256 == frame_map.sha256
    assert (again.times == frame_map.times).all() and (again.stamps == frame_map.stamps).all()
    for name in ("time_base", "width", "height", "keyframes", "undecodable", "settled", "stamped"):
        assert getattr(again, name) == getattr(frame_map, name)


@given(frame_maps(), st.data())
def test_frames_behind_a_removed_one_move_up(frame_map: FrameMap, data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.integers(0, len(frame_map) - 1)))
    left = frame_map.without(gone)
    kept = [n for n in range(len(frame_map)) if n not in gone]
    assert left.times.tolist() == [int(frame_map.times[n]) for n in kept]
    assert left.keyframes == tuple(kept.index(n) for n in frame_map.keyframes if n not in gone)
    assert left.undecodable == tuple(kept.index(n) for n in frame_map.undecodable if n not in gone)


@given(frame_maps())
def test_a_frame_is_found_by_its_stamp(frame_map: FrameMap) -> None:
    assert [frame_map.number(int(s)) for s in frame_map.stamps] == list(range(len(frame_map)))
    assert frame_map.number(int(frame_map.stamps.max()) + 1) is None


@given(frame_maps(), st.integers(0, 60), st.integers(0, 3))
def test_decoding_begins_at_a_keyframe_before(frame_map: FrameMap, frame: int, back: int) -> None:
    before = [k for k in frame_map.keyframes if k <= frame]
    assert frame_map.keyframe_before(frame, back) == (before[-1 - back] if len(before) > back else None)


@given(frame_maps())
def test_the_hash_is_of_the_content_not_of_the_progress(frame_map: FrameMap) -> None:
    assert replace(frame_map, settled=0).sha256 == frame_map.sha256
    assert replace(frame_map, width=frame_map.width + 1).sha256 != frame_map.sha256
    moved = frame_map.times.copy()
    moved[-1] += 1
    assert replace(frame_map, times=moved).sha256 != frame_map.sha256


def test_a_hundred_thousand_regular_frames_take_a_kilobyte() -> None:
    assert len(constant_frame_map(100_000, Fraction(30000, 1001), 1920, 1080).pack()) < 3000


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="no frame map"):
        FrameMap.unpack(b"something else")


@given(st.lists(st.one_of(st.just(NO_TIME), st.integers(-1000, 1000)), min_size=1, max_size=40), st.integers(1, 50))
def test_mended_times_rise_and_keep_what_was_right(claimed: list[int], step: int) -> None:
    times = mend_times(np.array(claimed, np.int64), step)
    assert (np.diff(times) > 0).all()
    known = [c for c in claimed if c != NO_TIME]
    if known == claimed and all(a < b for a, b in zip(known, known[1:], strict=False)):
        assert times.tolist() == claimed
