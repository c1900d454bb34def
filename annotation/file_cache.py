"""Copies on this machine of files that lie elsewhere, for programs that need a path: under DATA_DIR/cache/files.

Several processes share the folder. Whoever uses a copy holds a shared lock on it; a copy is deleted only under an
exclusive one, so never while it is used, and whoever waited for a lock looks whether the name still means the same
file. A copy is made under another name, by one process at a time, and gets its own once it is whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
DRAFT = ".draft"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Damaged(OSError):
    """What was fetched is not what its name says."""


class FileCache:
    """Copies by key. What was not used the longest goes first, before all together would take over `max_bytes`.

    Copies in use stay, and one that is larger than the whole bound is made all the same. A full disk is a bound, too.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder, self.max_bytes = folder, max_bytes

    @contextmanager
    def held(self, key: str, size: Callable[[], int], source: Callable[[], BinaryIO]) -> Iterator[Path]:
        """A copy, for as long as the block lasts; where there is none, `source` of `size` bytes is opened.

        A key that is a SHA-256, or begins with one and a full stop, is compared with what arrives."""
        path = self.folder / key
        self.folder.mkdir(parents=True, exist_ok=True)
        while (file := _locked(path, fcntl.LOCK_SH)) is None:
            self._fetch(path, size, source)
        try:
            os.utime(path)
            yield path
        finally:
            os.close(file)

    def _fetch(self, path: Path, size: Callable[[], int], source: Callable[[], BinaryIO]) -> None:
        draft = path.with_name(path.name + DRAFT)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        file = _locked(draft, fcntl.LOCK_EX)
        if file is None:
            return  # another made it meanwhile
        try:
            if path.exists():
                draft.unlink()
                return
            self._reserve(file, size())
            _copy(path.name, file, source)
            os.replace(draft, path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)

    def _reserve(self, file: int, size: int) -> None:
        """Make room for a draft, which counts as whole from now on: of many who fetch at once, each counts."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            os.truncate(file, 0)
            self.make_room(size)
            os.truncate(file, size)
        finally:
            os.close(folder)

    def make_room(self, size: int) -> None:
        """Delete what was not used the longest and is not in use, until `size` more bytes fit: the bound, and the disk,
        which others fill as well."""
        found = []
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
        free = shutil.disk_usage(self.folder).free
        excess = max(sum(taken for _, taken, _ in found) + size - self.max_bytes, size - free)
        for _, taken, path in sorted(found):
            if excess <= 0:
                return
            file = _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if file is not None:
                path.unlink(missing_ok=True)
                os.close(file)
                excess -= taken


def _locked(path: Path, how: int) -> int | None:
    """The file at `path`, open and locked; None where there is none (any more), or another has it."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, how)
        if os.fstat(file).st_ino == os.stat(path).st_ino:
            return file
    except (FileNotFoundError, BlockingIOError):
        pass
    os.close(file)
    return None


def _copy(key: str, file: int, source: Callable[[], BinaryIO]) -> None:
    digest = hashlib.sha256()
    with source() as read, open(file, "r+b", closefd=False) as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            write.write(chunk)
        write.truncate()
        write.flush()
        os.fsync(file)
    wanted = key.partition(".")[0]
    if _SHA256.fullmatch(wanted) and digest.hexdigest() != wanted:
        raise Damaged(f"{key} arrived as {digest.hexdigest()}")
