"""A TCP proxy that cuts connections where a test says so, or lets them pass slowly."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Plan:
    """What becomes of one connection: it is cut after so many bytes from the client (`up`) or to it (`down`)."""

    up: float = float("inf")
    down: float = float("inf")
    up_per_s: float = float("inf")


@dataclass
class Passed:
    """What went over one connection."""

    up: bytearray = field(default_factory=bytearray)
    down: bytearray = field(default_factory=bytearray)

    def heads(self, name: str) -> list[str]:
        """The values of a header in what the client sent."""
        lines = bytes(self.up).decode("latin-1").split("\r\n")
        return [line.split(": ", 1)[1] for line in lines if line.lower().startswith(f"{name.lower()}: ")]


def heads(passed: list[Passed], name: str) -> list[str]:
    """The values of a header over several connections: a busy site may end one between two requests."""
    return [value for each in passed for value in each.heads(name)]


class Proxy:
    """Before the site at `url`. The first connection gets the first plan, and so on; then nothing is cut."""

    def __init__(self, url: str, *plans: Plan) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._site = (host, int(port))
        self._plans = list(plans)
        self.passed: list[Passed] = []
        self._sites: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._sites):
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                plan = self._plans.pop(0) if self._plans else Plan()
                self.passed.append(passed := Passed())
                site = socket.create_connection(self._site)
                self._sites.append(site)
                forth = (client, site, passed.up, plan.up, plan.up_per_s)
                back = (site, client, passed.down, plan.down, float("inf"))
                for way in (forth, back):
                    threading.Thread(target=self._pass, args=(way, client, site), daemon=True).start()

    def _pass(self, way: tuple[socket.socket, socket.socket, bytearray, float, float], *ends: socket.socket) -> None:
        _pass_on(*way)
        client, site = ends
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()
        # Closed at once, it would answer what the site sends with a reset, and what the site has not read yet is lost.
        with contextlib.suppress(OSError):
            site.shutdown(socket.SHUT_WR)


def _pass_on(source: socket.socket, to: socket.socket, seen: bytearray, most: float, per_s: float) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(16 << 10):
            chunk = chunk[: int(min(len(chunk), most - len(seen)))]
            to.sendall(chunk)
            seen += chunk
            if len(seen) >= most:
                break
            time.sleep(len(chunk) / per_s)
