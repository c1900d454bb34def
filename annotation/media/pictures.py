"""Pictures of single frames while somebody waits: warm decoders in child processes behind a cache.

A child keeps the videos that it showed last open and its decoder where it stood, so that the next frame costs one
decode and not a new process, and a step back costs none. Children are few, limited, replaced after a while of work,
and end with the parent. A question goes to the child that has the video open, if it is free.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from annotation.media.errors import FrameUndecodable
from annotation.media.frame_map import FrameMap
from annotation.media.limits import MIB, Limits
from annotation.media.picturing import FORMATS
from annotation.media.sandbox import Child, over
from annotation.media.wire import Message

#: A picture's child: `cpu_s` is for all of its life, `wall_s` for one picture.
PICTURE_LIMITS = Limits(memory=1536 * MIB, cpu_s=1200, wall_s=20.0, output_bytes=256 * MIB)
RECYCLE_AFTER = 2000

Key = tuple[str, str, str, int, str, int | None]


class PictureCache:
    """The pictures used last, up to a number of bytes in all. For one lock's holder at a time."""

    def __init__(self, max_bytes: int) -> None:
        self._max, self._held = max_bytes, 0
        self._pictures: OrderedDict[Key, bytes] = OrderedDict()

    def get(self, key: Key) -> bytes | None:
        picture = self._pictures.get(key)
        if picture is not None:
            self._pictures.move_to_end(key)
        return picture

    def put(self, key: Key, picture: bytes) -> None:
        if key in self._pictures or len(picture) > self._max // 4:
            return
        self._pictures[key] = picture
        self._held += len(picture)
        while self._held > self._max:
            self._held -= len(self._pictures.popitem(last=False)[1])


@dataclass(eq=False)
class _Decoder:
    """A child and what is known of it: the videos that it once opened, how much it did."""

    child: Child
    videos: dict[str, None] = field(default_factory=dict)
    asked: int = 0
    cpu_s: float = 0.0

    def ask(self, head: dict[str, object], payload: bytes) -> Message:
        self.child.ask(head, payload)
        answer = self.child.answer(time.monotonic() + self.child.limits.wall_s)
        self.cpu_s = float(answer.head["cpu_s"])  # type: ignore[arg-type]
        return answer

    def is_worn(self, recycle_after: int) -> bool:
        return self.asked >= recycle_after or self.cpu_s > self.child.limits.cpu_s / 2


class PicturePool:
    """Exactly frame n of a video as a picture file, from any thread.

    At most `size` pictures are decoded at a time; who comes later waits, up to `limits.wall_s`.
    """

    def __init__(
        self,
        size: int = 2,
        limits: Limits = PICTURE_LIMITS,
        *,
        cache_bytes: int = 64 * MIB,
        recycle_after: int = RECYCLE_AFTER,
    ) -> None:
        self.size, self.limits, self.recycle_after = size, limits, recycle_after
        self._cache_bytes = cache_bytes
        self._start()
        atexit.register(self.close)

    def _start(self) -> None:
        self._owner = os.getpid()
        self._changed = threading.Condition()
        self._idle: list[_Decoder] = []
        self._busy = 0
        self._cache = PictureCache(self._cache_bytes)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the idle children; a busy one ends when its picture is done."""
        if self._owner != os.getpid():
            return
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
        for decoder in idle:
            decoder.child.kill()

    def picture(
        self,
        path: Path | str,
        frame_map: FrameMap,
        n: int,
        format: str = "png",
        width: int | None = None,
        *,
        viewer: str = "",
    ) -> bytes:
        """Frame n as a file of `format`, at the video's size or scaled down to `width`.

        What was decoded or opened for one `viewer` makes nothing quicker for another.
        IndexError past the end, FrameUndecodable for a damaged frame, ValueError for an unknown format, LimitReached
        where decoding takes too much, Killed where the machine ended the decoder.
        """
        _check(frame_map, n, format)
        key: Key = (viewer, str(Path(path).absolute()), frame_map.sha256, n, format, width)
        if self._owner != os.getpid():
            self._start()  # a fork has our memory but not our children
        with self._changed:
            picture = self._cache.get(key)
        if picture is None:
            picture = self._decode(key, frame_map)
            with self._changed:
                self._cache.put(key, picture)
        return picture

    def _decode(self, key: Key, frame_map: FrameMap) -> bytes:
        viewer, path, sha256, n, format, width = key
        video = f"{sha256} {viewer} {path}"
        until = time.monotonic() + self.limits.wall_s
        head: dict[str, object] = {"key": video, "path": path, "n": n, "format": format, "width": width}
        with self._decoder(video, until) as decoder:
            answer = decoder.ask(head, b"" if video in decoder.videos else frame_map.pack())
            if answer.head["unknown"]:  # it was closed for others meanwhile
                answer = decoder.ask(head, frame_map.pack())
            decoder.videos[video] = None
            return answer.payload

    @contextmanager
    def _decoder(self, video: str, until: float) -> Iterator[_Decoder]:
        """A child for one question. One that failed, died or is worn is ended; the others go back."""
        decoder = self._take(video, until)
        keep = False
        try:
            if decoder is None:
                decoder = _Decoder(Child("pictures", {}, self.limits, waited_for=False))
            decoder.asked += 1
            yield decoder
            keep = True
        except (FrameUndecodable, IndexError, ValueError):
            keep = True
            raise
        finally:
            self._give_back(decoder, keep)

    def _take(self, video: str, until: float) -> _Decoder | None:
        """A free child, best one that has the video open; None: start one, the place for it is kept."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy < self.size, until - time.monotonic()):
                raise over("time", self.limits)
            self._busy += 1
            self._bury_dead()
            having = [d for d in self._idle if video in d.videos]
            full = self._busy + len(self._idle) > self.size
            decoder = having[-1] if having else self._idle[0] if full and self._idle else None
            if decoder is not None:
                self._idle.remove(decoder)
            return decoder

    def _bury_dead(self) -> None:
        for decoder in [d for d in self._idle if not d.child.alive()]:
            self._idle.remove(decoder)
            decoder.child.kill()

    def _give_back(self, decoder: _Decoder | None, keep: bool) -> None:
        worn = decoder is not None and (not keep or decoder.is_worn(self.recycle_after))
        with self._changed:
            self._busy -= 1
            if decoder is not None and not worn and not self._closed:
                self._idle.append(decoder)
                decoder = None
            self._changed.notify()
        if decoder is not None:
            decoder.child.kill()


def _check(frame_map: FrameMap, n: int, format: str) -> None:
    if not 0 <= n < len(frame_map):
        raise IndexError(f"frame {n} of a video of {len(frame_map)} frames")
    if format not in FORMATS:
        raise ValueError(f"pictures are {', '.join(FORMATS)}, not {format!r}")
    if frame_map.is_undecodable(n):
        raise FrameUndecodable(f"frame {n} is damaged in the file and cannot be decoded")
