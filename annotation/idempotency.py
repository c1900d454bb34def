"""Idempotency-Key: a request that arrives twice has one effect and gets one answer.

The key's row is the first thing that the request's transaction writes. A second request with the same key waits at it
until the first one commits (PostgreSQL at the unique index, SQLite at the write lock), and then finds the answer there.
A crash leaves neither the effect nor the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from annotation.errors import Conflict, Problem, Unusable
from annotation.models import IdempotencyKey

KEPT = timedelta(days=1)
KEY = re.compile(r"[\x21-\x7e]{1,255}")


class BadKey(Problem):
    """An Idempotency-Key is 1 to 255 visible ASCII characters."""

    code = "bad-idempotency-key"


class OtherBody(Unusable):
    """This Idempotency-Key was used with another body."""

    code = "idempotency-key-reused"


class AnswerLost(Conflict):
    """The first request with this Idempotency-Key was done, but its answer can no longer be told, since SECRET_KEY has
    changed. Look at what it made, and send what is still to be done with another key."""

    code = "idempotent-answer-lost"


class UnderWay(Conflict):
    """The first request with this Idempotency-Key is still under way."""

    code = "idempotency-key-under-way"


class Unchanged(Response):
    """The answer to a POST that changed nothing. It is not kept: whoever asks again is told what is so by then."""


def digest_of(request: Request, headers: Sequence[str] = ()) -> str:
    """SHA-256 of the body, which is read and parsed here, and of `headers`; of a file its own SHA-256 counts, not how
    it was wrapped."""
    if not request.content_type.startswith("multipart/"):
        raw = request.body  # before it is parsed, for then the stream is gone
        _ = request.data
        told = b"".join(b"\0" + request.headers.get(name, "").encode() for name in headers)
        return hashlib.sha256(raw + told).hexdigest()
    digest = hashlib.sha256()
    for name, values in sorted(request.data.lists()):
        for value in values:
            is_file = isinstance(value, UploadedFile)
            content = f"{value.name}\0{_sha256_of(value)}" if is_file else str(value)
            digest.update(f"{name}\0{is_file}\0{len(content)}\0{content}\0".encode(errors="surrogatepass"))
    return digest.hexdigest()


def _sha256_of(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def once(handler: Callable, digest: str, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
    """The answer of `handler`, called in one transaction; with a key, what it answered the first time."""
    key = _key_of(request)
    kept: Problem | None = None
    response: HttpResponse | None = None
    with transaction.atomic():
        row = _begin(request, key, digest) if key is not None else None
        if row is not None and row.status is not None:
            return _replay(row, digest)
        try:
            response = handler(request, *args, **kwargs)
        except Problem as problem:
            if not problem.keeps:
                raise
            kept = problem
        if response is not None and response.status_code >= 400:
            transaction.set_rollback(True)
        elif row is not None:
            _keep(row, response if kept is None else _answer_of(kept))
    if kept is not None:
        raise kept
    return response


def once_in_parts(handler: Callable, digest: str, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
    """The same for a handler that commits bit by bit and does nothing twice: its answer is kept when all is done.

    What stopped half-way, or is still under way, is done again, and the answer then tells what was done before.
    """
    key = _key_of(request)
    if key is None:
        return handler(request, *args, **kwargs)
    if row := IdempotencyKey.objects.filter(**_scope(request, key)).first():
        return _replay(row, digest)
    response = handler(request, *args, **kwargs)
    if response.status_code < 400:
        with transaction.atomic():
            row = _begin(request, key, digest)
            if row.status is not None:
                return _replay(row, digest)
            _keep(row, response)
    return response


def _key_of(request: Request) -> str | None:
    scoped = request.method == "POST" and request.user.is_authenticated
    key = request.headers.get("Idempotency-Key") if scoped else None
    if key is not None and not KEY.fullmatch(key):
        raise BadKey
    return key


def prune() -> int:
    """Forgets the answers that are older than a day; how many there were."""
    return IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).delete()[0]


def _scope(request: Request, key: str) -> dict[str, Any]:
    return {"user": request.user, "method": request.method, "path": request.path[:500], "key": key}


def _begin(request: Request, key: str, digest: str) -> IdempotencyKey:
    scope = _scope(request, key)
    IdempotencyKey.objects.bulk_create([IdempotencyKey(**scope, body_sha256=digest)], ignore_conflicts=True)
    # A row without an answer can only be our own: others' are seen once they are committed, and then they have one.
    row = IdempotencyKey.objects.filter(**scope).first()
    if row is None:
        raise UnderWay
    return row


def _replay(row: IdempotencyKey, digest: str) -> HttpResponse:
    if row.body_sha256 != digest:
        raise OtherBody
    try:
        answer = bytes(row.answer or b"")
        answer = _seal(row).decrypt(answer) if row.sealed else answer
    except InvalidToken:
        raise AnswerLost from None
    response = HttpResponse(answer, status=row.status, content_type=row.content_type)
    response["Idempotent-Replay"] = "true"
    if row.location:
        response["Location"] = row.location
    return response


def _keep(row: IdempotencyKey, response: HttpResponse) -> None:
    if isinstance(response, Unchanged):
        row.delete()
        return
    if isinstance(response, Response):
        content = b"" if response.data is None else JSONRenderer().render(response.data)
        content_type = response.content_type or JSONRenderer.media_type
    else:
        content, content_type = response.content, response["Content-Type"]
    IdempotencyKey.objects.filter(pk=row.pk).update(
        status=response.status_code,
        content_type=content_type,
        # Some are told once, as a new token is: neither a copy of the database nor a backup tells them again.
        answer=_seal(row).encrypt(content),
        sealed=True,
        location=response.get("Location", ""),
    )


def _seal(row: IdempotencyKey) -> Fernet:
    """A key of this row's own: an answer that was put into another row opens nothing there."""
    words = json.dumps(["trackweave answer", row.user_id, row.method, row.path, row.key])
    return Fernet(base64.urlsafe_b64encode(hmac.digest(settings.SECRET_KEY.encode(), words.encode(), hashlib.sha256)))


def _answer_of(problem: Problem) -> Response:
    """What the exception handler will say of `problem`, to be kept."""
    return api_settings.EXCEPTION_HANDLER(problem, {})
