"""The child process in which uploads are opened. Run as a script, in isolated mode, by `sandbox.start`.

The first message on standard input says what to run and under which limits. They are in force before numpy and libav
are loaded. Standard input stays open as a lifeline: when it ends, or the parent changes, the child ends at once, also
in the middle of a decoder's work.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from pathlib import Path

_WATCH_S = 0.5


def _root_on_path() -> None:
    """Isolated mode leaves the script's folder out; only our own root is added back."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def _private_output() -> int:
    """The pipe to the parent, kept from libraries that print: their output goes the way of errors."""
    out = os.dup(1)
    os.dup2(2, 1)
    return out


def _listen(inbox: object, requests: queue.SimpleQueue, parent: int) -> None:
    from annotation.media.wire import Closed, Late

    while True:
        try:
            requests.put(inbox.receive(time.monotonic() + _WATCH_S))  # type: ignore[attr-defined]
        except Late:
            if os.getppid() != parent:
                os._exit(1)
        except Closed:
            os._exit(0)


def main() -> None:
    _root_on_path()
    parent = os.getppid()
    out = _private_output()
    from annotation.media import confinement
    from annotation.media.wire import Inbox, send

    inbox = Inbox(0)
    first = inbox.receive()
    head = first.head
    if head.get("waited_for"):
        confinement.die_with_parent(parent)
    alone = confinement.cut_network()
    limits = head["limits"]
    confinement.limit(limits["memory"], limits["cpu_s"], limits["output_bytes"])  # type: ignore[index]
    confinement.give_up_privileges()
    requests: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inbox, requests, parent), daemon=True).start()
    from annotation.media import child_work

    send(out, {"ready": True, "network": not alone})
    child_work.run(first, requests, out)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
