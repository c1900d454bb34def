"""A file being decoded from some keyframe onwards, every frame with the stamp of the packet that it came from.

Nothing here trusts a seek. Packets carry their stamps through the decoder, so a frame is known by its packet and not
by its place; where a seek lands wrong, the file is read from its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from annotation.media.opening import MAX_PIXELS, open_video

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
        except (av.error.FFmpegError, IndexError):
            # Damaged sizes ask for absurd memory, and IndexError is PyAV's where a stream is made up on the way.
            errors += 1
            demuxed = container.demux(stream)
            continue
        if packet is None:
            return
        if packet.size:
            errors = 0
            yield packet


#: Codecs in which a packet may decode well and rightly show nothing: second fields, and MPEG-4's "not coded", which is
#: a few bytes long. Hidden frames of VP8 and VP9 are known from their packets. HEVC has pictures not meant for output,
#: but so rarely that a frame which its decoder drops in silence is rather a lost one.
_MAY_HIDE = {"h264", "mpeg1video", "mpeg2video", "mpeg4"}
_NOT_CODED_BYTES = 24
_START_CODE, _START_WITHIN = b"\x00\x00\x01", 64


#: Packets begin with two bits that say of which type the picture is; no parser tells, and an AVI only by its index.
_TYPED = {"msmpeg4", "msmpeg4v2", "msmpeg4v3"}


def is_keyframe(codec: str, packet: Packet[VideoStream]) -> bool:
    """Whether decoding can begin at a packet. Without an index every packet of an AVI is called a keyframe."""
    return packet.is_keyframe and not (codec in _TYPED and memoryview(packet)[0] & 0xC0)


class Step(NamedTuple):
    """What came of one packet: its stamp, whether it was damaged, whether it may rightly show nothing, and the frames
    that it brought out.
    """

    stamp: int | None
    keyframe: bool
    damaged: bool
    may_hide: bool
    frames: list[tuple[int | None, VideoFrame]]


def _may_hide(codec: str, packet: Packet[VideoStream]) -> bool:
    if codec not in _MAY_HIDE:
        return False
    head = bytes(memoryview(packet)[:_START_WITHIN])
    if codec == "h264":
        return head[:4] != bytes(4)  # neither a start code nor the length of anything: wiped out
    return _START_CODE in head and (codec != "mpeg4" or packet.size <= _NOT_CODED_BYTES)


class Fed(Enum):
    """In what state a packet met the decoder, which tells a hidden frame from a lost one."""

    LEADING = "before the first keyframe"
    CLEAN = "decoded without an error"
    DIRTY = "damaged, or behind a damaged one"


def fed_after(state: Fed, step: Step) -> Fed:
    """The decoder's state behind `step`, given that before it."""
    if step.keyframe:
        return Fed.DIRTY if step.damaged else Fed.CLEAN
    return Fed.DIRTY if step.damaged and state is Fed.CLEAN else state


def is_hidden(fed: Fed, step: Step) -> bool:
    """Whether a packet that brings nothing out is no frame, rather than a lost one."""
    return fed is Fed.LEADING or (fed is Fed.CLEAN and step.may_hide and not step.keyframe)


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
            return Step(None, False, damaged, True, frames)
        return self._decode(*read)

    def _stamp_of_first(self, packet: Packet[VideoStream]) -> int | None:
        return self._serial - 1 if self.stamped == "serial" else self._stamp(packet)

    def _decode(self, packet: Packet[VideoStream], stamp: int | None) -> Step:
        packet.opaque = [stamp]  # a new object each time: PyAV knows them by address, and small ints share theirs
        frames, damaged = self._frames(packet)
        codec = self.stream.codec_context.name
        may_hide = _may_hide(codec, packet)
        return Step(stamp, is_keyframe(codec, packet), damaged or packet.is_corrupt, may_hide, frames)

    def _frames(self, packet: Packet[VideoStream] | None) -> tuple[list[tuple[int | None, VideoFrame]], bool]:
        try:
            frames = self.stream.codec_context.decode(packet)
        except av.error.MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            return [], True
        return [(cast(list, f.opaque)[0] if f.opaque else None, f) for f in frames], False
