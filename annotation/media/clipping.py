"""Clips: the small file that shows a worker one segment, frame for frame.

A browser seeks by time and gets it wrong wherever a file is clever, so a clip is as dull as can be: H.264 without
B-frames, a constant rate, a closed group every 30 frames, no sound, no edit list, the header in front. Clip frame k
is source frame start + k, whatever the source's clock says.

The clip's picture is a plain scale of the source's (after rotation): source x = clip x · width / clip width, and the
same for y. H.264 wants even sides, so an odd side is scaled to the even number beside it; nothing is cropped or
padded. Quality 18 of x264 is the customary bound of what eyes cannot tell from the source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from annotation.media.colours import matrix, range_of, to_video
from annotation.media.errors import FrameUndecodable
from annotation.media.frame_map import FrameMap, clip_timing
from annotation.media.opening import MAX_PIXELS, create_clip
from annotation.media.orientation import UPRIGHT, Orientation, turn_frame
from annotation.media.rates import clip_rate
from annotation.media.reading import FrameReader

GOP = 30
#: x264's constant rate factors by name; 18 is visually lossless, lower is more.
QUALITIES = {"default": 18, "high": 12, "best": 6}
SMALLEST, TALLEST = 16, 2
_LOOK_BACK = 2000
_PROGRESS = 10


@dataclass(frozen=True)
class ClipFacts:
    """What was written: size in pixels and bytes, hash, and the clip's own frame times in seconds."""

    width: int
    height: int
    bytes: int
    sha256: str
    rate: Fraction
    frame_times_s: tuple[float, ...]


def clip_size(width: int, height: int, max_width: int) -> tuple[int, int]:
    """A clip's even sides for a source's: at most `max_width` wide and twice that high, at least 16 by 16.

    >>> clip_size(1920, 1080, 1280), clip_size(641, 361, 1280)
    ((1280, 720), (640, 360))
    """
    scale = min(1.0, max_width / width, TALLEST * max_width / height)
    return _even(width * scale, max_width), _even(height * scale, TALLEST * max_width)


def _even(side: float, most: int) -> int:
    return max(SMALLEST, min(2 * round(side / 2), most // 2 * 2))


def encode_clip(
    path: Path | str,
    frame_map: FrameMap,
    start: int,
    stop: int,
    out_path: Path | str,
    max_width: int = 1280,
    quality: str = "default",
    *,
    threads: int = 2,
    max_pixels: int = MAX_PIXELS,
    on_progress: Callable[[int], None] | None = None,
) -> ClipFacts:
    """Write frames `[start, stop)` of a video to `out_path`. A frame that cannot be decoded shows the one before it.

    ValueError for a range outside the video or an unknown quality. `on_progress` gets the frames written so far.
    """
    if not 0 <= start < stop <= len(frame_map):
        raise ValueError(f"frames [{start}, {stop}) of a video of {len(frame_map)} frames")
    if quality not in QUALITIES:
        raise ValueError(f"quality is one of {', '.join(QUALITIES)}, not {quality!r}")
    rate = clip_rate(frame_map)
    size = clip_size(frame_map.width, frame_map.height, max_width)
    with FrameReader(path, frame_map, max_pixels=max_pixels) as reader:
        _write(out_path, _pictures(reader, start, stop, size), rate, size, QUALITIES[quality], threads, on_progress)
    data = Path(out_path)
    with data.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    times = tuple(float(k / rate) for k in range(stop - start))
    return ClipFacts(size[0], size[1], data.stat().st_size, digest, rate, times)


def _pictures(reader: FrameReader, start: int, stop: int, size: tuple[int, int]) -> Iterator[VideoFrame]:
    """One picture per frame at the clip's size and the right way up, as yuv420p of limited range."""
    shown: VideoFrame | None = None
    for frame in reader.frames(start, stop):
        if frame is None and shown is None:
            frame = _before(reader, start)
        if frame is not None:
            shown = _fit(frame, size, reader.orientation(frame))
        yield shown if shown is not None else _black(size)


def _before(reader: FrameReader, start: int) -> VideoFrame | None:
    for n in range(start - 1, max(-1, start - 1 - _LOOK_BACK), -1):
        try:
            return reader.frame(n)
        except FrameUndecodable:
            continue
    return None


def _fit(frame: VideoFrame, size: tuple[int, int], how: Orientation) -> VideoFrame:
    stored = how.size(*size)
    fitted = to_video(frame, stored)
    return turn_frame(fitted, how) if how != UPRIGHT else fitted


def _black(size: tuple[int, int]) -> VideoFrame:
    frame = VideoFrame(*size, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


def _write(
    out_path: Path | str,
    pictures: Iterator[VideoFrame],
    rate: Fraction,
    size: tuple[int, int],
    crf: int,
    threads: int,
    on_progress: Callable[[int], None] | None,
) -> None:
    ticks, each = clip_timing(rate)
    with create_clip(out_path, ticks) as container:
        stream: VideoStream | None = None
        for k, picture in enumerate(pictures):
            if stream is None:
                stream = container.add_stream("libx264", rate=rate, options=_x264(crf))
                _set_up(stream, picture, rate, size, threads)
            picture.pts, picture.time_base = k * each, Fraction(1, ticks)
            picture.pict_type = 0
            container.mux(_encoded(stream, picture))
            if on_progress and (k + 1) % _PROGRESS == 0:
                on_progress(k + 1)
        if stream is not None:
            container.mux(_encoded(stream, None))


def _encoded(stream: VideoStream, picture: VideoFrame | None) -> list[Packet[VideoStream]]:
    try:
        return stream.encode(picture)
    except av.error.ExternalError as error:  # x264 says no more than that when it gets no memory
        raise MemoryError("the encoder got no memory") from error


def _x264(crf: int) -> dict[str, str]:
    return {
        "preset": "veryfast",
        "crf": str(crf),
        "bf": "0",
        "g": str(GOP),
        "keyint_min": str(GOP),
        "sc_threshold": "0",
        "forced-idr": "1",
    }


def _set_up(stream: VideoStream, picture: VideoFrame, rate: Fraction, size: tuple[int, int], threads: int) -> None:
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, clip_timing(rate)[0])
    context = stream.codec_context
    context.time_base = stream.time_base
    context.thread_count = threads
    context.colorspace, context.color_range = matrix(picture), range_of(picture)
