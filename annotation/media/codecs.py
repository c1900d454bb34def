"""Which decoders and encoders the installed FFmpeg has, of those that we need."""

from __future__ import annotations

from typing import Literal

import av

DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg2video", "mpeg4", "msmpeg4v3", "prores", "mjpeg")
ENCODERS = ("libx264",)


def missing_codecs() -> list[str]:
    """The names of the decoders and encoders that we need and FFmpeg lacks."""
    decoders = [name for name in DECODERS if not _has(name, "r")]
    return decoders + [name for name in ENCODERS if not _has(name, "w")]


def _has(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        av.Codec(name, mode)
    except (ValueError, av.error.FFmpegError):
        return False
    return True
