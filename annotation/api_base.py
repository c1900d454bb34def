"""What all views of the REST API stand on: how bodies are read and lists are paged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import BaseParser

from annotation.core.json_input import MAX_BYTES, load_json


class BodyTooLarge(APIException):
    """The body is larger than anything this address takes."""

    status_code = 413
    default_detail = f"The body is too large: at most {MAX_BYTES} bytes of JSON are read."


class StrictJSONParser(BaseParser):
    """JSON, bounded in bytes, depth and number of things; raises core.problems.Invalid with pointers."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise BodyTooLarge
        return load_json(raw)


class Pages(CursorPagination):
    """`{"next", "previous", "results"}`, a hundred at a time unless `?page_size=` says less (or more, up to 1,000)."""

    ordering: Any = "pk"
    page_size_query_param = "page_size"
    max_page_size = 1000
