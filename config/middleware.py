"""Headers that every answer carries, whoever made it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    # A view that needs another policy sets its own; this one never overwrites it.
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


#: Pages and what the API says. What may be kept, as pictures and files, says so itself.
PERSONAL = ("text/html", "application/json", "application/problem+json", "text/csv")


class SecurityHeaders:
    """Outermost of the middlewares, so that errors and static files carry the headers too."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest):
        if self.is_async:
            return self._later(request)
        return with_headers(self.get_response(request))

    async def _later(self, request: HttpRequest) -> HttpResponse:
        return with_headers(await self.get_response(request))


def with_headers(response: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.headers.get("Content-Type", "").startswith(PERSONAL):
        # A browser that goes back would show what it kept: to whoever sits there after a log-out, and as it was then.
        # What programs are told is somebody's own, too, and may hold a key: no cache on the way keeps it.
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


class WithSlash(CommonMiddleware):
    """An address without its slash leads to the one with it, and whatever was sent is sent there (308).

    After 301 clients ask by GET instead: a POST would be lost, and a list its answer.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        if response.status_code == 301 and request.method not in ("GET", "HEAD"):
            response.status_code = 308
        return response


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, also for ASGI servers: of a plain file's pieces Django would make a list, and warn of it."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        # It knows no If-Range: a browser that holds a part of an older file would be given the rest of the new one.
        request.META.pop("HTTP_RANGE", None)
        response = WhiteNoiseMiddleware.serve(static_file, request)
        if isinstance(request, ASGIRequest):
            response.streaming_content = _one_by_one(iter(response.streaming_content))
        return response


async def _one_by_one(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(next, thread_sensitive=False)
    while piece := await read(pieces, b""):
        yield piece
