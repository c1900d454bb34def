"""A TCP proxy before PostgreSQL that now and then swallows the reply of a COMMIT and cuts the connection.

What was committed stays committed, and whoever asked for it never hears so. Run as a process of its own:
`python -m tests.races.storm.proxy SOCKET ONE_IN SEED TALLY`; prints its port; a line in TALLY for each reply swallowed.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Proxy:
    def __init__(self, socket: str, one_in: int, seed: int, tally: Path) -> None:
        self.socket, self.one_in, self.tally = socket, one_in, tally
        self.random = random.Random(seed)

    def swallows(self, chunk: bytes) -> bool:
        return COMMIT in chunk and self.random.randrange(self.one_in) == 0

    def note(self, reply: bytes) -> None:
        with self.tally.open("a") as file:
            file.write(f"{len(reply)}\n")


class Client(asyncio.Protocol):
    """A connection from the site, and through it one to the server."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy, self.deaf = proxy, False
        self.server: Server | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.pause_reading()
        self.reaching = asyncio.create_task(self._reach())

    async def _reach(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, self.server = await loop.create_unix_connection(lambda: Server(self), self.proxy.socket)
            if self.transport.is_closing():
                self.server.transport.abort()
            else:
                self.transport.resume_reading()
        except OSError:  # the server is away; so is, for the client, this connection
            self.transport.abort()

    def data_received(self, chunk: bytes) -> None:
        self.deaf = self.deaf or self.proxy.swallows(chunk)
        if self.server is not None:
            self.server.transport.write(chunk)

    def connection_lost(self, error: Exception | None) -> None:
        if self.server is not None:
            self.server.transport.abort()


class Server(asyncio.Protocol):
    """The other half of a client's connection."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, chunk: bytes) -> None:
        if self.client.deaf:
            self.client.proxy.note(chunk)
            self.client.transport.abort()
            self.transport.abort()
        else:
            self.client.transport.write(chunk)

    def connection_lost(self, error: Exception | None) -> None:
        self.client.transport.abort()


async def main(socket: str, one_in: str, seed: str, tally: str) -> None:
    proxy = Proxy(socket, int(one_in), int(seed), Path(tally))
    server = await asyncio.get_running_loop().create_server(lambda: Client(proxy), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
