"""A file in the making that outlives whoever writes it: its folder says how far it is."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

NOTED_EVERY_S = 1.0
JOURNAL = "journal.json"
FRESH = "journal.new"


def _unheard() -> None:
    pass


@dataclass(slots=True)
class Draft:
    """The files in `folder`, and what was noted of them last. `identity` says what is being written, and by which
    version of the writer: a draft of anything else is begun anew.

    What is noted is on the disk before the note is; notes are taken `every_s` at most, since each waits for the disk.
    `noted` hears of each.
    """

    folder: Path
    identity: str
    every_s: float = NOTED_EVERY_S
    noted: Callable[[], None] = _unheard
    state: dict[str, Any] | None = field(init=False, default=None)
    _noted_at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        try:
            said = json.loads((self.folder / JOURNAL).read_bytes())
        except (FileNotFoundError, ValueError):
            return
        if isinstance(said, dict) and said.get("identity") == self.identity:
            self.state = said["state"]

    @property
    def length(self) -> int:
        """How much of the file itself is good."""
        return int(self.state["offset"]) if self.state else 0

    def file(self, name: str, length: int) -> BinaryIO:
        """A file of the draft, cut to what was noted of it, to go on at its end."""
        path = self.folder / name
        path.touch(0o600)
        out = path.open("r+b")
        out.truncate(length)
        out.seek(length)
        return out

    @property
    def due(self) -> bool:
        """Whether it is time to take a note."""
        return time.monotonic() - self._noted_at >= self.every_s

    def note(self, state: dict[str, Any], files: Sequence[IO[bytes]]) -> None:
        """`files` hold now what `state` says of them."""
        for file in files:
            file.flush()
            os.fsync(file.fileno())
        fresh = self.folder / FRESH
        with fresh.open("w") as out:
            json.dump({"identity": self.identity, "state": state}, out)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self.folder / JOURNAL)
        self._noted_at = time.monotonic()
        self.noted()
