"""Long bodies are read of those who may send them, and of nobody else: the rest stays with the sender."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from annotation import tokens
from config.bounding import KNOWN_BYTES, UNKNOWN_BYTES, Bounded
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)
CHUNK = 1 << 20


def sent(path: str, size: int, *headers: tuple[bytes, bytes], declared: bool = False) -> tuple[int, int, dict]:
    """The answer's status, the bytes that were taken of the body, and the answer. Taken whole, it is 200."""
    taken, answers = 0, []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request":
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"{}"})
                return

    async def receive() -> dict[str, Any]:
        nonlocal taken
        piece = min(CHUNK, size - taken)
        taken += piece
        return {"type": "http.request", "body": bytes(piece), "more_body": taken < size}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    length = [(b"content-length", str(size).encode())] if declared else []
    scope = {"type": "http", "method": "POST", "path": path, "headers": [*headers, *length]}
    async_to_sync(Bounded(application))(scope, receive, send)
    start, body = answers
    return start["status"], taken, json.loads(body["body"])


def token_of(name: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Token {tokens.recall(user=cast.user(name))}".encode()


def session_of(name: str) -> tuple[bytes, bytes]:
    browser = Client()
    browser.force_login(cast.user(name))
    return b"cookie", f"sessionid={browser.session.session_key}".encode()


STRANGERS = ((), ((b"authorization", b"Token " + b"0" * 64),), ((b"cookie", b'sessionid="x\\000yzzzzzz"'),))


@pytest.mark.parametrize(("path", "status"), [("/login/", 413), ("/api/v1/projects/p/videos/", 401)])
def test_of_strangers_no_more_is_read_than_a_form_holds(path: str, status: int) -> None:
    for headers in STRANGERS:
        for declared, most in ((False, UNKNOWN_BYTES + CHUNK), (True, 0)):
            answered, taken, body = sent(path, 10 << 30, *headers, declared=declared)
            assert (answered, body["status"]) == (status, status)
            assert taken <= most


def test_a_short_body_is_anybodys() -> None:
    assert sent("/login/", UNKNOWN_BYTES)[0] == 200


@pytest.mark.parametrize("known", [token_of, session_of])
def test_somebody_who_is_known_sends_as_much_as_json_may_have(known: Any) -> None:
    cast.project()
    assert sent("/api/v1/assignments/a/submit/", KNOWN_BYTES, known("Wanda"))[:2] == (200, KNOWN_BYTES)
    for name, path in (("Wanda", "/api/v1/projects/p/videos/"), ("Alice", "/api/v1/projects/p/launch/")):
        status, taken, _ = sent(path, 10 << 30, known(name))
        assert status == 413 and taken <= KNOWN_BYTES + CHUNK


def test_files_of_any_size_are_taken_of_those_who_see_a_project() -> None:
    cast.project()
    size = KNOWN_BYTES + (5 << 20)
    for path in ("projects/p/videos", "projects/p/imports", "projects/p/gold", "projects/p/pre-labels", "uploads/u"):
        assert sent(f"/api/v1/{path}/", size, token_of("Alice"), declared=True)[:2] == (200, size)


def test_who_is_no_longer_known_sends_no_file() -> None:
    header = token_of("Alice")
    cast.project()
    tokens.issue(user=cast.user("Alice"))
    assert sent("/api/v1/projects/p/videos/", 10 << 30, header)[0] == 401
