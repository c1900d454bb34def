"""Files under names of ours, behind Django's storage API: named by their content, written once, never changed.

Each is noted as this site's own before it is there (see `tidying`)."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotation.file_cache import FileCache
from annotation.models import KeptFile

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the storage: its name there, its size and its hash (hex)."""

    name: str
    bytes: int
    sha256: str


def keep(source: Path | str | IO[bytes] | File, folder: str, *, sha256: str | None = None) -> Stored:
    """Put a file into the storage under `folder`, named by its SHA-256; the same content is stored once.

    Takes long for large files: call it outside of transactions, and write the row that names the file afterwards.
    Who knows the hash already says so; a path is then moved where that is quicker.
    """
    if isinstance(source, Path | str):
        with open(source, "rb") as file:
            return _keep(File(file) if sha256 is None else _Movable(file), folder, sha256)
    return _keep(source if isinstance(source, File) else File(source), folder, sha256)


class _Movable(File):
    """A file that nobody wants where it lies: Django's storage moves what has such a path."""

    def temporary_file_path(self) -> str:
        return str(self.file.name)


def _keep(file: File, folder: str, sha256: str | None) -> Stored:
    digest, size = _hash(file) if sha256 is None else (sha256, file.size)
    name = f"{folder}/{digest[:2]}/{digest}"
    _note(name)
    # A file of another size is one that somebody writes at this moment or did not finish; the storage then finds us
    # a name beside it.
    if not (default_storage.exists(name) and default_storage.size(name) == size):
        file.seek(0)
        name = _save(name, file)
    return Stored(name, size, digest)


def _note(name: str) -> None:
    """This site's own, and young again. Who clears it away at this moment is waited for."""
    KeptFile.objects.bulk_create(
        [KeptFile(name=name)], update_conflicts=True, unique_fields=["name"], update_fields=["kept_at"]
    )


def _save(name: str, file: File) -> str:
    """A noted file, on the disk when this returns; its name in the storage, which finds one beside a name that is
    taken."""
    given = default_storage.save(name, file)
    if given != name:
        _note(given)
    _sync(given)
    return given


def write(name: str, content: bytes) -> str:
    """A small new file, on the disk when this returns; its name in the storage."""
    _note(name)
    return _save(name, ContentFile(content))


def replace(name: str, content: bytes) -> None:
    """A small file under exactly this name, whatever was there before."""
    if is_elsewhere():  # an object appears whole, over the old one
        _note(name)
        default_storage.save(name, ContentFile(content))
        return
    default_storage.delete(name)
    write(name, content)


def read(name: str) -> bytes:
    """A small file. FileNotFoundError where it is gone."""
    with default_storage.open(name, "rb") as file:
        return file.read()


def drop(name: str) -> None:
    """A file is done with: it goes first, then what was noted of it."""
    default_storage.delete(name)
    KeptFile.objects.filter(name=name).delete()


def room() -> int:
    """Bytes that are free where files lie."""
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(settings.MEDIA_ROOT).free


def _hash(file: File) -> tuple[str, int]:
    sha, size = hashlib.sha256(), 0
    for chunk in file.chunks(CHUNK):
        sha.update(chunk)
        size += len(chunk)
    return sha.hexdigest(), size


def _sync(name: str) -> None:
    """On the disk before a row says that it is there. A store elsewhere answers for what it has taken."""
    path = _path(name)
    for each in (path, path.parent, path.parent.parent) if path else ():
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _path(name: str) -> Path | None:
    """Where a stored file lies on this machine; None where the storage is elsewhere."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


def is_away(error: Exception) -> bool:
    """Whether an error says that files cannot be reached or written for now, whoever asks for which."""
    return isinstance(error, (OSError, *getattr(default_storage, "away", ())))


def is_elsewhere() -> bool:
    """Whether files lie in a store that all hosts share, and not on this machine's disk."""
    return _path("any") is None


@contextmanager
def local_path(name: str, *, viewer: str = "") -> Iterator[Path]:
    """A stored file as a path on this machine, for the programs that need one; good within the block.

    From elsewhere it is copied first (see `file_cache`), for each `viewer` anew: no such program is ever handed an
    address.
    """
    if path := _path(name):
        yield path
        return
    key = ".".join(filter(None, (name.rpartition("/")[2], viewer)))
    with cache().held(key, lambda: default_storage.size(name), lambda: default_storage.open(name, "rb")) as copy:
        yield copy


@lru_cache(maxsize=1)
def cache() -> FileCache:
    return FileCache(settings.DATA_DIR / "cache" / "files", settings.STORAGE_CACHE_BYTES)
