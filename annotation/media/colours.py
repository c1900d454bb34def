"""Colours kept as they are: matrices and ranges named wherever a picture changes its form.

A file that does not name its matrix is shown by browsers as BT.601 where it is small and BT.709 where it is large;
the same rule here makes a clip, a server picture and the source look alike.
"""

from __future__ import annotations

from av.video.frame import VideoFrame

BT709, BT601 = 1, 5
LIMITED, FULL = 1, 2
_NAMED = {1: BT709, 5: BT601, 6: BT601}
_SMALL = 576


def matrix(frame: VideoFrame) -> int:
    """The colour matrix of a frame: BT.709 or BT.601."""
    return _NAMED.get(frame.colorspace, BT709 if min(frame.width, frame.height) > _SMALL else BT601)


def range_of(frame: VideoFrame) -> int:
    """1 for limited range (16 to 235), 2 for full."""
    return FULL if frame.color_range == FULL or frame.format.name.startswith("yuvj") else LIMITED


def to_video(frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
    """A frame as yuv420p of limited range at a size, in its own matrix (one of RGB gets BT.601 or BT.709)."""
    used = matrix(frame)
    return frame.reformat(
        width=size[0],
        height=size[1],
        format="yuv420p",
        src_colorspace=used,
        dst_colorspace=used,
        src_color_range=FULL if frame.format.is_rgb else range_of(frame),
        dst_color_range=LIMITED,
        interpolation="BICUBIC",
        threads=1,
    )


def to_rgb(frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
    """A frame as 8-bit RGB at a size."""
    return frame.reformat(
        width=size[0],
        height=size[1],
        format="rgb24",
        src_colorspace=matrix(frame),
        dst_colorspace=matrix(frame),
        src_color_range=FULL if frame.format.is_rgb else range_of(frame),
        dst_color_range=FULL,
        interpolation="BICUBIC",
        threads=1,
    )
