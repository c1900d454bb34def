"""One look a second at a project's figures for everybody in this process who watches it, however many they are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

Snapshot = dict[str, Any]
log = logging.getLogger("trackweave.live")
EVERY_S = 1.0


class Watch:
    """The newest snapshot of one project, kept fresh while anybody waits for it.

    `seq` and `progress` are awaited in turn: the cheap number first, the figures only when it moved. A slow watcher
    misses snapshots, never the newest one, and holds up nobody.
    """

    def __init__(self, seq: Callable[[], Awaitable[int]], progress: Callable[[], Awaitable[Snapshot]]) -> None:
        self._seq, self._progress = seq, progress
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
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

    async def newer_than(self, seq: int) -> Snapshot:
        """The newest snapshot, once its number differs from `seq`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.snapshot is not None and self.snapshot["seq"] != seq)
            assert self.snapshot is not None
            return self.snapshot

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except asyncio.CancelledError:
                raise
            except Exception:  # the next look may go well
                log.exception("the figures could not be read")
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> None:
        if self.snapshot is not None and await self._seq() == self.snapshot["seq"]:
            return
        progress = await self._progress()
        async with self._changed:
            self.snapshot = {"seq": progress["seq"], "progress": progress}
            self._changed.notify_all()
