"""Settings of a child process whose jobs misbehave: they kill their worker, hang, or write down that they were done."""

from __future__ import annotations

import os
import signal
import time

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.config.poison_jobs"]


def kill(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(path: str) -> None:
    """Waits until it is told to go on, and says that it waits."""
    with open(f"{path}.started", "a") as file:
        file.write("x")
    while not os.path.exists(f"{path}.go"):
        time.sleep(0.05)
    with open(f"{path}.done", "a") as file:
        file.write("x")
