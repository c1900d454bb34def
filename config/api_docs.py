"""The schema of the API, and a page to read it: the scripts come from drf-spectacular-sidecar."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import HttpRequest
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.response import Response

from config.middleware import CONTENT_SECURITY_POLICY


@method_decorator(cache_control(private=True, max_age=60), name="dispatch")
class Schema(SpectacularAPIView):
    """OpenAPI 3.1, as JSON, or as YAML where that is asked for."""

    renderer_classes = (OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer)


@extend_schema(exclude=True)
class Docs(SpectacularSwaggerSplitView):
    """Swagger UI, with its script as a file of its own, so that no inline script has to be allowed."""

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> Response:
        response = super().get(request, *args, **kwargs)
        # Swagger UI writes its styles into the page.
        response["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; style-src 'self' 'unsafe-inline'"
        return response


_UNFIT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff"
ANY_TEXT = f"^[^{_UNFIT}]*$"
SOME_TEXT = f"^[^{_UNFIT}]*[^{_UNFIT}\\s][^{_UNFIT}]*$"
STORABLE = {"type": "string", "pattern": "^[^\\x00]*$"}
IGNORED = {
    "description": "Any JSON that can be stored: no NUL, no number of more than 18 digits before the point.",
    "anyOf": [
        {"type": ["null", "boolean"]},
        {"type": "number", "exclusiveMinimum": -(10**18), "exclusiveMaximum": 10**18},
        STORABLE,
        {"type": "array", "items": {"$ref": "#/components/schemas/Ignored"}},
        {
            "type": "object",
            "propertyNames": {"pattern": STORABLE["pattern"]},
            "additionalProperties": {"$ref": "#/components/schemas/Ignored"},
        },
    ],
}
STRICT = {"PolicyRequest", "QualificationRulesRequest"}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "A request that is sent again with its key has its effect once, and gets the same answer.",
}


def tell_what_holds_everywhere(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What no view says for itself: a POST takes an Idempotency-Key; null is as good as left out, at a body's top; what
    nobody asked for is ignored."""
    schemas = result.get("components", {}).get("schemas", {})
    _tell_text(schemas)
    _tell_ignored(result, schemas)
    for method, operation in _operations(result):
        if method == "post" and operation.get("security"):
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = schemas.get(content.get("schema", {}).get("$ref", "").rpartition("/")[2])
        if body is not None:
            _allow_null(body)
    return result


def _tell_text(schemas: dict[str, Any]) -> None:
    """What is sent as a text is one that can be stored and sent on (see `annotation.core.values`)."""
    for name, schema in schemas.items():
        properties = schema.get("properties", {}).values() if name.endswith("Request") else ()
        for text in properties:
            if text.get("type") == "string" and not {"pattern", "format", "enum"} & text.keys():
                text["pattern"] = SOME_TEXT if text.get("minLength") else ANY_TEXT


def _tell_ignored(result: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Fields that no body knows may hold whatever can be stored, but in rules, where a slip would change much."""
    told = json.dumps([operation.get("requestBody", {}).get("content", {}) for _, operation in _operations(result)])
    forms = set(re.findall(r'"multipart/form-data": {"schema": {"\$ref": "#/components/schemas/(\w+)"}}', told))
    schemas["Ignored"] = IGNORED
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object" and name not in forms:
            schema["additionalProperties"] = False if name in STRICT else {"$ref": "#/components/schemas/Ignored"}
            schema["propertyNames"] = {"pattern": STORABLE["pattern"]}


def _operations(result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [each for methods in result["paths"].values() for each in methods.items()]


def _allow_null(body: dict[str, Any]) -> None:
    for name, schema in body.get("properties", {}).items():
        told = str(schema)
        if name not in body.get("required", []) and "'null'" not in told and "NullEnum" not in told:
            body["properties"][name] = {"oneOf": [schema, {"type": "null"}]}
