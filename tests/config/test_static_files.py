from __future__ import annotations

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import AsyncClient, Client

from tests.loops import finish


@pytest.fixture
def path() -> str:
    """Some static file of ours."""
    return next(path for finder in finders.get_finders() for path, _ in finder.list(None) if path.endswith(".js"))


def test_an_asgi_server_gets_a_static_file_in_pieces_and_without_a_warning(path: str, settings: Any) -> None:
    settings.WHITENOISE_AUTOREFRESH = False  # as it is served

    async def fetch() -> bytes:
        answer = await AsyncClient().get(f"/static/{path}")
        assert (answer.status_code, answer.is_async) == (200, True)
        return b"".join([piece async for piece in answer])

    assert finish(fetch()) == b"".join(Client().get(f"/static/{path}").streaming_content)


def test_a_browser_that_holds_a_part_of_an_older_file_gets_the_new_one_whole(path: str) -> None:
    whole = b"".join(Client().get(f"/static/{path}").streaming_content)
    for asked in ("bytes=5-", f"bytes={len(whole)}-"):  # as far as the older one had come, or all of it
        answer = Client().get(f"/static/{path}", headers={"Range": asked, "If-Range": '"older"'})
        assert (answer.status_code, b"".join(answer.streaming_content)) == (200, whole)
