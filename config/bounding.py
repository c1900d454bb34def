"""How much of a body is read, and of whom: a little of anybody's, much of somebody who is known, all of a file's.

Django reads a request's whole body onto the disk before a view sees any of it, whoever sends it and however long it is.
So what is long is looked at here, while it arrives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest, parse_cookie
from rest_framework.exceptions import NotAuthenticated

from annotation.access import visible_projects
from annotation.models import User
from annotation.tokens import user_token
from config.errors import MEDIA_TYPE, PLAINLY, document
from config.middleware import HEADERS
from config.sessions import SessionStore

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Of anybody: more than any form of ours holds.
UNKNOWN_BYTES = 1 << 20
#: Of somebody who is known: more than any JSON that is taken.
KNOWN_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
#: Where files are taken, of those who see a project.
FILES = re.compile(r"/api/v1/(projects/[^/]+/(videos|imports|gold|pre-labels)|uploads/[^/]+)/")


class Bounded:
    """An ASGI application around another one. What goes beyond its bound is answered 413, and read no further."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        body = _Body(scope, receive)
        if await body.reaches(_declared(scope)):
            await self.application(scope, body.receive, body.sending(send))
        if body.is_too_much:
            await send_problem(send, *body.refusal)


class _Body:
    """A request's body as it arrives, and how much of it there may be."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope, self._receive = scope, receive
        self._seen, self._most = 0, UNKNOWN_BYTES
        self._asked = self._answered = self._is_over = False

    @property
    def is_too_much(self) -> bool:
        return self._is_over and not self._answered

    async def reaches(self, bytes: int) -> bool:
        """Whether a body of this many bytes may be. Who sends it is looked up once, and for a long one only."""
        if bytes > self._most and not self._asked:
            self._asked = True
            self._most = await _most_of(self._scope)
        self._is_over = bytes > self._most
        return not self._is_over

    @property
    def refusal(self) -> tuple[int, str]:
        """Who is not known is told so first: a token may have been revoked while a file was on its way."""
        if self._most == UNKNOWN_BYTES and self._scope["path"].startswith("/api/"):
            return 401, PLAINLY[NotAuthenticated]
        return 413, "The body is too large."

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if message["type"] == "http.request" and not await self.reaches(self._seen):
            return {"type": "http.disconnect"}
        return message

    def sending(self, send: Send) -> Send:
        async def send_on(message: Message) -> None:
            self._answered = True
            await send(message)

        return send_on


def _headers(scope: Scope) -> Mapping[bytes, bytes]:
    return dict(scope["headers"])


def _declared(scope: Scope) -> int:
    given = _headers(scope).get(b"content-length", b"")
    return int(given[:18]) if given.isdigit() else 0


@sync_to_async
def _most_of(scope: Scope) -> float:
    try:
        user = _sender(_headers(scope))
        if user is None:
            return UNKNOWN_BYTES
        return float("inf") if FILES.fullmatch(scope["path"]) and visible_projects(user).exists() else KNOWN_BYTES
    finally:
        close_old_connections()  # as a request does when it ends; here none has begun


def _sender(headers: Mapping[bytes, bytes]) -> User | None:
    """Whose request it is, by token or session, as far as can be told before it is read."""
    words = headers.get(b"authorization", b"").split()
    if words:
        token = user_token(words[1]) if len(words) == 2 and words[0].lower() == b"token" else None
        return token.user if token else None
    request = HttpRequest()
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    request.session = SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    found = get_user(request)
    return found if isinstance(found, User) else None


async def send_problem(send: Send, status: int, detail: str) -> None:
    """An answer as `config.errors` gives it, where there is no request yet; the connection ends with it."""
    body = json.dumps(document(status, detail)).encode()
    said = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Connection": "close", **HEADERS}
    if status == HTTPStatus.UNAUTHORIZED:
        said["WWW-Authenticate"] = "Token"
    headers = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
