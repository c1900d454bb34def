"""What a clip looks like: its size a plain scale of the source's, its colours the source's, its loss invisible."""

from __future__ import annotations

import gc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from annotation.media.clipping import GOP, clip_size, encode_clip
from annotation.media.frame_map import FrameMap, clip_timing, constant_frame_map
from annotation.media.indexing import index
from annotation.media.opening import create_video, open_video
from annotation.media.picturing import pixels
from annotation.media.rates import clip_rate, is_variable, snap
from annotation.media.reading import FrameReader

Files = Callable[[str], Path]
BARS = np.array(
    [[255, 255, 255], [220, 30, 30], [30, 200, 60], [40, 60, 210], [230, 210, 40], [120, 120, 120], [0, 0, 0]], np.uint8
)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(64, 4000))
def test_a_clip_is_even_narrow_enough_and_nearly_the_sources_shape(width: int, height: int, most: int) -> None:
    wide, high = clip_size(width, height, most)
    assert wide % 2 == high % 2 == 0
    assert 16 <= wide <= most and 16 <= high <= 2 * most
    if min(wide, high) > 16:
        assert abs(wide / width - high / height) <= 2 / width + 2 / height


def test_small_pictures_keep_their_size() -> None:
    assert clip_size(640, 360, 1280) == (640, 360)
    assert clip_size(1080, 1920, 1280) == (1080, 1920)


@given(st.fractions(Fraction(1), Fraction(120)).map(lambda f: snap(float(f))))
def test_clip_times_are_exact(rate: Fraction) -> None:
    ticks, each = clip_timing(rate)
    assert Fraction(each, ticks) == 1 / rate
    assert 10_000 <= ticks < 1_000_000


@given(st.floats(0.001, 2000))
def test_a_clips_rate_is_one_that_plays(rate: float) -> None:
    frame_map = FrameMap(np.array([0, 1_000_000]), Fraction(1, max(1, round(1_000_000 * rate))))
    assert 1 <= clip_rate(frame_map) <= 120


@given(st.integers(1, 120), st.integers(3, 400))
def test_rounded_times_are_a_constant_rate(rate: int, frames: int) -> None:
    times = np.array([round(1000 * k / rate) for k in range(frames)])
    assert not is_variable(FrameMap(times, Fraction(1, 1000)))


def test_an_unknown_quality_and_frames_outside_are_refused(trap_file: Files, tmp_path: Path) -> None:
    frame_map = index(trap_file("plain")).frame_map
    for start, stop in ((-1, 5), (5, 5), (70, 76)):
        with pytest.raises(ValueError, match="of 75 frames"):
            encode_clip(trap_file("plain"), frame_map, start, stop, tmp_path / "c.mp4")
    with pytest.raises(ValueError, match="default, high, best"):
        encode_clip(trap_file("plain"), frame_map, 0, 5, tmp_path / "c.mp4", quality="perfect")


def write_bars(path: Path, codec: str, pixel_format: str, full: bool, bt709: bool, size: tuple[int, int]) -> None:
    bars = np.repeat(np.repeat(BARS[None], size[1], 0), size[0] // len(BARS) + 1, 1)[:, : size[0]]
    matrix, spread = (1 if bt709 else 5), (2 if full else 1)
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(bars), "rgb24").reformat(
        format=pixel_format, src_color_range=2, dst_color_range=spread, dst_colorspace=matrix, src_colorspace=matrix
    )
    with create_video(path) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, spread
        if codec == "libx264":
            stream.options = {"crf": "4"}
        for k in range(5):
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("file", "codec", "pixel_format", "full", "bt709"),
    [
        ("limited_601.mp4", "libx264", "yuv420p", False, False),
        ("limited_709.mp4", "libx264", "yuv420p", False, True),
        ("full_601.mp4", "libx264", "yuv420p", True, False),
        ("full_709.mkv", "libx264", "yuv420p", True, True),
        ("jpeg.avi", "mjpeg", "yuvj420p", True, False),
        ("ten_bits.mov", "prores_ks", "yuv422p10le", False, True),
        ("wide_chroma.mp4", "libx264", "yuv444p", False, True),
    ],
)
def test_colours_come_through_pictures_and_clips(
    file: str, codec: str, pixel_format: str, full: bool, bt709: bool, tmp_path: Path
) -> None:
    path, out = tmp_path / file, tmp_path / "clip.mp4"
    write_bars(path, codec, pixel_format, full, bt709, (700, 96))
    frame_map = index(path).frame_map
    facts = encode_clip(path, frame_map, 0, 5, out, quality="best")
    clip_map = constant_frame_map(5, facts.rate, facts.width, facts.height)
    for where, its_map in ((path, frame_map), (out, clip_map)):
        with FrameReader(where, its_map) as reader:
            picture = pixels(reader.frame(2), its_map).astype(int)
        for k, bar in enumerate(BARS):
            middle = picture[20:76, 101 * k + 30 : 101 * k + 70].reshape(-1, 3)
            assert np.abs(np.median(middle, 0) - bar).max() <= 9, (where.name, k, np.median(middle, 0), bar)
    with open_video(out) as (_, stream):
        assert stream.codec_context.color_range == 1
        assert stream.codec_context.colorspace == (1 if bt709 else 5)


def test_a_clip_of_a_real_video_cannot_be_told_from_it(shared: Path, tmp_path: Path) -> None:
    path, out = shared / "video" / "bikes.mp4", tmp_path / "clip.mp4"
    frame_map = index(path).frame_map
    loss = {}
    for quality in ("default", "high", "best"):
        facts = encode_clip(path, frame_map, 60, 100, out, quality=quality)
        clip_map = constant_frame_map(40, facts.rate, facts.width, facts.height)
        with FrameReader(path, frame_map) as source, FrameReader(out, clip_map) as clip:
            pairs = [
                (pixels(source.frame(60 + k), frame_map), pixels(clip.frame(k), clip_map)) for k in range(0, 40, 5)
            ]
        error = np.mean([((a.astype(float) - b) ** 2).mean() for a, b in pairs])
        loss[quality] = 10 * np.log10(255**2 / error)
    assert 38 < loss["default"] < loss["high"] < loss["best"]


def test_a_clips_groups_are_closed_and_begin_every_thirty_frames(trap_file: Files, tmp_path: Path) -> None:
    path, out = trap_file("b_frames"), tmp_path / "clip.mp4"
    encode_clip(path, index(path).frame_map, 0, 75, out)
    with open_video(out) as (container, stream):
        packets = [p for p in container.demux(stream) if p.size]
    assert [n for n, p in enumerate(packets) if p.is_keyframe] == [0, GOP, 2 * GOP]
    assert all(p.pts == p.dts for p in packets), "no frame comes out of order"
    assert len(list(out.parent.iterdir())) == 1


def test_making_a_clip_takes_no_more_memory_the_longer_it_is(trap_file: Files, tmp_path: Path) -> None:
    """A decoded frame that refers to itself lives on until Python looks for circles, and there are many frames."""
    path = trap_file("rotated")
    gc.collect()
    gc.disable()
    try:
        before = sum(type(o) is VideoFrame for o in gc.get_objects())
        encode_clip(path, index(path).frame_map, 0, 75, tmp_path / "clip.mp4")
        left = sum(type(o) is VideoFrame for o in gc.get_objects()) - before
    finally:
        gc.enable()
    assert left <= 8
