"""Which decoders and encoders the installed FFmpeg has, of those that we need."""

from __future__ import annotations

import av

DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg2video", "mpeg4", "msmpeg4v3", "prores", "mjpeg")
ENCODERS = ("libx264",)


def missing_codecs() -> list[str]:
    """The names of the decoders and encoders that we need and FFmpeg lacks."""
    wanted = [*((name, "r") for name in DECODERS), *((name, "w") for name in ENCODERS)]
    return [name for name, mode in wanted if not _has(name, mode)]


def _has(name: str, mode: str) -> bool:
    try:
        av.Codec(name, mode)
    except (ValueError, av.error.FFmpegError):
        return False
    return True
