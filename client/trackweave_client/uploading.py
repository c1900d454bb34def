"""Uploads by the tus protocol 1.0.0, which go on where they stopped: after a broken connection, and in another process.

What is under way is noted in a file, before anything is sent: which address the upload has, under which key it was
begun, and the file's SHA-256, which the site compares in the end.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from trackweave_client.errors import ApiError, Failed
from trackweave_client.transport import PASSING, Patience, Transport, said

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"
#: Bytes per request, and per reading.
PART_BYTES = 64 << 20
READ_BYTES = 256 << 10
#: Told how many bytes are at the site, and how many there are.
Told = Callable[[int, int], object]


def untold(done: int, total: int) -> None:
    pass


@dataclass
class Note:
    """What is known of one upload under way."""

    sha256: str
    key: str
    url: str = ""


class Upload:
    """A file on its way into a project."""

    def __init__(self, transport: Transport, project: str, path: Path, *, name: str | None, state: Path) -> None:
        self.transport, self.project, self.path, self.name = transport, project, path, name
        facts = path.stat()
        self.bytes = facts.st_size
        what = [str(transport.http.base_url), project, name, str(path.resolve()), self.bytes, facts.st_mtime_ns]
        self.noted = state / "uploads" / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]}.json"

    def run(self, told: Told = untold) -> dict[str, Any]:
        """Send what the site does not have yet; the upload as the site describes it, with its `video`."""
        note = self._note()
        try:
            self._send_all(note, told)
            found = self._video_of(note)
        except ApiError as error:
            if error.status in (404, 410, 422):  # nothing that could be gone on with
                self.noted.unlink(missing_ok=True)
            raise
        self.noted.unlink(missing_ok=True)
        return found

    def _note(self) -> Note:
        """What was noted before, as far as the site still knows of it, or a fresh upload."""
        try:
            note = Note(**json.loads(self.noted.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            note = None
        if note is not None and (not note.url or self._offset(note) is not None):
            return self._begun(note)
        return self._begun(Note(_sha256_of(self.path), uuid.uuid4().hex))

    def _begun(self, note: Note) -> Note:
        if not note.url:
            self._save(note)
            facts = {"filename": self.path.name, "sha256": note.sha256} | ({"name": self.name} if self.name else {})
            headers = TUS | {"Upload-Length": str(self.bytes), "Upload-Metadata": _metadata(facts)}
            path = f"/api/v1/projects/{self.project}/uploads/"
            note.url = said(self.transport.send("POST", path, headers=headers, key=note.key))["url"]
            self._save(note)
        return note

    def _save(self, note: Note) -> None:
        self.noted.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.noted.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(note)))
        os.replace(fresh, self.noted)

    def _offset(self, note: Note) -> int | None:
        """Where the upload stands at the site; None where it is gone."""
        try:
            answer = self.transport.send("HEAD", note.url, headers=TUS)
        except ApiError as error:
            if error.status in (404, 410):
                return None
            raise
        return int(answer.headers["Upload-Offset"])

    def _send_all(self, note: Note, told: Told) -> None:
        patience, before = Patience(self.transport), -1
        while True:
            offset = self._offset(note)
            if offset is None:
                raise Failed("the site has thrown the upload away: begin again")
            told(offset, self.bytes)
            if offset == self.bytes:
                return
            if offset > before:
                patience.renew()
            before = offset
            try:
                self._send_part(note, offset, told)
            except (httpx.TransportError, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in (*PASSING, 409):
                    raise
                patience.lose(error)

    def _send_part(self, note: Note, offset: int, told: Told) -> None:
        stop = min(offset + PART_BYTES, self.bytes)
        headers = TUS | {
            "Upload-Offset": str(offset),
            "Content-Type": BYTES,
            "Content-Length": str(stop - offset),
        }
        body = self._read(offset, stop, told)
        # The last part is answered once the video is made of them all.
        timeout = httpx.Timeout(60.0, read=600.0)
        answer = self.transport.http.patch(note.url, content=body, headers=headers, timeout=timeout)
        if not answer.is_success:
            raise ApiError(answer)

    def _read(self, offset: int, stop: int, told: Told) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(offset)
            while offset < stop and (piece := file.read(min(READ_BYTES, stop - offset))):
                yield piece
                offset += len(piece)
                told(offset, self.bytes)

    def _video_of(self, note: Note) -> dict[str, Any]:
        """All is there; what is still to be done is that the site makes the video of it."""
        patience = Patience(self.transport)
        while True:
            found = self.transport.get(note.url)
            if found["status"] == "done":
                return found
            if found["status"] != "open":
                raise Failed(found["reason"] or f"the upload is {found['status']}")
            patience.lose(Failed("the site does not make a video of what arrived"))
            headers = TUS | {"Upload-Offset": str(self.bytes), "Content-Type": BYTES}
            self.transport.send("PATCH", note.url, headers=headers, timeout=600.0)


def _metadata(values: dict[str, str]) -> str:
    # Bytes of a file's name that are no text are question marks: the site keeps names, not bytes.
    encoded = {key: base64.b64encode(value.encode(errors="replace")).decode() for key, value in values.items()}
    return ",".join(f"{key} {value}" for key, value in encoded.items())


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
