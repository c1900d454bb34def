"""Every error under /api/ is `application/problem+json` (RFC 9457), whoever raised it."""

from __future__ import annotations

import errno
from http import HTTPStatus

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from annotation.core.problems import Invalid
from annotation.errors import NoRoom, Problem

MEDIA_TYPE = "application/problem+json"
NON_FIELD = "non_field_errors"
# What Django and the database raise, in the order in which it is looked up.
TOLD: tuple[tuple[type[Exception], int, str], ...] = (
    (Http404, 404, "There is no such thing, or you may not see it."),
    (PermissionDenied, 403, "You may not do this."),
    (RequestDataTooBig, 413, "The body is too large."),
    (SuspiciousOperation, 400, "The request cannot be read."),
    (UnreadablePostError, 400, "The body ended before it was whole."),
    # A number beyond what a column holds, or text that it cannot.
    (DataError, 400, "A value is beyond what can be stored."),
)
# What REST framework says in words that mean nothing to whoever was logged out in another tab.
PLAINLY: dict[type[Exception], str] = {
    exceptions.NotAuthenticated: "You are not logged in, or no longer. Log in, or send a token, and try again.",
}


def answer(error: Exception, context: dict) -> Response | None:
    """DRF's exception handler: None leaves it to Django, which answers 500 (see `server_error`)."""
    body = problem_of(error)
    if body is None:
        return None
    if not getattr(error, "keeps", False):
        set_rollback()
    response = Response(body, status=body["status"], content_type=MEDIA_TYPE)
    for name, value in _headers(error).items():
        response[name] = value
    return response


def problem_of(error: Exception) -> dict | None:
    """The problem document that `error` stands for, or None when it is a fault of ours."""
    error = NoRoom() if _is_full(error) else error
    if isinstance(error, Problem):
        return document(error.status, error.detail, code=error.code, title=error.title, errors=error.errors)
    if isinstance(error, Invalid):
        return _invalid([{"pointer": problem.pointer, "message": problem.message} for problem in error.errors])
    if isinstance(error, exceptions.ValidationError):
        return _invalid(list(pointers(error.get_full_details())))
    if isinstance(error, exceptions.APIException):
        return document(error.status_code, PLAINLY.get(type(error), str(error.detail)))
    if isinstance(error, PermissionDenied) and str(error):
        return document(403, str(error))
    for kind, status, detail in TOLD:
        if isinstance(error, kind):
            return document(status, detail)
    return None


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _invalid(errors: list[dict]) -> dict:
    return document(400, _summary(errors), code="invalid", title="Invalid", errors=errors)


def document(status: int, detail: str, *, code: str = "", title: str = "", errors: list[dict] | None = None) -> dict:
    phrase = HTTPStatus(status).phrase
    kind = code or phrase.lower().replace(" ", "-")
    return {
        "type": f"urn:trackweave:{kind}",
        "title": title or phrase,
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }


def pointers(details: object, path: str = ""):
    """`{"pointer", "message"}` for each message in DRF's nested details, in the order of the fields."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": path, "message": str(details["message"])}
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from pointers(value, path if key == NON_FIELD else f"{path}/{escape(str(key))}")
    elif isinstance(details, list):
        for index, value in enumerate(details):
            # A list of messages belongs to its field; a list of nested details has one per item.
            is_message = isinstance(value, dict) and set(value) == {"message", "code"}
            yield from pointers(value, path if is_message else f"{path}/{index}")


def escape(key: str) -> str:
    """A key as a step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _summary(errors: list[dict]) -> str:
    if not errors:
        return "What was sent is not valid."
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{first['pointer']}: {first['message']}{more}" if first["pointer"] else f"{first['message']}{more}"


def _headers(error: Exception) -> dict[str, str]:
    headers = dict(getattr(error, "headers", {}))
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)
    return headers


def _for_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _json(status: int, detail: str) -> HttpResponse:
    return JsonResponse(document(status, detail), status=status, content_type=MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(400, "The request cannot be read.") if _for_api(request) else defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(403, "You may not do this.") if _for_api(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _for_api(request):
        return _json(404, "There is no such thing, or you may not see it.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return _json(500, "A fault of ours; it was logged.") if _for_api(request) else defaults.server_error(request)
