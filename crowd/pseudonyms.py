"""Other names for workers: the same within a project, of no use outside of it."""

from __future__ import annotations

import base64
import hashlib
import hmac

from django.conf import settings


def pseudonym(project_id: str, worker_id: str | None) -> str:
    """What clients, reviewers and exports call a worker of a project."""
    if worker_id is None:
        return "nobody"
    digest = hmac.new(settings.SECRET_KEY.encode(), f"pseudonym:{project_id}:{worker_id}".encode(), hashlib.sha256)
    return "w-" + base64.b32encode(digest.digest())[:10].decode().lower()
