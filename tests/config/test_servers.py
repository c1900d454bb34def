"""The servers that tests start: found on the machine or in wheels, and gone when the run is over, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests import servers
from tests.config.test_workers import eventually
from tests.conftest import PROJECT

RUN = """
import os, sys, psycopg, redis
from tests import servers
folder = servers.run_folder()
servers.start_postgres()
with psycopg.connect(host=f"{folder}/postgres", user="trackweave", dbname="postgres") as connection:
    assert connection.execute("SELECT 1").fetchone() == (1,)
with redis.from_url(servers.redis_url()) as client:
    assert client.ping()
print(folder, flush=True)
sys.stdin.readline()
servers.stop_all()
"""


def run(**environ: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in (servers.FOLDER, servers.OWNER)}
    return subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=PROJECT,
        env={**kept, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_servers_from_wheels_start_as_any_user_and_leave_nothing() -> None:
    before = {path: path.stat().st_mode for path in Path(sys.prefix).resolve().parents}
    with run(**{servers.WHEELS: "1"}) as process:
        folder = Path(process.stdout.readline().strip())
        assert (folder / "postgres").is_dir()
        process.communicate("stop\n")
    assert process.returncode == 0
    assert not folder.exists()
    assert {path: path.stat().st_mode for path in before} == before


def test_servers_end_with_a_run_that_was_killed() -> None:
    with run() as process:
        folder = Path(process.stdout.readline().strip())
        keepers = [int(path.read_text()) for path in folder.glob("*.keeper")]
        process.kill()
    assert (process.returncode, len(keepers)) == (-signal.SIGKILL, 2)
    eventually(lambda: not folder.exists())
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in keepers))
