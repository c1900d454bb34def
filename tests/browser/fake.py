"""A server of one task, without a database: the pages and scripts are the product's, the answers are made here.

What a page sends is kept as it came, so a test can say that what was drawn is what arrived. `trouble` makes the
next answers bad ones: a lost line, a refusal.
"""

from __future__ import annotations

import json
import mimetypes
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from annotation.media.picturing import encode, pixels
from annotation.media.reading import FrameReader
from config.middleware import HEADERS

STATIC = Path(__file__).resolve().parents[2] / "static"


@dataclass
class Task:
    """One segment to be drawn: the clip on disk, and the assignment's body."""

    clip: Path
    body: dict[str, Any]
    source: Path
    frame_map: Any
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    trouble: list[tuple[str, int, Any]] = field(default_factory=list)
    pages: dict[str, tuple[str, dict]] = field(default_factory=dict)
    gets: dict[str, Any] = field(default_factory=dict)

    def last(self, what: str) -> Any:
        return next(body for _, path, body in reversed(self.sent) if path.endswith(f"/{what}/"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    task: Task

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            return self._file(file) if file.is_file() else self._json(404, {})
        if path == "/clip.mp4":
            return self._file(self.task.clip)
        if path in self.task.pages:
            template, context = self.task.pages[path]
            return self._send(200, "text/html; charset=utf-8", render_to_string(template, context).encode())
        if frame := re.fullmatch(r"/api/v1/(?:assignments|videos)/\w+/frames/(\d+)/", path):
            return self._picture(int(frame[1]))
        if path in self.task.gets:
            return self._json(200, self.task.gets[path])
        return self._json(404, {"title": "Not found", "status": 404})

    def do_PUT(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def do_PATCH(self) -> None:
        self._take()

    def do_DELETE(self) -> None:
        self._take()

    def _take(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        for trouble in self.task.trouble:
            if self.path.endswith(f"/{trouble[0]}/"):
                self.task.trouble.remove(trouble)
                return self._json(trouble[1], trouble[2])
        self.task.sent.append((self.command, self.path, body))
        self.task.keys.append(self.headers["Idempotency-Key"])
        if self.path.endswith("/claim/"):
            return self._send(204, "application/json", b"")
        return self._json(200, {"lease_until": self.task.body["lease_until"], "status": "submitted"})

    def _picture(self, n: int) -> None:
        with FrameReader(self.task.source, self.task.frame_map) as reader:
            picture = encode(pixels(reader.frame(n), self.task.frame_map), "png")
        self._send(200, "image/png", picture)

    def _json(self, status: int, body: Any) -> None:
        self._send(
            status, "application/problem+json" if status >= 400 else "application/json", json.dumps(body).encode()
        )

    def _file(self, file: Path) -> None:
        data = file.read_bytes()
        kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0]
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), int(asked[2] or len(data) - 1)
            part = data[first : last + 1]
            return self._send(206, kind, part, {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(data)}"})
        return self._send(200, kind, data)

    def _send(self, status: int, kind: str, data: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(data)), "Accept-Ranges": "bytes", **HEADERS}
        for name, value in (headers | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class FakeServer:
    """Serves one task at `url` from a thread, until `close`."""

    def __init__(self, task: Task) -> None:
        self.task = task
        handler = type("Handler", (_Handler,), {"task": task})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
