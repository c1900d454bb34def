"""What was acknowledged is stored, once, whatever dies: PostgreSQL, web server, job workers, the reply of a COMMIT."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import PROJECT
from tests.races.storm.crowd import Crowd, Worker
from tests.races.storm.postgres import Cluster

SEATS = int(os.environ.get("STORM_SEATS", "20400"))
WORKERS, JOB_WORKERS = 16, 2
CYCLES = 6
BLOWS = ("postgres", "web", "jobs")
PROCESSES = {"web": "config.web", "jobs": "manage.py work"}
STANDSTILL_S = 900
ONE_COMMIT_IN = 60
SEED = 11


class Site:
    """`manage.py serve` on a database behind the proxy, and everything that it stands on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack, self.looked_at = folder, ExitStack(), 0.0
        self.cluster = Cluster(servers.run_folder() / "storm")
        self.cluster.start()
        self.stack.callback(self.cluster.crash)
        self.tally = folder / "swallowed"
        secret = "the storm's own key, which nobody else has, and that is long enough 0123456789"
        self.environ = {**os.environ, "DATA_DIR": str(folder), "SECRET_KEY": secret, "PYTHONPATH": str(PROJECT)}
        self.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": self.cluster.url}

    def call(self, *words: str) -> dict:
        """A module of ours, past the proxy; what it printed."""
        command = [sys.executable, "-m", *words]
        ran = subprocess.run(command, cwd=PROJECT, env=self.environ, stdout=subprocess.PIPE, check=True)
        return json.loads(ran.stdout.splitlines()[-1])

    def migrate(self) -> None:
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=PROJECT, env=self.environ, check=True)

    def serve(self) -> int:
        """The port on which it answers."""
        proxy = [sys.executable, "-m", "tests.races.storm.proxy", str(self.cluster.socket)]
        through = self._started([*proxy, str(ONE_COMMIT_IN), str(SEED), str(self.tally)], self.environ)
        port = int(through.stdout.readline())
        url = f"postgres://trackweave@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"
        command = [sys.executable, "manage.py", "serve", "--port", "0", "--workers", str(JOB_WORKERS)]
        self.process = self._started(command, {**self.environ, "DATABASE_URL": url})
        for line in self.process.stdout:
            if found := re.search(r"serving on http://127.0.0.1:(\d+)", line):
                return int(found[1])
        raise AssertionError("it does not serve")

    def strike(self, kind: str) -> int:
        """A crash of PostgreSQL, or SIGKILL to the web server or to the job workers; how many there were."""
        if kind == "postgres":
            self.cluster.crash()
            self.cluster.start()
            return 1
        pids = self._pids(PROCESSES[kind])
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def let_jobs_wait(self) -> None:
        """Job workers after the web server, where the processor is scarce: requests are what is counted here."""
        if time.monotonic() < self.looked_at + 2:
            return
        self.looked_at = time.monotonic()
        behind = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
        for pid in self._pids(PROCESSES["jobs"]):
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, pid, behind)

    def _pids(self, what: str) -> list[int]:
        """The children of `serve` with these words in their command."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if what in line and line.split()[-1:] == [str(self.process.pid)]:
                    found.append(int(path.name))
        return found

    def _started(self, command: list[str], environ: dict[str, str]) -> subprocess.Popen[str]:
        log = open(self.folder / "log", "a")  # noqa: SIM115  the child's, for as long as it lives
        how = {"cwd": PROJECT, "env": environ, "stdout": subprocess.PIPE, "stderr": log, "text": True}
        process = subprocess.Popen(command, **how)
        log.close()
        self.stack.callback(process.stdout.close)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    with site.stack:
        yield site


def storm(site: Site, crowd: Crowd, workers: list[Worker]) -> Counter[str]:
    """A blow for each further share of the work, until all workers are done; how many of which kind."""
    blows: Counter[str] = Counter()
    kinds = itertools.cycle(BLOWS)
    kind, thresholds = next(kinds), [SEATS * (n + 1) // (3 * CYCLES + 1) for n in range(3 * CYCLES)]
    began = came_at = time.monotonic()
    seen = 0
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.05)
        site.let_jobs_wait()
        if crowd.acknowledged > seen:
            seen, came_at = crowd.acknowledged, time.monotonic()
        assert time.monotonic() - came_at < STANDSTILL_S, f"nothing goes on: {seen} acknowledged, {crowd.asked_again}"
        if thresholds and seen >= thresholds[0] and (hit := site.strike(kind)):
            blows[kind] += hit
            thresholds.pop(0)
            print(f"{time.monotonic() - began:.0f} s: {seen} acknowledged, then {hit} x {kind}", flush=True)
            kind = next(kinds)
    return blows


@pytest.mark.long
@pytest.mark.races
@pytest.mark.timeout(7200)
def test_what_was_acknowledged_is_stored_once_whatever_dies(site: Site, tmp_path: Path) -> None:
    site.migrate()
    work = site.call("tests.races.storm.work", "open", str(SEATS), str(WORKERS))
    crowd = Crowd(site.serve(), work["project"], tmp_path / "journal")
    crowd.journal.touch()
    hands = zip(work["tokens"], work["held"], strict=True)
    workers = [Worker(crowd, f"worker{i}", token, held) for i, (token, held) in enumerate(hands)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    blows = storm(site, crowd, workers)
    swallowed = len(site.tally.read_text().splitlines())
    took_s = time.monotonic() - began
    site.process.terminate()
    assert site.process.wait(20) == 0
    found = site.call("tests.races.storm.work", "check", str(crowd.journal))
    print(f"{took_s:.0f} s; {dict(blows)}; {swallowed} replies swallowed; {dict(crowd.asked_again)}; {found}")
    assert crowd.errors == []
    assert blows["postgres"] == CYCLES and blows["web"] >= CYCLES and blows["jobs"] >= CYCLES and swallowed > CYCLES
    assert found == {
        "acknowledged": SEATS,
        "lost": [],
        "acknowledged twice": 0,
        "submitted": SEATS,
        "track sets": SEATS,
        "moves doubled": [],
        "keys": SEATS,
        "unjudged": 0,
        "broken": {},
    }
