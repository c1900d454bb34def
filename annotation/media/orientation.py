"""Which way up a frame is shown: the display matrix that phones write instead of turning the pixels."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray


class Orientation(NamedTuple):
    """How stored pixels become shown ones: swap the axes first, then mirror left to right, then top to bottom."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def degrees(self) -> int:
        """The clockwise turn of an orientation that does not mirror: 0, 90, 180 or 270."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    @property
    def mirrored(self) -> bool:
        return (self.flip_x != self.flip_y) != self.transpose

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Stored size ↔ shown size."""
        return (height, width) if self.transpose else (width, height)


UPRIGHT = Orientation()


def orientation(frame: VideoFrame) -> Orientation:
    """A frame's orientation by its display matrix (ISO/IEC 14496-12, 8.2.2), rounded to quarter turns.

    The matrix takes a stored pixel (x, y) to (a·x + c·y, b·x + d·y), y downwards.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    a, b, _, c, d = (int(v) for v in np.frombuffer(cast(bytes, data), np.int32, 5))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def turn(picture: NDArray[np.uint8], how: Orientation) -> NDArray[np.uint8]:
    """A stored picture (h, w) or (h, w, channels) as it is shown."""
    if how.transpose:
        picture = picture.swapaxes(0, 1)
    if how.flip_x:
        picture = picture[:, ::-1]
    if how.flip_y:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def turn_frame(frame: VideoFrame, how: Orientation) -> VideoFrame:
    """A yuv420p frame with even sides as it is shown; its times and colours are not kept."""
    if how == UPRIGHT:
        return frame
    w, h = frame.width, frame.height
    data = frame.to_ndarray().astype(np.uint8, copy=False)  # it is: for the types alone
    luma = turn(data[:h], how)
    chroma = [turn(part.reshape(h // 2, w // 2), how) for part in data[h:].reshape(2, -1)]
    out = np.concatenate([luma.reshape(-1), *(c.reshape(-1) for c in chroma)])
    return VideoFrame.from_ndarray(out.reshape(luma.shape[0] * 3 // 2, luma.shape[1]), "yuv420p")
