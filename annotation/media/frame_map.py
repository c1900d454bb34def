"""The frame map: which frames a video has, in presentation order, and how to find each of them again.

It is pinned when the video is indexed. Frame n of the video is row n of the map, whatever a newer decoder thinks.
A frame is found again by the *stamp* that its packet carries:

* `times`: the packets carry presentation times, and the stamp is the time itself (most files);
* `decode`: only decode times are to be trusted (B-frames in AVI), and the stamp is the packet's decode time;
* `serial`: times are missing or ambiguous, and the stamp is the packet's place in the file.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAGIC = b"TWFM1"
STAMPS = ("times", "decode", "serial")


@dataclass(frozen=True, eq=False)
class FrameMap:
    """`times` (n,) strictly rising presentation times in `time_base` seconds; `stamps` (n,) as above.

    `keyframes` are the frames at which decoding can begin, `undecodable` the ones that keep their number but cannot
    be shown, both sorted. Frames `[0, settled)` were decoded once and never change again. `width` and `height` are
    after rotation. Equal content has equal `sha256`; how far it is settled is not content.
    """

    times: Ints
    time_base: Fraction
    width: int = 0
    height: int = 0
    keyframes: tuple[int, ...] = ()
    undecodable: tuple[int, ...] = ()
    settled: int = 0
    stamped: str = "times"
    stamps: Ints = field(default=None)  # type: ignore[arg-type]  # __post_init__ sees to it

    def __post_init__(self) -> None:
        if self.stamps is None:
            object.__setattr__(self, "stamps", self.times)
        if self.stamped not in STAMPS:
            raise ValueError(f"stamps are {STAMPS}, not {self.stamped!r}")

    def __len__(self) -> int:
        return len(self.times)

    def times_s(self) -> Floats:
        """Presentation times in seconds, (n,)."""
        return self.times.astype(np.float64) * self.time_base.numerator / self.time_base.denominator

    @cached_property
    def _order(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.stamps, kind="stable")
        return self.stamps[order], order

    def number(self, stamp: int) -> int | None:
        """The frame whose packet carries this stamp, or None where that packet is no frame."""
        stamps, order = self._order
        at = int(np.searchsorted(stamps, stamp))
        return int(order[at]) if at < len(stamps) and stamps[at] == stamp else None

    def keyframe_before(self, frame: int, back: int = 0) -> int | None:
        """The last keyframe at or before a frame, or the one `back` keyframes earlier; None: the file's start."""
        at = bisect_right(self.keyframes, frame) - 1 - back
        return self.keyframes[at] if at >= 0 else None

    def is_undecodable(self, frame: int) -> bool:
        at = bisect_right(self.undecodable, frame) - 1
        return at >= 0 and self.undecodable[at] == frame

    def without(self, frames: Iterable[int]) -> FrameMap:
        """The map less some unsettled frames, which moves the numbers of those behind them."""
        gone = np.unique(np.fromiter(frames, dtype=np.int64))
        if not len(gone):
            return self
        keep = np.ones(len(self), bool)
        keep[gone] = False
        return replace(
            self,
            times=self.times[keep],
            stamps=self.stamps[keep],
            keyframes=_moved(self.keyframes, keep),
            undecodable=_moved(self.undecodable, keep),
        )

    def pack(self) -> bytes:
        """Compact bytes for a database column: second differences, deflated. 100,000 regular frames take 1 kB."""
        header = {
            "time_base": [self.time_base.numerator, self.time_base.denominator],
            "size": [self.width, self.height],
            "settled": self.settled,
            "stamped": self.stamped,
        }
        arrays = [_curl(self.times), _ints(np.diff(self.keyframes, prepend=0)), _ints(self.undecodable)]
        if self.stamps is not self.times:
            arrays.append(_curl(self.stamps))
        text = json.dumps(header).encode()
        body = struct.pack(">I", len(text)) + text
        for array in arrays:
            body += struct.pack(">Q", len(array)) + array.tobytes()
        return MAGIC + zlib.compress(body, 6)

    @classmethod
    def unpack(cls, data: bytes) -> FrameMap:
        """The map from `pack()`'s bytes. ValueError where they are something else."""
        if data[:5] != MAGIC:
            raise ValueError("these bytes are no frame map")
        body = memoryview(zlib.decompress(data[5:]))
        (length,) = struct.unpack(">I", body[:4])
        header = json.loads(bytes(body[4 : 4 + length]))
        arrays, at = [], 4 + length
        while at < len(body):
            (count,) = struct.unpack(">Q", body[at : at + 8])
            arrays.append(np.frombuffer(body, np.dtype("<i8"), count, at + 8).astype(np.int64))
            at += 8 + 8 * count
        times = _uncurl(arrays[0])
        return cls(
            times=times,
            time_base=Fraction(*header["time_base"]),
            width=header["size"][0],
            height=header["size"][1],
            keyframes=tuple(np.cumsum(arrays[1]).tolist()),
            undecodable=tuple(arrays[2].tolist()),
            settled=header["settled"],
            stamped=header["stamped"],
            stamps=_uncurl(arrays[3]) if len(arrays) > 3 else times,
        )

    @cached_property
    def sha256(self) -> str:
        """Hash of what the frames are: times, time base, stamps, size, undecodable frames."""
        head = [self.time_base.numerator, self.time_base.denominator, self.width, self.height, self.stamped]
        digest = hashlib.sha256(json.dumps(head).encode())
        for array in (self.times, self.stamps, np.asarray(self.undecodable, np.int64)):
            digest.update(struct.pack(">Q", len(array)))
            digest.update(_ints(array).tobytes())
        return digest.hexdigest()


def clip_timing(rate: Fraction) -> tuple[int, int]:
    """A clip's ticks per second and ticks per frame: exact for its rate, and fine enough for every player.

    >>> clip_timing(Fraction(30000, 1001))
    (30000, 1001)
    """
    many = max(1, -(-10_000 // rate.numerator))
    return rate.numerator * many, rate.denominator * many


def constant_frame_map(frames: int, rate: Fraction, width: int, height: int, gop: int = 30) -> FrameMap:
    """The map of a clip that we made: frame k at time k / rate, a keyframe every `gop` frames, nothing damaged."""
    ticks, each = clip_timing(rate)
    times = np.arange(frames, dtype=np.int64) * each
    return FrameMap(times, Fraction(1, ticks), width, height, tuple(range(0, frames, gop)), settled=frames)


def _moved(frames: tuple[int, ...], keep: NDArray[np.bool_]) -> tuple[int, ...]:
    moved = np.cumsum(keep) - 1
    return tuple(int(moved[f]) for f in frames if keep[f])


def _ints(values: Iterable[int] | Ints) -> Ints:
    return np.asarray(values, dtype="<i8")


def _curl(values: Ints) -> Ints:
    return _ints(np.diff(np.diff(values, prepend=0), prepend=0))


def _uncurl(values: Ints) -> Ints:
    return np.cumsum(np.cumsum(values))
