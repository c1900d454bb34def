"""Every answer against the schema that the site itself tells of: `cast.client` checks all that it receives."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.urls import Resolver404
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@cache
def document() -> dict[str, Any]:
    # Rendered once, so that lazy texts and enums are plain JSON.
    return json.loads(json.dumps(SchemaGenerator().get_schema(public=True), default=str))


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema) | {"components": document()["components"]})


def problems_of(answer: HttpResponse, method: str) -> list[str]:
    """What about an answer is not as the schema says."""
    status, content_type = answer.status_code, answer.get("Content-Type", "").partition(";")[0]
    described = _described(answer, method)
    if described is None:
        is_told = status in (404, 405) and content_type == "application/problem+json"
        return [] if is_told else [f"{method} is not in the schema"]
    response = described.get(str(status)) or (described.get("default") if status >= 400 else None)
    if response is None:
        return [f"{status} is not among {', '.join(described)}"]
    if status in (204, 304) or answer.streaming or not response.get("content"):
        return []
    if content_type not in response["content"]:
        return [f"{content_type} is not among {', '.join(response['content'])}"]
    if "json" not in content_type:
        return []
    schema = json.dumps(response["content"][content_type]["schema"], sort_keys=True)
    return [f"{e.json_path}: {e.message}"[:400] for e in validator(schema).iter_errors(json.loads(answer.content))]


def _described(answer: HttpResponse, method: str) -> dict[str, Any] | None:
    try:
        route = answer.resolver_match.route
    except Resolver404:
        return None
    path = document()["paths"].get("/" + CONVERTER.sub(r"{\1}", route), {})
    return path.get(method.lower(), {}).get("responses")


class CheckedClient(APIClient):
    """A test client that fails where an answer under /api/ is not as the schema says."""

    def request(self, **how: Any) -> HttpResponse:
        answer = super().request(**how)
        method = how["REQUEST_METHOD"]
        if how["PATH_INFO"].startswith("/api/v1/") and method not in ("HEAD", "OPTIONS"):
            wrong = problems_of(answer, method)
            assert not wrong, f"{method} {how['PATH_INFO']} answered {answer.status_code}: {'; '.join(wrong)}"
        return answer
