"""Other names for workers: the same within a project, of no use outside of it.

They are derived from a seed of each person's own, which is drawn anew when the person is erased: nothing that is left
leads from an old pseudonym to a row.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

from django.conf import settings

from annotation.models import User

NOBODY = "nobody"


def pseudonyms(project_id: str, worker_ids: Iterable[str]) -> dict[str, str]:
    """What clients, reviewers and exports call some workers of a project, by their ids."""
    seeds = User.objects.filter(pk__in=set(worker_ids)).values_list("pk", "alias_seed")
    return {pk: _derive(project_id, seed) for pk, seed in seeds}


def pseudonym(project_id: str, worker_id: str | None) -> str:
    """One worker's; for many, `pseudonyms` asks the database once."""
    return NOBODY if worker_id is None else pseudonyms(project_id, [worker_id]).get(worker_id, NOBODY)


def _derive(project_id: str, seed: str) -> str:
    digest = hmac.new(settings.SECRET_KEY.encode(), f"pseudonym:{project_id}:{seed}".encode(), hashlib.sha256)
    return "w-" + base64.b32encode(digest.digest())[:10].decode().lower()
