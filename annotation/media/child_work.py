"""What a child does: one function to its end, or pictures until it is told to stop."""

from __future__ import annotations

import base64
import errno
import queue
import resource
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from typing import cast

from annotation.media.clipping import encode_clip
from annotation.media.errors import FrameUndecodable, Rejected
from annotation.media.frame_map import FrameMap
from annotation.media.indexing import Index, index
from annotation.media.limits import Limits
from annotation.media.picturing import encode, pixels
from annotation.media.reading import FrameReader
from annotation.media.settling import settle
from annotation.media.wire import Message, send

Progress = Callable[[dict[str, object]], None]

#: Videos that a child keeps open at a time, and bytes of decoded frames that it keeps of each.
OPEN_VIDEOS = 4
FRAME_BYTES = 48 << 20
# The disk's trouble, not the video's. Others, such as EIO, are what libav says of damaged files, too.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE)
_REPORT_S = 0.5


def run(first: Message, requests: queue.SimpleQueue, out: int) -> None:
    """Do what the first message asks, and answer with a result or an error."""
    if first.head["function"] == "pictures":
        _serve_pictures(requests, out, Limits(**first.head["limits"]))  # type: ignore[arg-type]
        return
    work = FUNCTIONS[str(first.head["function"])]
    limits = Limits(**first.head["limits"])  # type: ignore[arg-type]
    try:
        result = work(cast(dict, first.head["kwargs"]), limits, lambda said: send(out, {"progress": said}))
    except Exception as error:  # noqa: BLE001  whatever it is, the parent is told
        send(out, _error(error))
    else:
        send(out, {"result": result})


def _error(error: Exception) -> dict[str, object]:
    known = {
        Rejected: "rejected",
        FrameUndecodable: "undecodable",
        IndexError: "index",
        ValueError: "value",
        FileNotFoundError: "missing",
    }
    kind = next((word for type_, word in known.items() if type(error) is type_), "crash")
    if isinstance(error, MemoryError):
        kind = "memory"
    if isinstance(error, OSError) and error.errno == errno.EFBIG:  # the cap on a file's size
        kind = "output"
    if isinstance(error, OSError) and error.errno in _DISK:
        kind = "disk"
    if kind == "crash":
        sys.excepthook(type(error), error, error.__traceback__)
    return {"error": kind, "message": str(error) or type(error).__name__}


def _seldom(report: Progress) -> Progress:
    last = [0.0]

    def now_and_then(said: dict[str, object]) -> None:
        if time.monotonic() - last[0] >= _REPORT_S:
            last[0] = time.monotonic()
            report(said)

    return now_and_then


def packed(frame_map: FrameMap) -> str:
    return base64.b64encode(frame_map.pack()).decode()


def unpacked(text: object) -> FrameMap:
    return FrameMap.unpack(base64.b64decode(str(text)))


def index_to_json(found: Index) -> dict[str, object]:
    return asdict(found) | {"frame_map": packed(found.frame_map), "warnings": [list(w) for w in found.warnings]}


def _index(kwargs: dict, limits: Limits, report: Progress) -> dict[str, object]:
    report = _seldom(report)
    return index_to_json(index(kwargs["path"], limits, lambda frames: report({"frames": frames})))


def _settle(kwargs: dict, limits: Limits, report: Progress) -> dict[str, object]:
    frame_map = unpacked(kwargs["frame_map"])
    told = [frame_map.sha256]

    def on_settled(newer: FrameMap) -> None:
        said: dict[str, object] = {"settled": newer.settled}
        if newer.sha256 != told[0]:
            told[0] = newer.sha256
            said["frame_map"] = packed(newer)
        report(said)

    settled = settle(kwargs["path"], frame_map, on_settled, until=kwargs.get("until"), max_pixels=limits.pixels)
    return {"frame_map": packed(settled)}


def _encode_clip(kwargs: dict, limits: Limits, report: Progress) -> dict[str, object]:
    report = _seldom(report)
    facts = encode_clip(
        **(kwargs | {"frame_map": unpacked(kwargs["frame_map"])}),
        max_pixels=limits.pixels,
        on_progress=lambda frames: report({"frames": frames}),
    )
    return asdict(facts) | {"rate": str(facts.rate)}


FUNCTIONS: dict[str, Callable[[dict, Limits, Progress], dict[str, object]]] = {
    "index": _index,
    "settle": _settle,
    "encode_clip": _encode_clip,
}


class _Shelf:
    """The videos that this child has open, the least used closed first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._readers: OrderedDict[str, FrameReader] = OrderedDict()

    def reader(self, key: str, path: str, packed_map: bytes) -> FrameReader | None:
        """The open video, or None where it is not open and its map did not come along."""
        if key not in self._readers:
            if not packed_map:
                return None
            while len(self._readers) >= OPEN_VIDEOS:
                self._readers.popitem(last=False)[1].close()
            frame_map = FrameMap.unpack(packed_map)
            reader = FrameReader(path, frame_map, cache_bytes=FRAME_BYTES, max_pixels=self._limits.pixels)
            self._readers[key] = reader
        self._readers.move_to_end(key)
        return self._readers[key]


def _serve_pictures(requests: queue.SimpleQueue, out: int, limits: Limits) -> None:
    shelf = _Shelf(limits)
    while True:
        request: Message = requests.get()
        try:
            picture = _picture(shelf, request)
        except Exception as error:  # noqa: BLE001  whatever it is, the parent is told
            send(out, _error(error))
        else:
            send(out, {"cpu_s": _cpu_s(), "unknown": picture is None}, picture or b"")


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _picture(shelf: _Shelf, request: Message) -> bytes | None:
    head = request.head
    reader = shelf.reader(str(head["key"]), str(head["path"]), request.payload)
    if reader is None:
        return None
    frame = reader.frame(int(head["n"]))  # type: ignore[call-overload]
    width = None if head["width"] is None else int(head["width"])  # type: ignore[call-overload]
    return encode(pixels(frame, reader.map, width, reader.orientation(frame)), str(head["format"]))
