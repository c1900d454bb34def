"""Looks at what the installation stands on and says what is wrong with it; for /health/ready and `doctor`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now

from annotation import storing
from annotation.lifecycle import JobStatus
from annotation.media.codecs import missing_codecs
from annotation.models import Job, Video
from crowd import alarming
from crowd.models import Assignment

# A job that has been due for so long shows that nobody works.
WAITING = timedelta(minutes=2)
LEAST_FREE_BYTES = 2 * 2**30
# Videos whose files are looked for; a file may be lost, but hardly all of them.
SOME = 5


FOLDER = "make the folder of STORAGE_URL (or DATA_DIR) writable for this user"
BUCKET = "check STORAGE_URL: host, bucket and keys, which may list, read, write and delete"
LOST = "bring them back from a backup; the last part of each name is the SHA-256 of what it holds"


class Wrong(Exception):
    """What was found is not as it has to be."""


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
    if all(finding.ok for finding in found) and not settings.ENVIRONMENT.bucket:
        found.append(look("files", _files, "mount what lies at STORAGE_URL (or DATA_DIR), or bring its files back"))
    storage, mend = (_bucket, BUCKET) if settings.ENVIRONMENT.bucket else (_storage, FOLDER)
    found.append(look("storage", storage, mend))
    if settings.ENVIRONMENT.redis_url:
        found.append(look("redis", _redis, "check REDIS_URL and that the server runs"))
    return found


def everything() -> list[Finding]:
    """All that `doctor` looks at."""
    stored = [look("bucket", _written, BUCKET)] if settings.ENVIRONMENT.bucket else []
    return [
        *essentials(),
        *stored,
        look(
            "queue", _queue, "start a worker: manage.py serve, or manage.py work; Job rows say why jobs were given up"
        ),
        look("crowd", _crowd, "see whether workers can log in and claim, and that manage.py serve (or work) is up"),
        look("codecs", _codecs, "install the wheel of PyAV again: pip install --force-reinstall av"),
        look("secrets", _secrets, "chmod 600 the file, or delete it for a new one (everybody has to log in again)"),
        look("tables", _tables, "chmod 600 the file, and those beside it that begin with its name"),
        look("address", _address, "set PUBLIC_URL to the site's address, and leave DEBUG off"),
        look("disk", _disk, "make room: videos, clips and exports lie there"),
    ]


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


def _files() -> str:
    """A folder that is not mounted can be written as well, and is empty."""
    some = list(Video.objects.order_by("pk").values_list("file", flat=True)[:SOME])
    if some and not any(default_storage.exists(name) for name in some):
        raise Wrong(f"the files of {len(some)} videos were looked for, and none is in {settings.MEDIA_ROOT}")
    return "there" if some else "no video was uploaded yet"


def _bucket() -> str:
    default_storage.look()
    return f"the bucket {settings.ENVIRONMENT.bucket.name}"


def _written() -> str:
    """Something small goes into the bucket, comes back, and is gone again."""
    content = os.urandom(32)
    name = storing.write(f"checks/{content.hex()}", content)
    try:
        if storing.read(name) != content:
            raise Wrong(f"{name} came back as something else")
    finally:
        storing.drop(name)
    if default_storage.exists(name):
        raise Wrong(f"{name} was deleted and is still there")
    return "written, read and deleted"


def _redis() -> str:
    import redis

    with redis.from_url(settings.ENVIRONMENT.redis_url, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
    return "answers"


def _queue() -> str:
    given_up = Job.objects.filter(status=JobStatus.QUARANTINED)
    waiting = Job.objects.filter(status=JobStatus.QUEUED, not_before__lt=Now() - WAITING).count()
    if waiting:
        raise Wrong(f"{waiting} jobs have been due for more than {WAITING.seconds} s and nobody does them")
    if last := given_up.order_by("-finished_at").first():
        raise Wrong(f"{given_up.count()} jobs were given up, the last is {last.kind} of {last.subject}: {last.reason}")
    kept = Job.objects.filter(status=JobStatus.QUEUED, created_at__lt=Now() - WAITING).exclude(reason="")
    if last := kept.order_by("-not_before").first():
        raise Wrong(f"{kept.count()} jobs are tried again and again, the last is {last.kind}: {last.reason}")
    return f"{Job.objects.filter(status=JobStatus.RUNNING).count()} jobs under way"


def _crowd() -> str:
    if found := alarming.site():
        raise Wrong(" ".join(alarm.message for alarm in found))
    return "work is claimed and swept" if Assignment.objects.exists() else "nothing was launched yet"


def _codecs() -> str:
    if missing := missing_codecs():
        raise Wrong(f"FFmpeg lacks {', '.join(missing)}")
    return "all there"


def _secrets() -> str:
    if settings.ENVIRONMENT.secret_key:
        return "SECRET_KEY is set in the environment"
    path = settings.DATA_DIR / "secret_key"
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise Wrong(f"others may read {path} (mode {mode:o})")
    if path.stat().st_uid != os.geteuid():
        raise Wrong(f"{path} belongs to another user")
    return f"{path}, mode {mode:o}"


def _tables() -> str:
    """Hashes of passwords and tokens are in the database."""
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite":
        return "in a server of its own"
    if path.exists() and (mode := path.stat().st_mode & 0o777) & 0o077:
        raise Wrong(f"others may read {path} (mode {mode:o})")
    return f"{path}, its owner's alone"


def _address() -> str:
    if settings.DEBUG:
        raise Wrong("DEBUG is on: errors show settings and code to everybody")
    if settings.PUBLIC_URL is None:
        return f"this machine only: {', '.join(settings.ALLOWED_HOSTS)}"
    if not settings.ENVIRONMENT.https:
        raise Wrong(f"{settings.PUBLIC_URL} is not https: passwords and tokens can be read on the way")
    return settings.PUBLIC_URL


def _disk() -> str:
    free = shutil.disk_usage(settings.MEDIA_ROOT).free
    if free < LEAST_FREE_BYTES:
        raise Wrong(f"only {free / 2**30:.1f} GiB are free at {settings.MEDIA_ROOT}")
    return f"{free / 2**30:.0f} GiB free"
