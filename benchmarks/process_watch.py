"""What the processes of a running server take: the most memory that each had, and processor seconds by kind.

Read from /proc some times a second. The kernel keeps each process's greatest resident memory, so only what a process
takes in its last fraction of a second can be missed; seconds of children that ended are in their parents' accounts.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

EVERY_S = 0.2
TICKS = os.sysconf("SC_CLK_TCK")
KINDS = (("web server", "config.web"), ("job worker", "manage.py work"), ("serve", "manage.py serve"))
DATABASE, CHILD = "database", "child"


class Watch:
    """Watches the trees of processes under some pids until it is stopped. `mib` is the most of each kind that was
    alive since the stage began."""

    def __init__(self, *roots: int) -> None:
        self.roots = roots
        self.mib: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            for pid, kind in self._processes():
                self.mib[kind] = max(self.mib.get(kind, 0.0), most_mib(pid))

    def _processes(self) -> Iterator[tuple[int, str]]:
        children: dict[int, list[int]] = {}
        for path in Path("/proc").glob("[0-9]*"):
            if stat := stat_of(int(path.name)):
                children.setdefault(int(stat[1]), []).append(int(path.name))
        todo = list(self.roots)
        while todo:
            pid = todo.pop()
            todo += children.get(pid, [])
            yield pid, kind_of(pid)

    def seconds(self) -> Counter[str]:
        """Processor seconds by kind since each process began; those of children that ended count as `CHILD`."""
        spent: Counter[str] = Counter()
        for pid, kind in self._processes():
            if stat := stat_of(pid):
                own, waited = sum(map(int, stat[11:13])) / TICKS, sum(map(int, stat[13:15])) / TICKS
                spent[kind] += own
                spent[kind if kind == DATABASE else CHILD] += waited
        return spent

    def stage(self, work: Callable[[], object]) -> tuple[Counter[str], dict[str, float]]:
        """Seconds by kind that some work took, and the most memory that each kind had by its end, in MiB."""
        before, self.mib = self.seconds(), {}
        work()
        time.sleep(2 * EVERY_S)
        after = self.seconds()
        return Counter({kind: after[kind] - before[kind] for kind in after}), dict(self.mib)


def stat_of(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name, or None of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def kind_of(pid: int) -> str:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return CHILD
    if "postgres" in line.partition(" ")[0]:
        return DATABASE
    return next((kind for kind, words in KINDS if words in line), CHILD)


def most_mib(pid: int) -> float:
    """The greatest resident memory that a process ever had."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)
