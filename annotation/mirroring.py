"""Drafts that outlive their host: what a draft holds goes to the shared store as it grows.

A draft's files only grow between two notes (see `formats.drafts`), so what is new since the last time goes up as one
object for each file, and a journal says which objects make the files up. Everybody who writes a draft writes the same
bytes, so two hosts at one draft do each other no harm: each journal names objects that hold what it says.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.core.files.storage import default_storage

from annotation import storing
from annotation.formats.drafts import FRESH, JOURNAL

FOLDER = "drafts"
#: Seconds between two times: what a host that is lost takes with it.
EVERY_S = 10.0
#: Of the largest object: that much of a draft is in memory at once.
CHUNK_BYTES = 8 << 20
#: Files that every phase of a draft goes on with; others may be begun anew by each phase.
LASTING = ("file", "directory")


class Mirror:
    """The draft in `folder`, and what the store has of it as the draft of `subject`."""

    def __init__(self, folder: Path, subject: str, every_s: float | None = None) -> None:
        self.folder, self.prefix = folder, f"{FOLDER}/{subject}"
        self.every_s = EVERY_S if every_s is None else every_s
        self._pushed_at = time.monotonic()
        self._phase: str | None = None
        self._chunks: dict[str, list[tuple[str, int]]] = {}

    def pull(self, identity: str) -> None:
        """Bring the folder to where the store is, if another host got further with the same draft."""
        try:
            told = json.loads(storing.read(self._journal(identity)))
        except FileNotFoundError:
            return
        if told["journal"]["state"]["offset"] <= _offset(self.folder, identity):
            return
        # What is here stops being a draft before anything is written over it, and is one again once all of it is there.
        (self.folder / JOURNAL).unlink(missing_ok=True)
        with suppress(FileNotFoundError):  # an object was cleared away: then it is begun anew
            for name, chunks in told["chunks"].items():
                self._write(name, (storing.read(key) for key, _ in chunks))
            self._write(FRESH, [json.dumps(told["journal"]).encode()])
            (self.folder / FRESH).replace(self.folder / JOURNAL)
            self._phase = told["journal"]["state"]["phase"]
            self._chunks = {name: [(key, size) for key, size in chunks] for name, chunks in told["chunks"].items()}

    def push(self) -> None:
        """The draft was noted: send what is new of it, unless that was done a moment ago."""
        if time.monotonic() - self._pushed_at < self.every_s:
            return
        journal = json.loads((self.folder / JOURNAL).read_bytes())
        if journal["state"]["phase"] != self._phase:
            self._phase = journal["state"]["phase"]
            self._chunks = {name: chunks for name, chunks in self._chunks.items() if name in LASTING}
        for path in sorted(self.folder.iterdir()):
            if path.name not in (JOURNAL, FRESH):
                self._send(path)
        body = json.dumps({"journal": journal, "chunks": self._chunks}).encode()
        storing.replace(self._journal(journal["identity"]), body)
        self._pushed_at = time.monotonic()

    def drop(self) -> None:
        """The draft is done with."""
        with suppress(FileNotFoundError):
            for name in default_storage.listdir(self.prefix)[1]:
                storing.drop(f"{self.prefix}/{name}")

    def _send(self, path: Path) -> None:
        chunks = self._chunks.setdefault(path.name, [])
        start = sum(size for _, size in chunks)
        with path.open("rb") as file:
            file.seek(start)
            while content := file.read(CHUNK_BYTES):
                digest = hashlib.sha256(content).hexdigest()[:16]
                key = f"{self.prefix}/{path.name}-{start}-{digest}"
                storing.replace(key, content)
                chunks.append((key, len(content)))
                start += len(content)

    def _write(self, name: str, pieces: Iterable[bytes]) -> None:
        with (self.folder / name).open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    def _journal(self, identity: str) -> str:
        return f"{self.prefix}/journal-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _offset(folder: Path, identity: str) -> int:
    """How far the draft is on this host; -1 where there is none."""
    try:
        said = json.loads((folder / JOURNAL).read_bytes())
    except (FileNotFoundError, ValueError):
        return -1
    return said["state"]["offset"] if said.get("identity") == identity else -1
