"""The schema of the API, and a page to read it: the scripts come from drf-spectacular-sidecar."""

from __future__ import annotations

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
