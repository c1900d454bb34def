"""All addresses. Each app's `urls` brings `api_urlpatterns` (under /api/v1/) and `urlpatterns` (pages, under /)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path, re_path

import annotation.urls
import crowd.urls
import review.urls
from config import api_docs, health

APPS = (annotation.urls, crowd.urls, review.urls)


def nowhere(request: HttpRequest) -> HttpResponse:
    """No id holds a NUL, and no database takes one in a question."""
    raise Http404


urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("api/v1/schema/", api_docs.Schema.as_view(), name="schema"),
    path("api/v1/docs/", api_docs.Docs.as_view(url_name="schema"), name="docs"),
    *(path("api/v1/", include(app.api_urlpatterns)) for app in APPS),
    re_path("\x00", nowhere),
    *(path("", include(app.urlpatterns)) for app in APPS),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
