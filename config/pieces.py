"""Long bodies of resumable uploads, handed on in pieces.

Django reads a request's whole body before a view sees any of it, and drops all of it where the connection breaks. So a
PATCH of an upload becomes several, one for each piece that has arrived, each at the offset that the last one reached:
what has come is stored while the rest is on its way, also if nothing more comes, and memory holds one piece.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PATH = re.compile(r"/api/v1/uploads/[^/]+/")
PIECE_BYTES = 8 << 20
#: What came is not kept waiting for more than this.
WAIT_S = 5.0


class InPieces:
    """An ASGI application around another one."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "PATCH" and PATH.fullmatch(scope["path"]):
            await _hand_on(self.application, scope, _Body(receive), send)
        else:
            await self.application(scope, receive, send)


async def _hand_on(application: Application, scope: MutableMapping[str, Any], body: _Body, send: Send) -> None:
    try:
        while True:
            piece = await body.piece()
            answer = await _ask(application, scope, piece)
            if body.over or not answer.all_well:
                break
            scope = _moved(scope, answer.headers[b"upload-offset"], len(piece))
    finally:
        body.close()
    if not body.broken:
        for message in answer.messages:
            await send(message)


class _Body:
    """A request's body as it arrives."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._coming: asyncio.Future[Message] | None = None
        self.over = self.broken = False

    async def piece(self) -> bytes:
        """What came next, up to about PIECE_BYTES: less where the rest lets wait, or does not come at all."""
        found, until = bytearray(), time.monotonic() + WAIT_S
        while not self.over and len(found) < PIECE_BYTES and (message := await self._next(until if found else None)):
            self.broken = message["type"] == "http.disconnect"
            self.over = self.broken or not message.get("more_body", False)
            found += message.get("body", b"")
        return bytes(found)

    async def _next(self, until: float | None) -> Message | None:
        """The next message, None where it is not there in time: it is waited for again later."""
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._receive())
        timeout = None if until is None else max(0.0, until - time.monotonic())
        done, _ = await asyncio.wait({self._coming}, timeout=timeout)
        if not done:
            return None
        message, self._coming = self._coming.result(), None
        return message

    def close(self) -> None:
        if self._coming is not None:
            self._coming.cancel()


class _Answer:
    """What the application answered to one piece."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return {name.lower(): value for name, value in self.messages[0]["headers"]}

    @property
    def all_well(self) -> bool:
        return self.messages[0]["status"] == 204


async def _ask(application: Application, scope: MutableMapping[str, Any], piece: bytes) -> _Answer:
    body = iter([{"type": "http.request", "body": piece, "more_body": False}])
    answer = _Answer()

    async def receive() -> Message:
        for message in body:
            return message
        await asyncio.Event().wait()  # the client is not this application's concern
        raise AssertionError

    await application({**scope}, receive, answer.send)
    return answer


def _moved(scope: MutableMapping[str, Any], offset: bytes, sent: int) -> MutableMapping[str, Any]:
    """The request for what is left: its Content-Length says how much is to come, not how much is in the piece."""
    headers = []
    for name, value in scope["headers"]:
        if name.lower() == b"upload-offset":
            value = offset
        elif name.lower() == b"content-length" and value.isdigit():
            value = str(max(0, int(value) - sent)).encode()
        headers.append((name, value))
    return {**scope, "headers": headers}
