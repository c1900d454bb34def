"""What nobody means is answered, and is no fault of ours: each fault is a page of the log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client

from config.asgi import application
from tests import cast


@pytest.mark.django_db
@pytest.mark.parametrize("key", ['"aaaaaaaa\\000aaaa"', "ä" * 9, "a" * 4000, "a'b;c" * 9])
def test_a_cookie_that_names_no_session_is_as_none(key: str) -> None:
    for path, status in (("/projects/", 302), ("/api/v1/me/", 401), ("/login/", 200)):
        assert Client().get(path, headers={"cookie": f"sessionid={key}"}).status_code == status


@pytest.mark.django_db
def test_a_cookie_that_names_a_session_is_one() -> None:
    browser = Client()
    browser.force_login(cast.user("Alice"))
    assert browser.get("/api/v1/me/").json()["name"] == "Alice"


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/none/", "/ws/projects/a/b/"])
def test_a_websocket_that_leads_nowhere_is_closed(path: str) -> None:
    said: list[Any] = []

    async def connect() -> None:
        events = asyncio.Queue[Any]()
        await events.put({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": path, "headers": [], "query_string": b""}

        async def send(message: Any) -> None:
            said.append(message)
            if message["type"] == "websocket.close":
                await events.put({"type": "websocket.disconnect", "code": message["code"]})

        await asyncio.wait_for(application(scope, events.get, send), 20)

    asyncio.run(connect())
    assert [(message["type"], message.get("code")) for message in said] == [("websocket.close", 4404)]
