"""The web server of `serve`: uvicorn on a socket that its parent holds, so that a restart refuses nobody."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time

import uvicorn

GRACE_S = 4


def main(fd: int, parent: int) -> None:
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    config = uvicorn.Config(
        "config.asgi:application",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ws_max_size=64 * 1024,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=fd)])


def _end_with(parent: int) -> None:
    """Where the system does not end orphans itself, the change of the parent tells."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
