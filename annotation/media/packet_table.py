"""The packets of a video stream as arrays: what can be known of a file without decoding it."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from annotation.media.decoding import is_keyframe, packets
from annotation.media.errors import Rejected
from annotation.media.frame_map import Ints

#: Stands for a time that a packet does not carry.
NO_TIME = np.iinfo(np.int64).min
_PROGRESS = 4096
_KEYFRAME, _DISCARD, _CORRUPT, _HIDDEN = 1, 2, 4, 8


@dataclass(frozen=True, eq=False)
class PacketTable:
    """One row per packet in decode order: `pts` and `dts` (`NO_TIME` where missing), what is flagged, and `misled`:
    whether an AVI's own index, by which a seek finds its way, gives packets other times than reading does.
    """

    pts: Ints
    dts: Ints
    flags: NDArray[np.uint8]
    misled: bool = False

    def __len__(self) -> int:
        return len(self.flags)

    @property
    def keyframe(self) -> NDArray[np.bool_]:
        return (self.flags & _KEYFRAME) != 0

    @property
    def discard(self) -> NDArray[np.bool_]:
        """Packets that an edit list hides."""
        return (self.flags & _DISCARD) != 0

    @property
    def corrupt(self) -> NDArray[np.bool_]:
        return (self.flags & _CORRUPT) != 0

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Packets that decode to a picture for reference only."""
        return (self.flags & _HIDDEN) != 0

    @property
    def shown(self) -> NDArray[np.bool_]:
        return (self.flags & (_DISCARD | _HIDDEN)) == 0


def read_packets(
    container: InputContainer, stream: VideoStream, max_frames: int, on_progress: Callable[[int], None] | None = None
) -> PacketTable:
    """Demux a whole stream. 40 bytes a packet. Rejected above `max_frames`."""
    pts, dts, flags, places = array("q"), array("q"), array("B"), array("q")
    # Before reading adds to it. Other containers say each packet's time beside it.
    indexed = _indexed(stream) if container.format.name == "avi" else np.zeros((0, 2), np.int64)
    codec = stream.codec_context.name
    for packet in packets(container, stream):
        pts.append(NO_TIME if packet.pts is None else packet.pts)
        dts.append(NO_TIME if packet.dts is None else packet.dts)
        flags.append(_flags(packet, codec))
        places.append(-1 if packet.pos is None else packet.pos)
        if len(flags) % _PROGRESS == 0:
            if on_progress:
                on_progress(len(flags))
            if len(flags) > max_frames:
                raise Rejected(f"The video has more than {max_frames:,} frames. Cut it into parts and upload those.")
    table = PacketTable(np.array(pts, np.int64), np.array(dts, np.int64), np.array(flags, np.uint8))
    return replace(table, misled=_is_misled(indexed, table.dts, np.array(places, np.int64)))


def _indexed(stream: VideoStream) -> Ints:
    """Times and places of the packets that the file's index names, (n, 2), by time."""
    named = array("q")
    for entry in stream.index_entries:
        named.extend((entry.timestamp, entry.pos))
    table = np.array(named, np.int64).reshape(-1, 2)
    return table[np.argsort(table[:, 0], kind="stable")]


def _is_misled(indexed: Ints, times: Ints, places: Ints) -> bool:
    """A packet's content begins as far behind the place that the index names as every other's does."""
    if not len(indexed):
        return False
    at = np.minimum(np.searchsorted(indexed[:, 0], times), len(indexed) - 1)
    known = (indexed[at, 0] == times) & (places >= 0)
    apart = (places - indexed[at, 1])[known]
    return bool(len(apart) and (apart != apart[0]).any())


def _flags(packet: Packet[VideoStream], codec: str) -> int:
    found = _KEYFRAME if is_keyframe(codec, packet) else 0
    if packet.is_discard:
        found |= _DISCARD
    if packet.is_corrupt:
        found |= _CORRUPT
    if codec in ("vp8", "vp9") and _is_hidden(memoryview(packet), codec):
        found |= _HIDDEN
    return found


def _is_hidden(data: memoryview, codec: str) -> bool:
    """Whether a VP8 frame (RFC 6386, 9.1) or a lone VP9 frame (its bitstream spec, 6.2) is not to be shown."""
    first = data[0]
    if codec == "vp8":
        return not first & 0x10
    if data[-1] & 0xE0 == 0xC0:  # a superframe, which packs a hidden frame with a shown one
        return False
    bits = first << 1 if first & 0x30 == 0x30 else first  # profile 3 has one bit more in front
    repeats, shown = bits & 0x08, bits & 0x02
    return not repeats and not shown
