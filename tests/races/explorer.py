"""Two sessions on a real PostgreSQL that go on one statement at a time, as somebody chooses; see `orders` for who.

A session that waits for a lock (`pg_blocking_pids` says so) is left waiting while the other goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from django.db import connection, transaction
from django.db.utils import OperationalError

from annotation.errors import Problem

Verb = Callable[[], Any]
# Of the sessions that could go on, with the statement that each would send, which one does.
Choose = Callable[[Mapping[int, str]], int]
POLL_S = 0.002
PATIENCE_S = 20.0
DEADLOCK = "deadlock"
COMMIT = "COMMIT"
# Both end in the same state whoever comes first, and nobody sees one of another session.
UNSEEN = ("SAVEPOINT", "RELEASE")


class Left(Exception):
    """The test is over while a session was still in the middle of something."""


class Session:
    """A thread with a connection of its own that does one transaction at a time, a statement for each `go`."""

    def __init__(self, name: str) -> None:
        self.changed = threading.Condition()
        self.allowed = 0
        self.waiting = self.done = self.leaving = False
        self.verb: Verb | None = None
        self.outcome: Any = None
        self.next = ""  # the statement that it will send when it may go on
        self.pid = 0
        self.thread = threading.Thread(target=self._live, name=name, daemon=True)
        self.thread.start()

    def begin(self, verb: Verb) -> None:
        with self.changed:
            self.allowed, self.waiting, self.done, self.outcome, self.verb = 0, False, False, None, verb
            self.changed.notify_all()
        self.be_still()

    def go(self) -> None:
        """One more statement; returns when it is done, or waits for a lock."""
        with self.changed:
            self.waiting = False
            self.allowed += 1
            self.changed.notify_all()
        self.be_still()

    def blocked(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", [self.pid])
            return cursor.fetchone()[0] > 0

    def settled(self) -> bool:
        """Whether it is at a pause or at its end (and not on its way, or waiting for a lock)."""
        return self.waiting or self.done

    def leave(self) -> None:
        with self.changed:
            self.leaving = True
            self.changed.notify_all()
        self.thread.join(PATIENCE_S)

    def be_still(self) -> None:
        """Until it pauses, ends, or waits for a lock."""
        for _ in range(int(PATIENCE_S / POLL_S)):
            with self.changed:
                if self.changed.wait_for(self.settled, POLL_S):
                    return
            if self.blocked():
                return
        raise AssertionError("a session neither went on nor waited for a lock")

    def _live(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '20ms'; SELECT pg_backend_pid()")
            cursor.nextset()
            self.pid = cursor.fetchone()[0]
        try:
            while True:
                with self.changed:
                    self.changed.wait_for(lambda: self.verb is not None or self.leaving)
                    verb, self.verb = self.verb, None
                if verb is None:
                    return
                outcome = self._do(verb)
                with self.changed:
                    self.outcome, self.done = outcome, True
                    self.changed.notify_all()
        finally:
            connection.close()

    def _do(self, verb: Verb) -> Any:
        try:
            with connection.execute_wrapper(self._gate):
                return as_request(verb, before_commit=lambda: self._pause(COMMIT))
        except OperationalError as error:
            return DEADLOCK if "deadlock" in str(error) else repr(error)
        except Exception as error:  # noqa: BLE001  the test looks at it
            return repr(error)

    def _gate(self, execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(UNSEEN):
            self._pause(sql)
        return execute(sql, params, many, context)

    def _pause(self, sql: str) -> None:
        with self.changed:
            self.waiting, self.next = True, sql
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.allowed > 0 or self.leaving)
            if self.leaving:
                raise Left
            self.allowed -= 1
            self.waiting = False


def as_request(verb: Verb, *, before_commit: Callable[[], None] = lambda: None) -> Any:
    """What the REST API makes of a verb: one transaction, kept where the error says so. The error's name, or "ok"."""
    try:
        with transaction.atomic():
            answer, kept = _kept(verb)
            before_commit()
    except Problem as problem:
        return type(problem).__name__
    return type(kept).__name__ if kept else ("ok" if answer is None else answer)


def _kept(verb: Verb) -> tuple[Any, Problem | None]:
    try:
        return verb(), None
    except Problem as problem:
        if not problem.keeps:
            raise
        return None, problem


class Explorer:
    """Two sessions and the rows that every run starts from."""

    TABLES = (
        "annotation_job",
        "annotation_trackset",
        "crowd_batch",
        "crowd_batchvideo",
        "crowd_task",
        "crowd_assignment",
        "crowd_transition",
        "crowd_draft",
        "crowd_latebody",
        "crowd_ledgerentry",
        "crowd_dispute",
        "crowd_payout",
        "crowd_payoutline",
        "crowd_payoutitem",
        "crowd_payoutstep",
        "crowd_sanction",
        "annotation_idempotencykey",
    )

    def __enter__(self) -> Explorer:
        self.stack = ExitStack()
        self.pair = (Session("first"), Session("second"))
        for session in self.pair:
            self.stack.callback(session.leave)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def remember(self) -> None:
        """From here on every run starts."""
        remember(self.TABLES)

    def run(self, verbs: tuple[Verb, Verb], choose: Choose) -> tuple[Any, Any]:
        """What became of each verb, where `choose` says at each step whose statement is next."""
        restore(self.TABLES)
        for session, verb in zip(self.pair, verbs, strict=True):
            session.begin(verb)
        deadline = time.monotonic() + PATIENCE_S * 3
        while not all(session.done for session in self.pair):
            assert time.monotonic() < deadline, "the two never came to an end"
            if ready := {i: session.next for i, session in enumerate(self.pair) if session.waiting}:
                self.pair[choose(ready)].go()
            for session in self.pair:  # a lock may have come free
                session.be_still()
        return self.pair[0].outcome, self.pair[1].outcome


def remember(tables: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS remembered")
        for table in tables:
            cursor.execute(f"DROP TABLE IF EXISTS remembered.{table}")
            cursor.execute(f"CREATE TABLE remembered.{table} AS TABLE public.{table}")


def restore(tables: tuple[str, ...]) -> None:
    lines = ["SET session_replication_role = replica"]
    for table in tables:
        lines.append(f"DELETE FROM public.{table}")
        lines.append(f"INSERT INTO public.{table} SELECT * FROM remembered.{table}")
    lines.append("SET session_replication_role = origin")
    with connection.cursor() as cursor:
        cursor.execute(";".join(lines))
