"""Videos whose every frame carries its own number in its pixels, to prove what a player or a reader shows.

The picture is a grid of 6 × 4 cells, black or white: 18 bits of the number and 6 of a check sum. It survives scaling
and lossy codecs. The options below make each of the things that put other tools a frame off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from annotation.media.opening import create_video

COLUMNS, ROWS = 6, 4
_BITS, _CHECK = 18, 6
_BLACK, _WHITE = 16, 235


def draw_barcode(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """The grey picture (height, width) of a number under 2¹⁸."""
    code = number << _CHECK | _check(number)
    bits = np.array([code >> i & 1 for i in range(COLUMNS * ROWS)]).reshape(ROWS, COLUMNS)
    rows, columns = np.arange(height) * ROWS // height, np.arange(width) * COLUMNS // width
    return np.where(bits[rows[:, None], columns], _WHITE, _BLACK).astype(np.uint8)


def _check(number: int) -> int:
    return (number * 0x9E3779B1 >> 7 ^ 0x15) & 0x3F  # so that a black picture carries no number


def read_barcode(picture: NDArray[np.uint8]) -> int | None:
    """The number in a picture (height, width[, channels]) of any size; None where it carries none."""
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(float)
    height, width = grey.shape
    rows = [(int((r + 0.3) * height / ROWS), int((r + 0.7) * height / ROWS) + 1) for r in range(ROWS)]
    columns = [(int((c + 0.3) * width / COLUMNS), int((c + 0.7) * width / COLUMNS) + 1) for c in range(COLUMNS)]
    cells = [grey[top:bottom, left:right].mean() for top, bottom in rows for left, right in columns]
    code = sum(1 << i for i, cell in enumerate(cells) if cell > (_BLACK + _WHITE) / 2)
    number = code >> _CHECK
    return number if code & ((1 << _CHECK) - 1) == _check(number) else None


@dataclass(frozen=True)
class BarcodeVideo:
    """How to write one. The container follows the path's ending unless `container` names a muxer of libav.

    `times` are presentation times in `time_base` units (default: even, in 1/1000 s), which may be negative or
    uneven. `rotation` is clockwise and, with `mirror`, only written into the header. `audio_from_s` adds silence.
    """

    codec: str = "libx264"
    container: str | None = None
    size: tuple[int, int] = (96, 64)
    rate: Fraction = Fraction(25)
    times: Sequence[int] | None = None
    time_base: Fraction | None = None
    b_frames: int = 0
    gop: int = 12
    rotation: int = 0
    mirror: bool = False
    pixels: str = "yuv420p"
    interlaced: bool = False
    audio_from_s: float | None = None
    options: dict[str, str] = field(default_factory=dict)
    muxer: dict[str, str] = field(default_factory=dict)


def write_barcode_video(path: Path | str, numbers: int | Iterable[int], how: BarcodeVideo = BarcodeVideo()) -> None:
    """Write a video that shows `numbers` (or 0, 1, …) one after the other."""
    numbers = range(numbers) if isinstance(numbers, int) else list(numbers)
    with create_video(path, how.container, **how.muxer) as container:
        stream = _stream(container, how)
        audio = None if how.audio_from_s is None else container.add_stream("aac", rate=48000)
        for k, number in enumerate(numbers):
            frame = _frame(number, how)
            frame.time_base = how.time_base or 1 / how.rate
            frame.pts = k if how.times is None else how.times[k]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            _silence(container, audio, how.audio_from_s or 0.0, len(numbers) / how.rate)


def _stream(container: OutputContainer, how: BarcodeVideo) -> VideoStream:
    stream = cast(VideoStream, container.add_stream(how.codec, rate=how.rate, options=dict(how.options)))
    turned = how.rotation in (90, 270)
    stream.width, stream.height = how.size[::-1] if turned else how.size
    stream.pix_fmt = how.pixels
    context = stream.codec_context
    context.gop_size, context.max_b_frames = how.gop, how.b_frames
    context.thread_count = 1
    if how.time_base is not None:
        context.time_base = how.time_base
    if how.rotation or how.mirror:
        stream.set_display_rotation(-how.rotation, hflip=how.mirror)
    return stream


def _frame(number: int, how: BarcodeVideo) -> VideoFrame:
    """The stored picture: what the header's turn makes an upright barcode of."""
    picture = draw_barcode(number, *how.size)
    if how.mirror:
        picture = picture[:, ::-1]
    picture = np.ascontiguousarray(np.rot90(picture, how.rotation // 90))
    height, width = picture.shape
    frame = VideoFrame.from_ndarray(picture, "gray8").reformat(
        width, height, "yuv420p", src_color_range="MPEG", dst_color_range="MPEG"
    )
    if how.pixels != "yuv420p":
        frame = frame.reformat(format=how.pixels)
    return frame


def _silence(container: OutputContainer, stream: AudioStream, start_s: float, length: Fraction) -> None:
    frame_size = 1024
    for k in range(int(length * stream.rate) // frame_size):
        frame = AudioFrame.from_ndarray(np.zeros((1, frame_size * 2), np.int16), "s16", "stereo")
        frame.sample_rate, frame.pts = stream.rate, round(start_s * stream.rate) + k * frame_size
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
