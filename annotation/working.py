"""A job worker: waits for messages, looks for rows that nobody announced, and sweeps once a minute."""

from __future__ import annotations

import logging
import os
import signal
import time

from django.db import DatabaseError, connections

from annotation import queue
from annotation.memory import keep_freed_memory

LOOK_S = 1
RECLAIM_S = 5
SWEEP_S = 60
# A job that is not done this long after a SIGTERM is given back.
PATIENCE_S = 4
log = logging.getLogger("trackweave.queue")


class Worker:
    """One process that does one job after the other until a SIGTERM, or until its parent is gone.

    A job is done under a lease and counted when it starts, so the worker may be killed at any moment. On SIGTERM it
    finishes the job at hand, or after a few seconds gives it back.
    """

    def __init__(self, *, parent: int | None = None) -> None:
        self.parent = parent
        self.asked_to_stop = False
        self.last: dict[str, float] = {}

    def work(self) -> None:
        keep_freed_memory()
        signal.signal(signal.SIGALRM, self._give_back)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        try:
            while not self._over():
                self._try_turn()
        except queue.Stopping:
            pass
        finally:
            # Python drops its handlers before the process ends: an alarm still set would kill it on its way out.
            signal.signal(signal.SIGALRM, signal.SIG_IGN)

    def _try_turn(self) -> None:
        try:
            self._turn()
        except (DatabaseError, OSError):
            # The database is away: it may come back, and what was queued is still there.
            log.exception("the queue cannot be read; trying again")
            connections.close_all()
            time.sleep(1)

    def _turn(self) -> None:
        key = self._message()
        did = queue.run(key) if key else False
        if not did and self._due("look", LOOK_S):
            until = time.monotonic() + RECLAIM_S  # whatever waits, what was lost is looked for meanwhile
            while not self._over() and queue.run_due() and time.monotonic() < until:
                pass
        if self._due("reclaim", RECLAIM_S):
            queue.reclaim()
        if self._due("sweep", SWEEP_S):
            queue.sweep_all()

    def _message(self) -> str | None:
        """What came, or comes in a moment. Nothing where Redis is away: jobs are found without it, only later."""
        try:
            return queue.receive()
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001  Redis has a family of its own
            log.warning("there are no messages, jobs are looked for without them: %s", error)
            time.sleep(1)
            return None

    def _due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now - self.last.get(what, float("-inf")) < every_s:
            return False
        self.last[what] = now
        return True

    def _over(self) -> bool:
        orphaned = self.parent is not None and os.getppid() != self.parent
        return self.asked_to_stop or orphaned

    def _stop(self, *_: object) -> None:
        if not self.asked_to_stop:
            self.asked_to_stop = True
            signal.alarm(PATIENCE_S)

    def _give_back(self, *_: object) -> None:
        raise queue.Stopping
