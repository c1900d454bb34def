"""Downloads of exports, which go on where they stopped and are compared with the SHA-256 that the site told.

What has arrived lies beside the file's place as `NAME.part`, and `NAME.part.json` says of what it is a part.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from trackweave_client.errors import ApiError, ChecksumMismatch, Failed
from trackweave_client.transport import PASSING, Patience, Transport

#: Told how many bytes are here, and how many there are.
Told = Callable[[int, int], object]
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


def untold(done: int, total: int) -> None:
    pass


@dataclass
class Download:
    """A ready export on its way to a file."""

    transport: Transport
    export: dict[str, Any]
    path: Path
    etag: str = ""

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def noted(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part.json")

    @property
    def what(self) -> dict[str, Any]:
        return {"export": self.export["id"], "sha256": self.export["sha256"], "bytes": self.export["bytes"]}

    def run(self, told: Told = untold) -> Path:
        """Fetch what is not here yet; the file, whole. ChecksumMismatch where it is not what the site has."""
        if self.export["status"] != "ready":
            raise Failed(f"the export is {self.export['status']}")
        self._recall()
        patience, total = Patience(self.transport), self.export["bytes"]
        while (here := self._size()) < total:
            try:
                self._fetch(here, told)
            except (httpx.TransportError, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in PASSING:
                    raise
                if self._size() > here:
                    patience.renew()
                patience.lose(error)
        told(total, total)
        return self._checked()

    def _recall(self) -> None:
        """What is here of the same file is kept; anything else is not."""
        try:
            said = json.loads(self.noted.read_text())
            self.etag = said.pop("etag")
        except (FileNotFoundError, ValueError, KeyError, AttributeError):
            said = None
        if said != self.what or self._size() > self.export["bytes"]:
            self.etag = ""
            self.part.unlink(missing_ok=True)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _fetch(self, here: int, told: Told) -> None:
        headers = {"Accept-Encoding": "identity"}
        if here:
            headers["Range"] = f"bytes={here}-"
            if self.etag:
                headers["If-Range"] = self.etag
        # The answer may be a link to the store; it is signed, and the token does not go there.
        with self.transport.http.stream("GET", self.export["url"], headers=headers, follow_redirects=True) as answer:
            if answer.status_code == 416:
                self.part.unlink(missing_ok=True)
                return
            if not answer.is_success:
                answer.read()
                raise ApiError(answer)
            start = self._begin(answer, here)
            with self.part.open("r+b" if start else "wb") as file:
                file.truncate(start)
                file.seek(start)
                for piece in answer.iter_raw():  # as it comes: pieces of a fixed size would be lost half full
                    file.write(piece)
                    told(file.tell(), self.export["bytes"])

    def _begin(self, answer: httpx.Response, here: int) -> int:
        """Where what is sent belongs: where we stand, or at the start if the site sends the whole."""
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        fits = found and (int(found[1]), int(found[2])) == (here, self.export["bytes"])
        etag = answer.headers.get("ETag", "")
        if answer.status_code == 206 and (not fits or (self.etag and etag != self.etag)):
            self.part.unlink(missing_ok=True)
            raise httpx.RemoteProtocolError("the site sent another part than was asked for")
        self.etag = "" if etag.startswith("W/") else etag
        self.noted.write_text(json.dumps(self.what | {"etag": self.etag}))
        return here if answer.status_code == 206 else 0

    def _checked(self) -> Path:
        with self.part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        self.noted.unlink(missing_ok=True)
        if found != self.export["sha256"]:
            self.part.unlink()
            raise ChecksumMismatch(self.path.name, self.export["sha256"], found)
        os.replace(self.part, self.path)
        return self.path
