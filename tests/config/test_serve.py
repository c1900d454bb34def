"""`manage.py serve` as one box runs it: real processes, real sockets, real signals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.config.test_workers import eventually
from tests.conftest import PROJECT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]
WITHIN_S = 10


class Site:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = ""
        for line in process.stdout:
            if found := re.search(r"serving on (\S+)", line):
                self.url = found[1]
                break
        assert self.url, f"it ended with {process.wait()}"

    def children(self) -> dict[int, str]:
        """The processes that `serve` has started, by pid."""
        return {pid: line for pid, line in processes() if f" {self.process.pid}" in line}

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}health/ready", timeout=30).status_code == 200
        except httpx.TransportError:
            return False


def processes() -> Iterator[tuple[int, str]]:
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            yield int(path.name), line


@pytest.fixture
def serve(child_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Site]]:
    started: list[subprocess.Popen] = []

    def serve(*words: str) -> Site:
        command = [sys.executable, "manage.py", "serve", "--port", "0", "--workers", "1", *words]
        environ = {**child_env, "DATA_DIR": str(tmp_path)}
        how = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
        process = subprocess.Popen(command, cwd=PROJECT, env=environ, **how)
        started.append(process)
        return Site(process)

    yield serve
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_serves_until_it_is_told_to_stop(serve: Callable[..., Site]) -> None:
    site = serve()
    eventually(site.answers)
    children = site.children()
    assert len(children) == 2
    assert httpx.get(f"{site.url}api/v1/schema/", timeout=60).json()["openapi"].startswith("3.1")
    before = time.monotonic()
    os.killpg(site.process.pid, signal.SIGTERM)  # as a supervisor or a closed terminal does it: to the whole group
    assert site.process.wait(60) == 0
    assert time.monotonic() - before < WITHIN_S
    assert not children.keys() & dict(processes()).keys()


def test_when_it_is_killed_its_children_end_by_themselves(serve: Callable[..., Site]) -> None:
    site = serve()
    eventually(site.answers)
    children = site.children()
    assert len(children) == 2
    site.process.kill()
    site.process.wait()
    eventually(lambda: not children.keys() & dict(processes()).keys(), within_s=5)


def test_a_child_that_is_killed_is_started_again(serve: Callable[..., Site]) -> None:
    site = serve()
    eventually(site.answers)
    killed = site.children()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(site.children().keys() - killed.keys()) == 2)
    eventually(site.answers)


def test_a_port_in_use_is_said_at_once(child_env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "manage.py", "serve", "--port", port]
        ran = subprocess.run(command, cwd=PROJECT, env=child_env, capture_output=True, text=True)
    assert ran.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", "99999"), ("no.such.host.invalid", "0")])
def test_an_address_that_is_none_is_said(child_env: dict[str, str], host: str, port: str) -> None:
    command = [sys.executable, "manage.py", "serve", "--host", host, "--port", port]
    ran = subprocess.run(command, cwd=PROJECT, env=child_env, capture_output=True, text=True)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    assert "cannot be listened on" in ran.stderr
