"""Reading frames by number: begin at a keyframe and decode until the frame with the right stamp comes out.

Where a keyframe turns out to be none, an earlier one is tried.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from av.video.frame import VideoFrame

from annotation.media.decoding import Decoding
from annotation.media.errors import FrameUndecodable
from annotation.media.frame_map import FrameMap
from annotation.media.opening import MAX_PIXELS
from annotation.media.orientation import Orientation, orientation

#: How many later frames may come out of a decoder before a frame is given up: wrong times reorder so many at most.
WINDOW = 32
#: Frames kept at the least.
_KEPT = 6
#: How far back, in frames, a second and third keyframe may lie; the first may lie anywhere.
_FAR = 1000


class FrameReader:
    """Frames of one video by number; near and forward ones come fast, since the decoder stays where it was."""

    def __init__(
        self, path: Path | str, frame_map: FrameMap, *, cache_bytes: int = 0, max_pixels: int = MAX_PIXELS
    ) -> None:
        self.map = frame_map
        self._decoding = Decoding(path, frame_map.stamped, max_pixels)
        self._queue: deque[tuple[int, VideoFrame]] = deque()
        self._at: int | None = None
        self._cache: OrderedDict[int, VideoFrame] = OrderedDict()
        self._cache_frames = _KEPT + cache_bytes // max(1, frame_map.width * frame_map.height * 2)
        self._failed: set[int] = set()
        self._orientations: dict[int, Orientation] = {}
        self._running = False

    def close(self) -> None:
        self._decoding.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def frame(self, n: int) -> VideoFrame:
        """Exactly frame n, as stored (not turned). IndexError past the end, FrameUndecodable where it is damaged."""
        if not 0 <= n < len(self.map):
            raise IndexError(f"frame {n} of a video of {len(self.map)} frames")
        if self.map.is_undecodable(n) or n in self._failed:
            raise FrameUndecodable(f"frame {n} is damaged in the file and cannot be decoded")
        if n not in self._cache and not self._find(n):
            self._failed.add(n)
            raise FrameUndecodable(f"frame {n} could not be decoded")
        self._cache.move_to_end(n)
        return self._cache[n]

    def orientation(self, frame: VideoFrame) -> Orientation:
        """Which way up a frame of this video is shown.

        Looked up once per turn that occurs: a frame whose side data were read refers to itself, and would stay in
        memory with its picture until Python looks for such circles.
        """
        turn = frame.rotation
        if turn not in self._orientations:
            self._orientations[turn] = orientation(frame)
        return self._orientations[turn]

    def frames(self, start: int, stop: int) -> Iterator[VideoFrame | None]:
        """The frames `[start, stop)` in order, None for one that cannot be decoded."""
        for n in range(start, stop):
            try:
                yield self.frame(n)
            except FrameUndecodable:
                yield None

    def _find(self, n: int) -> bool:
        if self._is_ahead(n) and self._run_to(n):
            return True
        back = 0
        while True:
            keyframe = self.map.keyframe_before(n, back)
            if back and n - (keyframe or 0) > _FAR:
                return False
            self._begin(keyframe)
            if self._run_to(n):
                return True
            if keyframe is None:
                return False
            back = 2 * back + 1

    def _is_ahead(self, n: int) -> bool:
        """Whether going on from here is the shortest way to frame n."""
        if not self._running or self._at is None or self._at >= n:
            return False
        keyframe = self.map.keyframe_before(n)
        return keyframe is None or keyframe <= self._at + _KEPT

    def _begin(self, keyframe: int | None) -> None:
        self._decoding.begin(None if keyframe is None else int(self.map.stamps[keyframe]))
        self._at, self._running = None, True
        self._queue.clear()

    def _run_to(self, n: int) -> bool:
        later = 0
        while later < WINDOW:
            if not self._queue and not self._fill_queue():
                return False
            if self._queue:
                self._keep(*self._queue.popleft())
                if n in self._cache:
                    return True
                later += self._at is not None and self._at > n
        return False

    def _fill_queue(self) -> bool:
        """Decode one more packet. A decoder that is flushed gives many frames at once, so they queue up."""
        step = self._decoding.step()
        if step is None:
            self._running = False
            return False
        numbered = ((self.map.number(stamp), frame) for stamp, frame in step.frames if stamp is not None)
        self._queue.extend((n, frame) for n, frame in numbered if n is not None)
        return True

    def _keep(self, number: int, frame: VideoFrame) -> None:
        self._at = number
        self._cache[number] = frame
        self._cache.move_to_end(number)
        while len(self._cache) > self._cache_frames:
            self._cache.popitem(last=False)
