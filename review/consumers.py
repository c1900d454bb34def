"""`ws/projects/{id}/`: a whole snapshot of the figures on connecting, then a newer one at most once a second."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import urlsplit

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.serializers.json import DjangoJSONEncoder
from django.http.request import validate_host

from annotation import access
from annotation.models import Project, User
from annotation.tokens import user_token
from review import watching
from review.live import Watch

UNKNOWN, FOREIGN, NOT_FOUND = 4401, 4403, 4404
# A right that was taken away ends the connection within this time.
CHECK_EVERY_S = 30.0

_watches: dict[str, Watch] = {}


class Nowhere(AsyncWebsocketConsumer):
    """Any other address: without it, each who asks for one would be a fault of ours in the log."""

    async def connect(self) -> None:
        await self.close(NOT_FOUND)


class ProgressConsumer(AsyncWebsocketConsumer):
    """For managers, reviewers and the project's clients. Refused with 4401, 4403 (Origin) or 4404."""

    async def connect(self) -> None:
        self.project_id = self.scope["url_route"]["kwargs"]["project_id"]
        self.watch: Watch | None = None
        await self.accept()
        refusal = await self._refusal()
        if refusal:
            await self.close(refusal)
            return
        self.watch = _watches.setdefault(self.project_id, _watch_of(self.project_id))
        self.watch.start()
        self.sending = [asyncio.create_task(self._send_snapshots(self.watch)), asyncio.create_task(self._check())]

    async def disconnect(self, code: int) -> None:
        if self.watch is None:
            return
        for task in self.sending:
            task.cancel()
        self.watch.stop()
        if self.watch.watchers == 0:
            _watches.pop(self.project_id, None)
        self.watch = None

    async def _send_snapshots(self, watch: Watch) -> None:
        seen = None
        with contextlib.suppress(OSError):  # the browser is gone; `disconnect` follows
            while True:
                seen = await watch.newer_than(seen)
                await self.send(json.dumps(seen, cls=DjangoJSONEncoder))

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            if refusal := await self._refusal():
                await self.close(refusal)

    async def _refusal(self) -> int | None:
        """Why this connection may not be, as a close code."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.scope["headers"]}
        token = headers.get("authorization")
        # A foreign page can make a browser connect with its cookies, so a session needs an Origin of ours.
        if not _is_ours(headers.get("origin"), headers.get("host", "")) and (token is None or "origin" in headers):
            return FOREIGN
        user = await (_owner_of(token) if token else _visitor(self.scope))
        if user is None or not user.is_authenticated or not user.is_active:
            return UNKNOWN
        return None if await _may_see(user, self.project_id) else NOT_FOUND


async def _visitor(scope: dict[str, Any]) -> User | AnonymousUser:
    """The user of a session as it stands now: what the connection once read of it may have ended since."""
    session = SessionStore(scope["session"].session_key)
    return await get_user({**scope, "session": session})


def _is_ours(origin: str | None, host: str) -> bool:
    parts = urlsplit(origin or "")
    if not parts.hostname:
        return False
    return parts.netloc == host or validate_host(parts.hostname, settings.ALLOWED_HOSTS)


@database_sync_to_async
def _owner_of(header: str) -> User | None:
    """The user behind `Token KEY`."""
    kind, _, key = header.partition(" ")
    token = user_token(key.strip().encode("latin-1")) if kind.lower() == "token" else None
    return token.user if token else None


@database_sync_to_async
def _may_see(user: User, project_id: str) -> bool:
    return "\0" not in project_id and access.visible_projects(user).filter(pk=project_id).exists()


def _watch_of(project_id: str) -> Watch:
    project = Project(pk=project_id)

    async def seq() -> int:
        return await database_sync_to_async(watching.seq)(project)

    async def progress() -> dict[str, Any]:
        return await database_sync_to_async(watching.progress)(project)

    return Watch(seq, progress)
