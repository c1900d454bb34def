"""What all views of the REST API stand on: one transaction per change, and lists in pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import accumulate
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Field, QuerySet
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from annotation import idempotency
from annotation.core.problems import Invalid, Problem


class Pages(CursorPagination):
    """`{"next", "previous", "results"}`, a hundred at a time unless `?page_size=` says otherwise, up to 1,000."""

    ordering: Any = "pk"
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get(self.page_size_query_param)
        if given is None:
            return self.page_size
        if not (given.isascii() and given.isdigit() and int(given[:10]) > 0):
            raise Invalid([Problem(f"/{self.page_size_query_param}", "must be a whole number from 1 on")])
        return min(int(given[:10]), self.max_page_size)

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:
        """A cursor that nobody was given is as one that cannot be read: 404."""
        cursor = self.decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            column = F(self.ordering[0].lstrip("-")).resolve_expression(queryset.all().query).output_field
            if not _could_be(cursor.position, column):
                raise NotFound(self.invalid_cursor_message)
        return super().paginate_queryset(queryset, request, view)

    def cut(self, sizes: Sequence[int], most: int) -> list[Any]:
        """Those rows of the page that have at most `most` together, and one at least; the others are on the next one.

        `sizes` has one number for each row. For lists by a column in which no two rows are alike.
        """
        backwards = self.cursor is not None and self.cursor.reverse
        kept = max(1, sum(total <= most for total in accumulate(sizes[::-1] if backwards else sizes)))
        if kept < len(self.page):
            beyond = self.page[-kept - 1] if backwards else self.page[kept]
            position = self._get_position_from_instance(beyond, self.ordering)
            if backwards:
                self.page, self.has_previous, self.previous_position = self.page[-kept:], True, position
            else:
                self.page, self.has_next, self.next_position = self.page[:kept], True, position
        return self.page

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        given = super().get_schema_operation_parameters(view)
        return [p | {"schema": {"type": "integer", "minimum": 1}} if p["name"] == "page_size" else p for p in given]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """As OpenAPI 3.1 says it; DRF's own still says `nullable`, which 3.1 does not know."""
        link = {"type": ["string", "null"], "format": "uri"}
        properties: dict[str, Any] = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}


def _could_be(position: str, column: Field[Any, Any]) -> bool:
    """Whether a position, as a cursor has it, is a value of a column that a database can compare."""
    try:
        value = column.to_python(position)
    except (ValidationError, ValueError, OverflowError):
        return False
    if isinstance(value, datetime):
        return timezone.is_aware(value)
    if isinstance(value, float):
        return isfinite(value)
    return "\0" not in position


class OneForm(BaseContentNegotiation):
    """Each address answers in one form, whatever `Accept` and `?format=` ask for: a refusal would help nobody."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class View(APIView):
    """Every change runs in one transaction, and a POST with an Idempotency-Key has its effect once.

    The body is read before the transaction begins, so that nobody's slow upload holds a lock. An error rolls everything
    back, but one that `keeps`. Bodies are JSON objects, unless the view has parsers of its own.
    """

    content_negotiation_class = OneForm

    #: For the schema: every list is in pages (see `answering.paged`).
    pagination_class = Pages

    #: False: the view commits bit by bit, and may be asked twice.
    whole = True

    #: Headers that say what a body says elsewhere: an Idempotency-Key covers them, too.
    telling_headers: tuple[str, ...] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not request.content_type.startswith("multipart/"):
            _ = request._request.body  # a session's CSRF check parses the body, and then its bytes are gone
        super().initial(request, *args, **kwargs)
        name = request.method.lower()
        if request.method in SAFE_METHODS or not hasattr(self, name):
            return
        digest = idempotency.digest_of(request, self.telling_headers)
        if not isinstance(request.data, dict):
            raise Invalid([Problem("", "must be an object")])
        # DRF looks the handler up on the instance once this method has returned.
        once = idempotency.once if self.whole else idempotency.once_in_parts
        setattr(self, name, partial(once, getattr(self, name), digest))
