"""Reading frames by number: seek to a keyframe, decode until the frame with the right stamp comes out.

Nothing here trusts a seek. Every packet carries its stamp through the decoder, so a frame is known by the packet it
came from and not by its place; where a seek lands wrong, or a keyframe turns out to be none, an earlier one is tried,
and in the end the start of the file.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from annotation.media.errors import FrameUndecodable
from annotation.media.frame_map import FrameMap
from annotation.media.opening import MAX_PIXELS, open_video

#: How far out of order a decoder may give frames out, and so how long one is waited for.
WINDOW = 4
_DEMUX_ERRORS = 16
#: Seconds before a keyframe at which a seek is tried; after these the file is read from its start.
_RUN_UPS_S = (0, 3, 15)


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The stream's packets; a demuxer's error is passed over as long as packets follow it."""
    errors = 0
    demuxed = container.demux(stream)
    while errors < _DEMUX_ERRORS:
        try:
            packet = next(demuxed, None)
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            errors += 1
            demuxed = container.demux(stream)
            continue
        if packet is None:
            return
        if packet.size:
            errors = 0
            yield packet


class Step(NamedTuple):
    """What came of one packet: its stamp, whether it was damaged, and the frames that it brought out."""

    stamp: int | None
    keyframe: bool
    damaged: bool
    frames: list[tuple[int | None, VideoFrame]]


class Fed(Enum):
    """In what state a packet met the decoder, which tells a hidden frame from a lost one."""

    LEADING = "before the first keyframe"
    CLEAN = "decoded without an error"
    DIRTY = "damaged, or behind a damaged one"


def fed_after(state: Fed, step: Step) -> Fed:
    """The state of the packet of `step`, given that of the packet before it."""
    if step.keyframe:
        return Fed.DIRTY if step.damaged else Fed.CLEAN
    return Fed.DIRTY if step.damaged and state is Fed.CLEAN else state


class Decoding:
    """A file being decoded from some keyframe onwards, each frame with the stamp of its packet."""

    def __init__(self, path: Path | str, stamped: str, max_pixels: int = MAX_PIXELS) -> None:
        self.path, self.stamped, self.max_pixels = path, stamped, max_pixels
        self._stack = ExitStack()
        self._rewind()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def _rewind(self) -> None:
        """To the start of the file, by opening it anew: seeking back is not exact in every container."""
        self._stack.close()
        self.container, self.stream = self._stack.enter_context(open_video(self.path, self.max_pixels))
        self._continue()
        self._serial = 0

    def _continue(self) -> None:
        self._packets: Iterator[Packet[VideoStream]] | None = packets(self.container, self.stream)
        self._first: Packet[VideoStream] | None = None

    def _stamp(self, packet: Packet[VideoStream]) -> int | None:
        if self.stamped == "serial":
            return self._serial
        return packet.pts if self.stamped == "times" else packet.dts

    def _read(self) -> tuple[Packet[VideoStream], int | None] | None:
        assert self._packets is not None
        packet = next(self._packets, None)
        if packet is None:
            return None
        stamp = self._stamp(packet)
        self._serial += 1
        return packet, stamp

    def begin(self, stamp: int | None) -> None:
        """Stand before the keyframe whose packet carries this stamp, or at the start of the file for None."""
        if stamp is not None and self.stamped != "serial":
            ticks = 1 / self.stream.time_base  # type: ignore[operator]
            if any(self._seek(stamp - int(run_up * ticks), stamp) for run_up in _RUN_UPS_S):
                return
        self._rewind()
        if stamp is not None and not self._skip_to(stamp, overshoot=False):
            self._rewind()

    def _seek(self, target: int, stamp: int) -> bool:
        try:
            self.container.seek(target, stream=self.stream, backward=True)
        except av.error.FFmpegError:
            return False
        self._continue()
        return self._skip_to(stamp, overshoot=True)

    def _skip_to(self, stamp: int, overshoot: bool) -> bool:
        """Pass over packets up to the one with this stamp; give up early where it must lie behind us."""
        while (read := self._read()) is not None:
            packet, at = read
            if at == stamp:
                self._first = packet
                return True
            if overshoot and packet.dts is not None and packet.dts > stamp:
                return False
        return False

    def step(self) -> Step | None:
        """Decode one more packet; None when all frames are out."""
        if self._packets is None:
            return None
        if self._first is not None:
            packet, self._first = self._first, None
            return self._decode(packet, self._stamp_of_first(packet))
        read = self._read()
        if read is None:
            self._packets = None
            frames, damaged = self._frames(None)
            return Step(None, False, damaged, frames)
        return self._decode(*read)

    def _stamp_of_first(self, packet: Packet[VideoStream]) -> int | None:
        return self._serial - 1 if self.stamped == "serial" else self._stamp(packet)

    def _decode(self, packet: Packet[VideoStream], stamp: int | None) -> Step:
        packet.opaque = [stamp]  # a new object each time: PyAV knows them by address, and small ints share theirs
        frames, damaged = self._frames(packet)
        return Step(stamp, packet.is_keyframe, damaged or packet.is_corrupt, frames)

    def _frames(self, packet: Packet[VideoStream] | None) -> tuple[list[tuple[int | None, VideoFrame]], bool]:
        try:
            frames = self.stream.codec_context.decode(packet)
        except av.error.MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            return [], True
        return [(f.opaque[0] if f.opaque else None, f) for f in frames], False


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
        self._cache_frames = WINDOW + 2 + cache_bytes // max(1, frame_map.width * frame_map.height * 2)
        self._failed: set[int] = set()
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

    def frames(self, start: int, stop: int) -> Iterator[VideoFrame | None]:
        """The frames `[start, stop)` in order, None for one that cannot be decoded."""
        for n in range(start, stop):
            try:
                yield self.frame(n)
            except FrameUndecodable:
                yield None

    def _find(self, n: int) -> bool:
        if self._ahead(n) and self._run_to(n):
            return True
        back = 0
        while True:
            keyframe = self.map.keyframe_before(n, back)
            self._begin(keyframe)
            if self._run_to(n):
                return True
            if keyframe is None:
                return False
            back = 2 * back + 1

    def _ahead(self, n: int) -> bool:
        """Whether going on from here is the shortest way to frame n."""
        if not self._running or (self._at is not None and self._at >= n):
            return False
        keyframe = self.map.keyframe_before(n)
        return keyframe is None or (self._at is not None and keyframe <= self._at + WINDOW)

    def _begin(self, keyframe: int | None) -> None:
        self._decoding.begin(None if keyframe is None else int(self.map.stamps[keyframe]))
        self._at, self._running = None, True
        self._queue.clear()

    def _run_to(self, n: int) -> bool:
        while self._at is None or self._at < n + WINDOW:
            if not self._queue and not self._fill_queue():
                return False
            if self._queue:
                self._keep(*self._queue.popleft())
                if n in self._cache:
                    return True
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
        self._at = number if self._at is None else max(self._at, number)
        self._cache[number] = frame
        self._cache.move_to_end(number)
        while len(self._cache) > self._cache_frames:
            self._cache.popitem(last=False)
