"""Files under names of ours, behind Django's storage API: named by their content, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

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
    # A file of another size is one that somebody writes at this moment or did not finish; the storage then finds us
    # a name beside it.
    if default_storage.exists(name) and default_storage.size(name) == size:
        _touch(name)
    else:
        file.seek(0)
        name = default_storage.save(name, file)
        _sync(name)
    return Stored(name, size, digest)


def write(name: str, content: bytes) -> str:
    """A small new file, on the disk when this returns; its name in the storage."""
    name = default_storage.save(name, ContentFile(content))
    _sync(name)
    return name


def read(name: str) -> bytes:
    """A small file. FileNotFoundError where it is gone."""
    with default_storage.open(name, "rb") as file:
        return file.read()


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


def _touch(name: str) -> None:
    """Young again, so that nobody clears it away before the row that names it is there (see `tidying`)."""
    with suppress(NotImplementedError):
        os.utime(default_storage.path(name))


def _sync(name: str) -> None:
    """On the disk before a row says that it is there."""
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:
        return
    for each in (path, path.parent, path.parent.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def local_path(name: str) -> Iterator[Path]:
    """A stored file as a path on this machine, for the programs that need one."""
    try:
        path: Any = default_storage.path(name)
    except NotImplementedError:
        path = None
    if path is not None:
        yield Path(path)
        return
    with tempfile.NamedTemporaryFile(prefix="trackweave-") as copy, default_storage.open(name, "rb") as file:
        shutil.copyfileobj(file, copy, CHUNK)
        copy.flush()
        yield Path(copy.name)
