"""How parent and child talk: a line of JSON, then as many raw bytes as its `payload` says."""

from __future__ import annotations

import json
import os
import select
import time
from typing import NamedTuple

_CHUNK = 1 << 16
MAX_LINE = 64 << 20


class Message(NamedTuple):
    """`head` is what the line says, `payload` the bytes behind it."""

    head: dict[str, object]
    payload: bytes = b""


class Closed(Exception):
    """The other side is gone."""


class TooLong(Exception):
    """The other side says more than it may."""


class Late(Exception):
    """The other side did not answer in time."""


def send(fd: int, head: dict[str, object], payload: bytes = b"") -> None:
    """Write one message. Closed when nobody reads any more."""
    line = json.dumps(head | {"payload": len(payload)}, allow_nan=False).encode() + b"\n"
    data = memoryview(line + payload)
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:
        raise Closed from error


class Inbox:
    """Messages that come in on a file descriptor."""

    def __init__(self, fd: int, max_bytes: int = MAX_LINE) -> None:
        self._fd, self._max = fd, max_bytes
        self._buffer = bytearray()

    def receive(self, until: float | None = None) -> Message:
        """The next message. Closed at the end, Late after `until` on the monotonic clock, TooLong above the cap."""
        while (at := self._buffer.find(b"\n")) < 0:
            self._more(until)
        head = json.loads(self._take(at + 1))
        size = int(head.pop("payload", 0))
        if size > self._max:
            raise TooLong
        while len(self._buffer) < size:
            self._more(until)
        return Message(head, bytes(self._take(size)))

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _more(self, until: float | None) -> None:
        wait = None if until is None else until - time.monotonic()
        poller = select.poll()  # select() refuses descriptors above 1023
        poller.register(self._fd, select.POLLIN | select.POLLHUP)
        if wait is not None and (wait <= 0 or not poller.poll(wait * 1000)):
            raise Late
        data = os.read(self._fd, _CHUNK)
        if not data:
            raise Closed
        self._buffer += data
        if len(self._buffer) > self._max + MAX_LINE:
            raise TooLong
