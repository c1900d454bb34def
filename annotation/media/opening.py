"""The one door to libav: the only module that calls `av.open`, and what it lets through.

An upload's name says nothing. `ffconcat version 1.0` in a file called `video.mp4` makes libav open other files, a
playlist makes it fetch addresses, and both happen while it guesses the format. So the container is recognised here
from its first bytes, libav is told that one demuxer (it never guesses), and the allow-lists below hold for whatever
a demuxer may try to open by itself. Decoders are allow-listed as well: the wheels compile in hundreds, and two CVEs
of 2026 (the APAC decoder, the TY demuxer with Shorten) are in ones that nobody here needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from annotation.media.errors import Rejected

av.logging.set_level(None)

#: Our word for a container → the demuxer that libav is told to use.
DEMUXERS = {"mp4": "mov", "matroska": "matroska", "avi": "avi", "mpeg-ts": "mpegts"}

#: libav's name of a codec (the stream's) → the word that people use.
CODECS = {
    "h264": "H.264",
    "hevc": "HEVC",
    "vp8": "VP8",
    "vp9": "VP9",
    "libdav1d": "AV1",
    "av1": "AV1",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mpeg4": "MPEG-4",
    "msmpeg4": "MS-MPEG-4 v3",
    "msmpeg4v3": "MS-MPEG-4 v3",
    "msmpeg4v2": "MS-MPEG-4 v2",
    "prores": "ProRes",
    "mjpeg": "MJPEG",
}

#: FFmpeg's floor: libavformat and libavcodec of 8.1, which the wheels of PyAV 18 bundle. A test states it.
FLOOR = {"libavformat": (62, 12, 0), "libavcodec": (62, 28, 0)}

#: Square pictures of 360° cameras still fit; the default memory limit holds some thirty of them while decoding.
MAX_PIXELS = 4096 * 4096
_STRICT_PIXELS = 4096 * 2304
HEAD_BYTES = 4096
_USE = "Export it as mp4 (H.264) and upload it again."


def sniff(path: Path | str) -> str:
    """The container of a file by its content, one of `DEMUXERS`. Rejected when it is none of them."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise Rejected("The file is empty. Upload it again; the first upload may have been cut off.")
    container = _container(head)
    if container is None:
        raise Rejected(f"This is {_guess(head)}, not a video that we read (mp4, mov, mkv, webm, avi, mpeg-ts). {_USE}")
    return container


def _container(head: bytes) -> str | None:
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    # Transport stream packets are 188 bytes (192 with a camcorder's time stamp in front) and begin with 0x47.
    for size, first in ((188, 0), (192, 4)):
        at = head[first::size][: len(head) // size]
        if len(at) >= 2 and set(at) == {0x47}:
            return "mpeg-ts"
    return None


def _guess(head: bytes) -> str:
    known = {
        b"\x89PNG": "a PNG picture",
        b"\xff\xd8\xff": "a JPEG picture",
        b"GIF8": "a GIF picture",
        b"%PDF": "a PDF document",
        b"PK\x03\x04": "a zip archive",
        b"#EXTM3U": "a playlist",
        b"ffconcat": "a playlist",
        b"OggS": "an Ogg file",
        b"FLV\x01": "a Flash video",
        b"ID3": "an MP3 file",
        b"\x00\x00\x01\xba": "an MPEG program stream",
    }
    for magic, name in known.items():
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF":
        return "a WAV or WebP file"
    if b"\x00" not in head and all(byte >= 9 for byte in head):
        return "a text file"
    return "a file of a kind that we do not know"


def _open(path: Path | str, mode: str, **how: object) -> InputContainer | OutputContainer:
    """The only call of `av.open`. The prefix keeps a name such as `http:x` or `concat:a|b` a name."""
    return av.open(f"file:{Path(path).absolute()}", mode, **how)  # type: ignore[call-overload]


@contextmanager
def open_video(path: Path | str, max_pixels: int = MAX_PIXELS) -> Iterator[tuple[InputContainer, VideoStream]]:
    """An upload's container and its video stream, ready to demux and to decode in one thread.

    One thread, since a frame-threaded decoder reports an error on another packet than the one that caused it, and
    may decode a damaged stream differently from run to run.
    """
    container = _open_input(path, max_pixels)
    with container:
        stream = _video_stream(container)
        _check(stream, max_pixels)
        context = stream.codec_context
        context.thread_count = 1
        context.copy_opaque = True
        options = {"max_pixels": str(max_pixels)}
        if context.name in ("h264", "hevc") and context.width * context.height <= _STRICT_PIXELS:
            # Without it the decoder guesses how far frames are reordered and drops some where it guesses too little;
            # with it 16 frames are held back, which takes too much memory above 4K.
            options["strict"] = "1"
        context.options = options
        yield container, stream


def _open_input(path: Path | str, max_pixels: int) -> InputContainer:
    demuxer = DEMUXERS[sniff(path)]
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": "mov,matroska,webm,avi,mpegts",
        "codec_whitelist": ",".join(CODECS),
        "max_pixels": str(max_pixels),
        "probesize": "10000000",
    }
    try:
        return _open(path, "r", format=demuxer, options=options)  # type: ignore[return-value]
    except (av.error.FFmpegError, ValueError, MemoryError) as error:  # damaged sizes ask for absurd memory
        raise Rejected(f"The file is damaged or not complete, and cannot be opened. {_USE}") from error


def _video_stream(container: InputContainer) -> VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    if not streams:
        raise Rejected(
            "There is no video in the file: it holds only sound, pictures or data, or it is not complete. "
            "Upload one that does, or the whole of it."
        )
    return max(streams, key=lambda s: (s.disposition & s.disposition.default, -s.index))


def _check(stream: VideoStream, max_pixels: int) -> None:
    context = stream.codec_context
    if context is None or context.name not in CODECS:
        if context is None:
            raise Rejected(f"The file does not say how its video is to be read; it may not be complete. {_USE}")
        raise Rejected(f"The video uses the codec {context.codec.long_name}, which we do not read. {_USE}")
    if context.width * context.height > max_pixels:
        raise Rejected(
            f"The picture is {context.width} × {context.height}, more than {max_pixels:,} pixels. "
            "Scale the video down and upload it again."
        )


def create_clip(path: Path | str, ticks: int) -> AbstractContextManager[OutputContainer]:
    """An mp4 file to write, `ticks` to the second, its header in front so that browsers can begin early."""
    return create_video(path, "mp4", movflags="+faststart", use_editlist="0", video_track_timescale=str(ticks))


@contextmanager
def create_video(path: Path | str, muxer: str | None = None, **options: str) -> Iterator[OutputContainer]:
    """A video file to write, its container by the path's ending or by libav's name of a muxer."""
    container = cast(OutputContainer, _open(path, "w", format=muxer, options=options))
    with container:
        yield container
