from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.migrating import migrate
from config import children

STOP_S = 8


class Command(BaseCommand):
    """One box: migrations, web server and job workers, as one foreground command that owns its children."""

    help = "Runs everything on this machine until it is told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="0 takes any that is free")
        parser.add_argument("--workers", type=int, default=2, help="how many job workers")

    def handle(self, *args: object, **options: object) -> None:
        if options["workers"] < 0:
            raise CommandError("--workers cannot be negative")
        over = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: over.set())
        with _listening(options["host"], options["port"]) as listener:
            migrate()
            processes = [_web(listener), *(job_worker(number) for number in range(1, options["workers"] + 1))]
            self._run(processes, over, listener.getsockname()[1], options["host"])

    def _run(self, processes: list[children.Child], over: threading.Event, port: int, host: str) -> None:
        try:
            for child in processes:
                child.start()
            self._greet(host, port)
            while not over.wait(0.2):
                for child in processes:
                    child.tend(self._say)
        finally:
            children.stop(processes, STOP_S)
        self._say("stopped")

    def _greet(self, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        self._say(f"serving on {settings.PUBLIC_URL or f'http://{shown}:{port}/'}")
        if host not in ("127.0.0.1", "localhost", "::1") and not os.environ.get("ALLOWED_HOSTS"):
            names = ", ".join(settings.ALLOWED_HOSTS)
            self._say(f"only requests for {names} are answered: set PUBLIC_URL or ALLOWED_HOSTS for other names")

    def _say(self, words: str) -> None:
        self.stdout.write(f"trackweave: {words}")
        self.stdout.flush()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that a port in use is said at once and a restarted server loses no request."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            told = f"port {port} of {host} is in use: end what uses it, or choose another with --port"
        else:
            told = f"{host}:{port} cannot be listened on: {error}"
        raise CommandError(told) from None
    return listener


def _web(listener: socket.socket) -> children.Child:
    command = [sys.executable, "-m", "config.web", str(listener.fileno()), str(os.getpid())]
    environ = {"TRACKWEAVE_PROCESS": "web", "PYTHONPATH": str(settings.BASE_DIR)}
    return children.Child("the web server", command, fds=[listener.fileno()], environ=environ)


def job_worker(number: int) -> children.Child:
    """A job worker that ends with this process, not started yet."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "work", "--parent", str(os.getpid())]
    return children.Child(f"job worker {number}", command)
