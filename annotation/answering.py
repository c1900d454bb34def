"""Small steps that every address takes: find the row or 404, read a text of the body, page a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api_base import Pages
from annotation.core import problems
from annotation.core.values import text_problem
from annotation.errors import Missing

Row = TypeVar("Row", bound=Model)
LONGEST_KEY = 64
LONGEST_TEXT = 10_000
_REQUIRED = object()


def get_or_404(rows: QuerySet[Row], pk: str) -> Row:
    """The row, or Missing, exactly as for one that the caller may not see."""
    # A database refuses NUL characters in a comparison.
    found = None if len(pk) > LONGEST_KEY or "\0" in pk else rows.filter(pk=pk).first()
    if found is None:
        raise Missing
    return found


def text(data: Any, name: str, *, default: Any = _REQUIRED) -> str:
    """A text of a JSON body. Invalid, with its pointer, where it is no text, or missing without a default."""
    value = data.get(name) if isinstance(data, dict) else None
    if value is None and default is not _REQUIRED:
        return default
    problem = "is required" if value is None else text_problem(value, LONGEST_TEXT)
    if problem is None and default is _REQUIRED and not value.strip():
        problem = "must not be empty"
    if problem:
        raise problems.Invalid([problems.Problem(f"/{name}", problem)])
    return value


def choice(request: Request, name: str, values: Iterable[str]) -> str | None:
    """One of some values that the query names, or None where it names none. Invalid for any other."""
    value = request.query_params.get(name)
    known = list(values)
    if value is not None and value not in known:
        raise problems.Invalid([problems.Problem(f"/{name}", f"must be one of {', '.join(known)}")])
    return value


def paged(view: APIView, rows: QuerySet[Row], body: Callable[[Row], Any], *, ordering: str = "pk") -> Response:
    """A page of a list, each row as its body. `ordering` names columns as `order_by` does, with commas in between."""
    return paged_at_once(view, rows, lambda page: [body(row) for row in page], ordering=ordering)


def paged_at_once(
    view: APIView, rows: QuerySet[Row], bodies: Callable[[list[Row]], list[Any]], *, ordering: str = "pk"
) -> Response:
    """The same where the bodies of a page's rows are made together."""
    pages = Pages()
    names = ordering.split(",")
    pages.ordering = tuple(names) if names[-1].lstrip("-") == "pk" else (*names, "pk")
    return pages.get_paginated_response(bodies(pages.paginate_queryset(rows, view.request, view=view)))
