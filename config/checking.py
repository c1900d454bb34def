"""Looks at what the installation stands on and says what is wrong with it; for /health/ready and `doctor`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` says what to do when it is not `ok`."""

    name: str
    ok: bool
    found: str
    mend: str = ""


def essentials() -> list[Finding]:
    """What every request needs, cheap enough to be asked every few seconds."""
    found = [look("database", _database, "check DATABASE_URL and that the server runs")]
    if found[0].ok:
        found.append(look("migrations", _migrations, "run manage.py migrate"))
    found.append(look("storage", _storage, "make the folder of STORAGE_URL (or DATA_DIR) writable for this user"))
    if settings.ENVIRONMENT.redis_url:
        found.append(look("redis", _redis, "check REDIS_URL and that the server runs"))
    return found


def look(name: str, at: Callable[[], str], mend: str) -> Finding:
    """Calls `at`, which says what it found or raises; whatever it raises is the finding."""
    try:
        return Finding(name, True, at())
    except Exception as error:  # noqa: BLE001  whatever is wrong has to be told, not thrown
        return Finding(name, False, f"{type(error).__name__}: {error}".strip(), mend)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return f"{connection.vendor} {connection.settings_dict['NAME']}"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise LookupError(f"{len(plan)} migrations are not applied, the first is {plan[0][0]}")
    return "all applied"


def _storage() -> str:
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
    return str(folder)


def _redis() -> str:
    import redis

    with redis.from_url(settings.ENVIRONMENT.redis_url, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
    return "answers"
