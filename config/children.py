"""The child processes of `serve`: started, restarted when they end, and ended with their parent, however that ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
LONGEST_PAUSE_S = 10.0


@dataclass
class Child:
    """A command that is kept running. One that ends at once, again and again, is restarted ever more slowly."""

    name: str
    command: Sequence[str]
    fds: Sequence[int] = ()
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None
    started: float = 0.0
    pause_s: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            pass_fds=self.fds,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            # Ctrl-C in a terminal reaches a whole group; the children are told by their parent instead.
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid()),
        )

    def tend(self, say: Callable[[str], object]) -> None:
        """Starts it again if it has ended."""
        if self.process is None or self.process.poll() is None:
            return
        ran_s = time.monotonic() - self.started
        if ran_s < self.pause_s:
            return
        self.pause_s = 0.0 if ran_s > LONGEST_PAUSE_S else min(max(2 * self.pause_s, 0.5), LONGEST_PAUSE_S)
        if ran_s < self.pause_s:
            say(f"{self.name} ended at once ({_how(self.process.returncode)}); trying again in {self.pause_s:g} s")
            return
        say(f"{self.name} ended ({_how(self.process.returncode)}); starting it again")
        self.start()


def stop(children: Sequence[Child], within_s: float) -> None:
    """SIGTERM to all, and SIGKILL to what is left after `within_s`."""
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + within_s
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    for process in running:
        process.kill()
        process.wait()


def _how(returncode: int) -> str:
    return f"killed by {signal.Signals(-returncode).name}" if returncode < 0 else f"exit code {returncode}"


def _dying_with(parent: int) -> Callable[[], None]:
    """For the child, before it becomes its command: Linux kills it when the thread that started it ends."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None

    def tie() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the tie was made
            os._exit(1)

    return tie
