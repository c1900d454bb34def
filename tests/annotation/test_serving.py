from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIRequest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from annotation import serving
from config import errors
from tests.loops import finish

DATA = bytes(range(200))


@pytest.fixture(scope="module", autouse=True)
def stored() -> Any:
    name = default_storage.save("tests/served", ContentFile(DATA))
    yield name
    default_storage.delete(name)


def ask(name: str = "tests/served", method: str = "GET", **headers: str) -> Any:
    request = RequestFactory().generic(method, "/", headers=headers)
    try:
        return serving.serve_file(request, name, etag="abc", bytes=len(DATA), content_type="video/mp4")
    except serving.OutOfRange as error:
        return errors.answer(error, {})


def naive(first: int | None, last: int | None) -> tuple[int, bytes]:
    """RFC 9110 section 14.1.2, byte by byte."""
    if first is None:
        return (206, DATA[len(DATA) - min(last, len(DATA)) :]) if last else (416, b"")
    if last is not None and last < first:
        return 200, DATA
    chosen = bytes(b for i, b in enumerate(DATA) if i >= first and (last is None or i <= last))
    return (206, chosen) if first < len(DATA) else (416, b"")


numbers = st.none() | st.integers(0, 260)


@given(numbers, numbers)
def test_a_range_is_what_the_standard_says(first: int | None, last: int | None) -> None:
    if first is None and last is None:
        return
    said = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    answer = ask(Range=said)
    status, body = naive(first, last)
    assert answer.status_code == status
    if status == 416:
        assert answer["Content-Range"] == f"bytes */{len(DATA)}"
        return
    assert answer.getvalue() == body
    if status == 206:
        begin = DATA.index(body)
        assert answer["Content-Range"] == f"bytes {begin}-{begin + len(body) - 1}/{len(DATA)}"
        assert answer["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    "said",
    [
        "bytes=-",
        "bytes=a-b",
        "bytes=0-5,10-12",
        "bytes",
        "items=0-5",
        "bytes=--5",
        "bytes=0x1-5",
        "bytes=٣-٤",
        "",
        "bytes=5",
    ],
)
def test_what_is_no_single_range_gets_the_whole(said: str) -> None:
    answer = ask(Range=said)
    assert (answer.status_code, answer.getvalue()) == (200, DATA)


@pytest.mark.parametrize(
    ("said", "status"),
    [(f"bytes={10**30}-", 416), (f"bytes=5-{10**17}", 206), (f"bytes={'9' * 5000}-", 416), (f"bytes=-{10**30}", 200)],
)
def test_huge_numbers_are_only_numbers(said: str, status: int) -> None:
    assert ask(Range=said).status_code == status


@pytest.mark.parametrize(("known", "status"), [('"abc"', 206), ('"old"', 200), ('W/"abc"', 200), ("nonsense", 200)])
def test_a_range_of_another_version_gets_the_whole(known: str, status: int) -> None:
    assert ask(Range="bytes=0-9", **{"If-Range": known}).status_code == status


def test_if_none_match_goes_before_the_range() -> None:
    answer = ask(Range="bytes=0-9", **{"If-None-Match": '"abc"'})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_file_that_is_gone_is_an_error_before_the_first_byte() -> None:
    with pytest.raises(FileNotFoundError):
        ask("tests/nothing")


def test_an_asgi_server_gets_it_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "CHUNK", 64)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"range", b"bytes=10-179")]}
    request = ASGIRequest(scope, None)
    answer = serving.serve_file(request, "tests/served", etag="abc", bytes=len(DATA), content_type="video/mp4")

    async def pieces() -> list[bytes]:
        return [piece async for piece in answer]

    got = finish(pieces())
    assert b"".join(got) == DATA[10:180] and max(map(len, got)) == 64


def test_a_download_is_named_and_never_sniffed() -> None:
    request = RequestFactory().get("/")
    answer = serving.serve_file(
        request, "tests/served", etag="abc", bytes=len(DATA), content_type="application/zip", download_as='a"b—ü.zip'
    )
    assert answer["Content-Disposition"].startswith("attachment") and "\n" not in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
