"""One frame as a picture file, at the video's own size or scaled to a width."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from annotation.media.colours import to_rgb
from annotation.media.frame_map import FrameMap
from annotation.media.orientation import Orientation, orientation, turn
from annotation.media.png import encode_png

#: Pillow's options: fast rather than small, since pictures are made while somebody waits. PNG is written by ourselves.
_PILLOW = {
    "jpeg": ("JPEG", {"quality": 92, "subsampling": 0}),
    "webp": ("WEBP", {"quality": 90, "method": 0}),
}
FORMATS = ("png", *_PILLOW)


def pixels(
    frame: VideoFrame, frame_map: FrameMap, width: int | None = None, how: Orientation | None = None
) -> NDArray[np.uint8]:
    """A frame the right way up as RGB, (height, width, 3): the map's size, or `width` if that is smaller."""
    how = orientation(frame) if how is None else how
    wide = frame_map.width if width is None else min(width, frame_map.width)
    high = max(1, round(frame_map.height * wide / frame_map.width))
    rgb = to_rgb(frame, how.size(wide, high)).to_ndarray()
    return turn(rgb.astype(np.uint8, copy=False), how)  # it is uint8: for the types alone


def encode(picture: NDArray[np.uint8], format: str) -> bytes:
    """RGB pixels as a file's bytes; `format` is one of `FORMATS`, else ValueError."""
    if format not in FORMATS:
        raise ValueError(f"pictures are {', '.join(FORMATS)}, not {format!r}")
    if format == "png":
        return encode_png(picture)
    name, options = _PILLOW[format]
    out = BytesIO()
    Image.fromarray(picture).save(out, name, **options)
    return out.getvalue()
