"""What can go wrong, in words for the person at the keyboard."""

from __future__ import annotations

from typing import Any

import httpx


class TrackweaveError(Exception):
    """Something did not work."""


class NotConfigured(TrackweaveError):
    """It is not known where the site is, or who asks."""


class Unreachable(TrackweaveError):
    """The site did not answer, again and again."""


class Failed(TrackweaveError):
    """The site gave up on what was asked for."""


class ChecksumMismatch(TrackweaveError):
    """What arrived is not what the site has."""

    def __init__(self, name: str, expected: str, found: str) -> None:
        self.expected, self.found = expected, found
        super().__init__(f"{name} arrived damaged and was thrown away: its SHA-256 is {found}, not {expected}")


class ApiError(TrackweaveError):
    """A problem document (RFC 9457): `errors` are pairs of a JSON pointer into what was sent and a message."""

    def __init__(self, answer: httpx.Response) -> None:
        said = _document(answer)
        self.status = answer.status_code
        self.type = str(said.get("type", ""))
        self.title = str(said.get("title") or answer.reason_phrase)
        self.detail = str(said.get("detail", "")) or _moved(answer)
        self.errors = [(str(e.get("pointer", "")), str(e.get("message", ""))) for e in _list(said.get("errors"))]
        super().__init__("\n".join([f"{self.status} {self.title}: {self.detail}".rstrip(": "), *self._lines()]))

    def _lines(self) -> list[str]:
        told = [(pointer, message) for pointer, message in self.errors if message != self.detail or pointer]
        return [f"  {pointer or '/'}: {message}" for pointer, message in told]


def _moved(answer: httpx.Response) -> str:
    """Redirects are not followed: a POST would arrive as a GET, and a token at another site."""
    return f"the site is at {answer.headers['Location']}" if answer.has_redirect_location else ""


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except (ValueError, httpx.ResponseNotRead):
        return {}
    return said if isinstance(said, dict) else {}


def _list(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
