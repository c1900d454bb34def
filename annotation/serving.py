"""Bytes over HTTP: ETag and If-None-Match, byte ranges and If-Range (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_etags

from annotation.errors import Problem

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII)
DAY_S = 24 * 3600
#: How long a link to the store is good: it is asked for anew by whoever goes on with a download.
LINK_S = 300


class OutOfRange(Problem):
    """The range begins past the end of the file."""

    status = 416
    code = "range-not-satisfiable"


def serve_bytes(
    request: HttpRequest, read: Callable[[], bytes], *, etag: str, content_type: str, lasting: bool = True
) -> HttpResponseBase:
    """A small body, read only where it has to be sent. What is not `lasting` is asked for anew, by its ETag."""
    known = _is_known(request, etag)
    response = HttpResponse(status=304) if known else HttpResponse(read(), content_type=content_type)
    return _labelled(response, etag, lasting)


def serve_file(
    request: HttpRequest,
    name: str,
    *,
    etag: str,
    bytes: int,
    content_type: str,
    download_as: str | None = None,
) -> HttpResponseBase:
    """A stored file of `bytes` bytes, whole (200) or the one range that was asked for (206). OutOfRange past it.

    A download (`download_as`) from a store elsewhere is fetched there (302), by a link that is good for minutes.
    """
    if _is_known(request, etag):
        return _labelled(HttpResponse(status=304), etag)
    wanted = _wanted_range(request, etag, bytes)
    if wanted == ():
        headers = {"Content-Range": f"bytes */{bytes}", "Accept-Ranges": "bytes", "ETag": f'"{etag}"'}
        raise OutOfRange(f"There are {bytes} bytes.", headers=headers)
    start, stop = wanted or (0, bytes)
    if not default_storage.exists(name):
        raise FileNotFoundError(f"{name} is gone from the storage")
    if download_as and getattr(default_storage, "links", False):
        return _sent_there(name, download_as, content_type)
    pieces = _pieces(request, name, start, stop)
    response = StreamingHttpResponse(pieces, status=206 if wanted else 200, content_type=content_type)
    response.headers["Content-Length"] = str(stop - start)
    if wanted:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{bytes}"
    if download_as:
        response.headers["Content-Disposition"] = content_disposition_header(True, download_as)
    return _labelled(response, etag)


def _sent_there(name: str, download_as: str, content_type: str) -> HttpResponseBase:
    shown = content_disposition_header(True, download_as) or "attachment"
    link = default_storage.link(name, seconds=LINK_S, download_as=shown, content_type=content_type)
    response = HttpResponse(status=302, headers={"Location": link, "Cache-Control": "no-store"})
    del response.headers["Content-Type"]
    return response


def _labelled(response: HttpResponseBase, etag: str, lasting: bool = True) -> HttpResponseBase:
    response.headers["ETag"] = f'"{etag}"'
    response.headers["Cache-Control"] = f"private, max-age={DAY_S}" if lasting else "private, no-cache"
    if response.status_code == 304:
        del response.headers["Content-Type"]
        return response
    response.headers["Accept-Ranges"] = "bytes" if response.streaming else "none"
    # Whatever the bytes are, they are never a page of ours.
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or any(tag.removeprefix("W/") == f'"{etag}"' for tag in known)


def _wanted_range(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """`[start, stop)`, an empty tuple where it cannot be satisfied, or None for the whole.

    Several ranges at once, and what is no range, get the whole, as the RFC allows.
    """
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if not found or found.groups() == ("", "") or request.method not in ("GET", "HEAD"):
        return None
    if request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        return None
    if any(len(digits) > 18 for digits in found.groups()):
        return () if found[1] else None
    if not found[1]:
        last = min(int(found[2]), size)
        return (size - last, size) if last else ()
    start, stop = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < start:
        return None
    return (start, stop) if start < size else ()


def _pieces(request: HttpRequest, name: str, start: int, stop: int) -> Iterator[bytes] | AsyncIterator[bytes]:
    # Each kind of server would read the other's iterator to its end before it sends the first byte.
    asynchronous = isinstance(getattr(request, "_request", request), ASGIRequest)
    return _async_pieces(name, start, stop) if asynchronous else _sync_pieces(name, start, stop)


def _sync_pieces(name: str, start: int, stop: int) -> Iterator[bytes]:
    # Opened here, so that an answer that nobody reads leaves no file open.
    with default_storage.open(name, "rb") as file:
        file.seek(start)
        while start < stop and (piece := file.read(min(CHUNK, stop - start))):
            start += len(piece)
            yield piece


async def _async_pieces(name: str, start: int, stop: int) -> AsyncIterator[bytes]:
    file = await sync_to_async(default_storage.open, thread_sensitive=False)(name, "rb")
    read = sync_to_async(file.read, thread_sensitive=False)
    try:
        file.seek(start)
        while start < stop and (piece := await read(min(CHUNK, stop - start))):
            start += len(piece)
            yield piece
    finally:
        file.close()
