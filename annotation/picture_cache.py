"""Pictures that were made once, as files under DATA_DIR/cache: bounded in size, safe to delete, shared by processes."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

MIB = 1 << 20


class PictureCache:
    """Files by key. What was not asked for the longest goes first, once all together take over `max_bytes`.

    Each process counts what it writes and looks at the whole folder once that comes to a share of the bound, so the
    bound may be passed by that share per process.
    """

    def __init__(self, folder: Path, max_bytes: int = 512 * MIB, share: float = 0.05) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._look_after = int(max_bytes * share)
        self._written = self._look_after
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The bytes under a key (of letters, digits and dots), made now where there are none."""
        path = self.folder / key[:2] / key
        try:
            data = path.read_bytes()
        except OSError:
            data = make()
            self._write(path, data)
            return data
        with contextlib.suppress(OSError):
            os.utime(path)
        return data

    def _write(self, path: Path, data: bytes) -> None:
        # A full disk costs the cache and not the picture.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(draft, path)
        with self._lock:
            self._written += len(data)
            if self._written < self._look_after:
                return
            self._written = 0
        self.prune()

    def prune(self) -> None:
        """Delete the files that were not used the longest, until the rest fits."""
        found = []
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
        excess = sum(size for _, size, _ in found) - self.max_bytes
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size
