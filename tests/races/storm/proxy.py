"""A TCP proxy before PostgreSQL that now and then swallows the reply of a COMMIT and cuts the connection.

What was committed stays committed, and whoever asked for it never hears so. Run as a process of its own:
`python -m tests.races.storm.proxy SOCKET ONE_IN SEED TALLY`; prints its port; a line in TALLY for each reply swallowed.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
AT_ONCE = 1 << 16


class Proxy:
    def __init__(self, socket: str, one_in: int, seed: int, tally: Path) -> None:
        self.socket, self.one_in, self.tally = socket, one_in, tally
        self.random = random.Random(seed)

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        to_server = None
        try:
            server, to_server = await asyncio.open_unix_connection(self.socket)
            deaf = asyncio.Event()
            ways = [self._forth(client, to_server, deaf), self._back(server, to_client, deaf)]
            tasks = [asyncio.create_task(way) for way in ways]
            _, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            pass  # the server is away; so is, for the client, this connection
        finally:
            for writer in (to_client, to_server):
                if writer is not None:
                    writer.transport.abort()

    async def _forth(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, deaf: asyncio.Event) -> None:
        while chunk := await client.read(AT_ONCE):
            if COMMIT in chunk and self.random.randrange(self.one_in) == 0:
                deaf.set()
            to_server.write(chunk)
            await to_server.drain()

    async def _back(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, deaf: asyncio.Event) -> None:
        while chunk := await server.read(AT_ONCE):
            if deaf.is_set():
                with self.tally.open("a") as file:
                    file.write(f"{len(chunk)}\n")
                return
            to_client.write(chunk)
            await to_client.drain()


async def main(socket: str, one_in: str, seed: str, tally: str) -> None:
    proxy = Proxy(socket, int(one_in), int(seed), Path(tally))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
