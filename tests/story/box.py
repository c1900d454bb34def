"""The product as its users run it: `manage.py serve` and `adduser` in a folder of their own, then HTTP alone."""

from __future__ import annotations

import csv
import io
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openapi_schema_validator  # noqa: F401  its formats are registered on import
from jsonschema import Draft202012Validator

from tests import servers

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request hides what matters
PROJECT = Path(__file__).resolve().parents[2]
HANDED_DOWN = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
PEOPLE = {"root": "admin", "alice": "client", "mary": "manager", "rita": "reviewer"}


def migrated() -> Path:
    """A data directory with all tables in its SQLite and nothing else, to be copied; made by the first who asks."""
    folder = servers.run_folder()
    with servers.locked(folder / "migrated.lock"):
        if not (folder / "migrated").exists():
            environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "migrating")}
            command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(command, check=True, cwd=PROJECT, env=environ)
            (folder / "migrating" / "secret_key").unlink(missing_ok=True)
            (folder / "migrating").rename(folder / "migrated")
    return folder / "migrated"


class Box:
    """One data directory, and the `serve` that runs over it, if any. Further ones may share its database.

    Its own SQLite has its tables already: how they are made at a first start is shown once (tests/auth, tests/storage).
    """

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = {name: os.environ[name] for name in HANDED_DOWN if name in os.environ}
        self.environ |= {"DATA_DIR": str(folder / "data")} | environ
        if "DATABASE_URL" not in environ:
            shutil.copytree(migrated(), folder / "data", dirs_exist_ok=True)
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self._log = (folder / f"serve-{id(self)}.log").open("w")

    def serve(self, port: int = 0, workers: int = 2) -> Box:
        command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", str(workers)]
        self.process = subprocess.Popen(
            command, cwd=PROJECT, env=self.environ, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"serving on (\S+?)/?\s*$", line):
                self.url = found[1]
                return self
        raise AssertionError(f"serve did not start: {Path(self._log.name).read_text()[-3000:]}")

    def manage(self, *words: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=PROJECT, env=self.environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def add_people(self, workers: int = 5) -> dict[str, str]:
        """The staff and some workers: tokens by name."""
        people = PEOPLE | {f"worker{i + 1}": "worker" for i in range(workers)}
        file = self.folder / "people.csv"
        file.write_text("name,role\n" + "".join(f"{name},{role}\n" for name, role in people.items()))
        rows = list(csv.DictReader(io.StringIO(self.manage("adduser", "--file", str(file)))))
        return {row["name"]: row["token"] for row in rows}

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.communicate(timeout=20)
        self._log.close()

    def kill(self) -> None:
        """kill -9 of `serve` itself; its children end by themselves."""
        assert self.process is not None
        children = self.children()
        self.process.kill()
        self.process.communicate()
        until(lambda: not [pid for pid in children if alive(pid)], "the children's end", 20)

    def kill_child(self, kind: str) -> None:
        """kill -9 of the web server ("config.web") or of a job worker ("work")."""
        pid = next(pid for pid, line in self.children().items() if kind in line.split())
        os.kill(pid, signal.SIGKILL)

    def children(self) -> dict[int, str]:
        """Command lines of the processes that `serve` started, by pid."""
        assert self.process is not None
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid:
                found[int(path.name)] = line
        return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true: Callable[[], Any], what: str, seconds: float = 240) -> Any:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.25)
    raise AssertionError(f"waited {seconds} s for {what} in vain")


class Api:
    """One person's REST calls; every answer is held against the OpenAPI schema that the server itself gives out."""

    schemas: dict[str, dict[str, Any]] = {}

    def __init__(self, url: str, token: str) -> None:
        self.headers = {"Authorization": f"Token {token}"}
        self.url = url

    def get(self, path: str, *codes: int) -> Any:
        return self._said("GET", path, codes or (200,))

    def post(self, path: str, body: Any = None, *codes: int, **more: Any) -> Any:
        return self._said("POST", path, codes or (200, 201, 202), json=body, **more)

    def raw(self, path: str) -> bytes:
        answer = httpx.get(f"{self.url}{path}", headers=self.headers, timeout=120)
        assert answer.status_code == 200, answer.text[:500]
        return answer.content

    def _said(self, method: str, path: str, codes: tuple[int, ...], **more: Any) -> Any:
        answer = self._patiently(method, path, **more)
        assert answer.status_code in codes, f"{method} {path}: {answer.status_code} {answer.text[:1500]}"
        self._check(method, path, answer)
        return answer.json() if answer.content else None

    def _patiently(self, method: str, path: str, **more: Any) -> httpx.Response:
        for attempt in range(8):
            try:
                return httpx.request(method, f"{self.url}/api/v1{path}", headers=self.headers, timeout=120, **more)
            except httpx.TransportError:  # a server that was killed is back in a moment
                if attempt == 7:
                    raise
                time.sleep(0.5 * 2**attempt)
        raise AssertionError

    def _check(self, method: str, path: str, answer: httpx.Response) -> None:
        schema = self._schema()
        plain = path.split("?")[0]
        for route, verbs in schema["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route.removeprefix("/api/v1")))
            if re.fullmatch(pattern, plain) and method.lower() in verbs:
                responses = verbs[method.lower()]["responses"]
                break
        else:
            raise AssertionError(f"{method} {path} is not in the schema")
        said = responses.get(str(answer.status_code)) or responses.get("default")
        assert said is not None, f"{method} {path}: {answer.status_code} is not in the schema"
        content = said.get("content") or {}
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if answer.content and kind in content and "json" in kind:
            whole = content[kind]["schema"] | {"components": schema["components"]}
            errors = Draft202012Validator(whole).iter_errors(answer.json())
            wrong = [f"{e.json_path}: {e.message[:200]}" for e in errors]
            assert not wrong, f"{method} {path}: {wrong}"

    def _schema(self) -> dict[str, Any]:
        if self.url not in self.schemas:
            answer = httpx.get(f"{self.url}/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
            self.schemas[self.url] = answer.json()
        return self.schemas[self.url]
