"""Is the process alive, and can it do its work? For load balancers; no login, and no details that help an attacker."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from config import checking


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, storage, its files and (where one is set) Redis can be used, else 503 with what is
    missing."""
    missing = [finding.name for finding in checking.essentials() if not finding.ok]
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ok"})
