"""One look a second at a project's figures for everybody in this process who watches it, however many they are.

Where a look takes long it comes less often.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

Snapshot = dict[str, Any]
log = logging.getLogger("trackweave.live")
EVERY_S = 1.0
# What a look costs grows with the project: no more than this share of the time goes into looking.
SHARE = 0.1
# Time alone moves some figures and no number: what an hour held, leases that ran out, alarms that nothing happens.
ANEW_EVERY_S = 30.0


class Watch:
    """The newest snapshot of one project, kept fresh while anybody waits for it.

    `seq` and `progress` are awaited in turn: the cheap number first, the figures only when it moved, or now and then
    anyway. A slow watcher misses snapshots, never the newest one, and holds up nobody.
    """

    def __init__(self, seq: Callable[[], Awaitable[int]], progress: Callable[[], Awaitable[Snapshot]]) -> None:
        self._seq, self._progress = seq, progress
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._anew_at = 0.0
        self.watchers = 0
        self.snapshot: Snapshot | None = None

    def start(self) -> None:
        self.watchers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        self.watchers -= 1
        if self.watchers == 0 and self._task is not None:
            self._task.cancel()
            self._task = None

    async def newer_than(self, seen: Snapshot | None) -> Snapshot:
        """The newest snapshot, once it is another one than `seen`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.snapshot is not seen)
            assert self.snapshot is not None
            return self.snapshot

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._look()
            except asyncio.CancelledError:
                raise
            except Exception:  # the next look may go well
                log.exception("the figures could not be read")
            took = time.monotonic() - began
            await asyncio.sleep(max(EVERY_S, took / SHARE - took))

    async def _look(self) -> None:
        old, fresh = self.snapshot, time.monotonic() < self._anew_at
        if old is not None and fresh and await self._seq() == old["seq"]:
            return
        progress = await self._progress()
        self._anew_at = time.monotonic() + ANEW_EVERY_S
        if old is not None and progress == old["progress"]:
            return
        async with self._changed:
            self.snapshot = {"seq": progress["seq"], "progress": progress}
            self._changed.notify_all()
