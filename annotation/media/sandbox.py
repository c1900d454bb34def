"""Children in which uploads are opened, seen from the parent.

`run` starts one child for one function. What goes wrong in it comes back as one of six errors: Rejected (the file),
FrameUndecodable or an IndexError or ValueError (the question), LimitReached (too much memory, time or output, or a
decoder that crashed), OSError (the disk), Killed (the machine). The parent itself never opens an upload.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

from annotation.media.errors import FrameUndecodable, Killed, LimitReached, MediaError, Rejected
from annotation.media.limits import MIB, Limits
from annotation.media.wire import Closed, Inbox, Late, Message, TooLong, send

CHILD = Path(__file__).with_name("child.py")
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_STARTUP_S = 60.0
_TAIL = 2000

_OVER = {
    "memory": "The video needs more than {memory} MiB of memory to decode. Scale it down and upload it again.",
    "time": "The video takes longer to read than it may. Cut it into parts or export it again as mp4 (H.264).",
    "output": "The file written would be larger than {output} MiB. Cut the video into shorter parts.",
    "crash": "The video makes its decoder crash. Export it again as mp4 (H.264) and upload that.",
}

_KILLED = "The machine ended the process that read the video, mostly because memory ran out."

_RAISED: dict[str, type[Exception]] = {
    "rejected": Rejected,
    "undecodable": FrameUndecodable,
    "index": IndexError,
    "value": ValueError,
    "missing": FileNotFoundError,
    "disk": OSError,
}


def over(limit: str, limits: Limits) -> LimitReached:
    words = _OVER[limit].format(memory=limits.memory // MIB, output=limits.output_bytes // MIB)
    return LimitReached(words, limit)


def _environment() -> dict[str, str]:
    """Nothing of ours: no settings, no secrets. One thread for numpy's algebra, which is not used."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class Child:
    """One child process with its pipes. `ask` and `answer` are for one thread at a time."""

    def __init__(self, function: str, kwargs: dict[str, object], limits: Limits, *, waited_for: bool) -> None:
        self.limits = limits
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by kill()
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        assert self.process.stdin and self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._inbox = Inbox(self._out, max_bytes=min(limits.output_bytes, 512 * MIB))
        first = {"function": function, "kwargs": kwargs, "limits": asdict(limits), "waited_for": waited_for}
        try:
            self.ask(first)
            ready = self.answer(time.monotonic() + min(_STARTUP_S, limits.wall_s))
            self.has_network = bool(ready.head["network"])
        except BaseException:
            self.kill()
            raise

    def ask(self, head: dict[str, object], payload: bytes = b"") -> None:
        """Send a message. LimitReached or Killed where the child is gone."""
        try:
            send(self._in, head, payload)
        except Closed as error:
            raise self._cause_of_death() from error

    def answer(self, until: float) -> Message:
        """The next message, or what it says went wrong, as an exception."""
        try:
            message = self._inbox.receive(until)
        except Late as error:
            self.kill()
            raise over("time", self.limits) from error
        except TooLong as error:
            self.kill()
            raise over("output", self.limits) from error
        except (Closed, ValueError) as error:
            raise self._cause_of_death() from error
        if "error" in message.head:
            raise self._error(str(message.head["error"]), str(message.head["message"]))
        return message

    def _error(self, kind: str, message: str) -> Exception:
        if kind in _OVER:
            return over(kind, self.limits)
        return _RAISED.get(kind, MediaError)(message)

    def _cause_of_death(self) -> LimitReached | Killed:
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        if code == -signal.SIGXCPU:
            return over("time", self.limits)
        if code == -signal.SIGKILL:  # its own limits never end it so
            return Killed(_KILLED)
        return over("memory" if "MemoryError" in self.last_words() else "crash", self.limits)

    def last_words(self) -> str:
        """The end of what the child wrote to its standard error."""
        if self._errors.closed:
            return ""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _TAIL))
        return self._errors.read().decode(errors="replace")

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """End the child now, and leave no zombie."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            if pipe is not None:
                with suppress(OSError):  # bytes that the child no longer wants
                    pipe.close()


def run(
    function_name: str,
    kwargs: dict[str, object],
    limits: Limits | None = None,
    on_progress: Callable[[dict[str, object]], None] | None = None,
) -> dict[str, object]:
    """Run one of `child_work.FUNCTIONS` in a child of its own and wait for it.

    An exception of `on_progress` ends the child and goes on to the caller: that is how to cancel.
    """
    limits = limits or Limits()
    until = time.monotonic() + limits.wall_s
    child = Child(function_name, kwargs, limits, waited_for=True)
    try:
        while True:
            head = child.answer(until).head
            if "result" in head:
                return head["result"]  # type: ignore[return-value]
            if on_progress and "progress" in head:
                on_progress(head["progress"])  # type: ignore[arg-type]
    finally:
        child.kill()
