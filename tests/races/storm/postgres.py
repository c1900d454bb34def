"""A PostgreSQL of its own that keeps its promises (fsync, synchronous_commit) and is stopped as a crash stops it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests import servers

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SETTINGS = {"listen_addresses": "", "max_connections": "100", "shared_buffers": "64MB", "log_min_messages": "fatal"}


class Cluster:
    """One data directory; started from the thread that owns it, since it ends with that thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o711)
        self.folder, self.data = folder, folder / "data"
        user = servers._unprivileged()
        self.binaries = servers._postgres_binaries(folder, user)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.become = servers._becoming(user)
        self.environ = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(folder)}
        options = ["-U", "trackweave", "-A", "trust", "-E", "UTF8", "--no-locale"]
        self._run("initdb", "-D", str(self.data), *options)
        self.server: subprocess.Popen | None = None

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        return f"postgres://trackweave@/postgres?host={self.folder}"

    def start(self) -> None:
        """Returns when it answers, after whatever recovery it needs."""
        settings = SETTINGS | DURABLE | {"unix_socket_directories": str(self.folder)}
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = [str(self.binaries / "postgres"), "-D", str(self.data), *words]
        with open(self.folder / "log", "ab") as log:
            how = {"preexec_fn": self.become, "env": self.environ, "cwd": self.folder, "stderr": log}
            self.server = subprocess.Popen(command, **how)
        assert servers._until(lambda: servers._postgres_answers(self.folder), 60), "it does not come up again"

    def crash(self) -> None:
        """`pg_ctl stop -m immediate`: every backend ends at once, nothing is flushed, the next start recovers."""
        assert self.server is not None
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "immediate")
        self.server.wait(30)

    def _run(self, program: str, *words: str) -> None:
        command = [str(self.binaries / program), *words]
        how = {"preexec_fn": self.become, "env": self.environ, "cwd": self.folder, "stdout": subprocess.DEVNULL}
        subprocess.run(command, check=True, **how)
