"""Django's SQLite with a queue in front of its one writer.

Who waits for SQLite's write lock asks again ten times a second, in no order, so that a busy neighbour who begins one
transaction after the other starves the rest until they are told "database is locked". Here a transaction first takes
the kernel's lock on a file beside the database (flock), which is handed to those who wait one by one, over threads and
processes, and is let go by itself when a process dies.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import Any

from django.db.backends.sqlite3 import base, operations

SUFFIX = ".queue"


class DatabaseOperations(operations.DatabaseOperations):
    """Moments that compare as what they are, and a flush."""

    def adapt_datetimefield_value(self, value: Any) -> str | None:
        """A moment as SQLite's own clock (`Now`) writes it, with milliseconds.

        Times are compared as text. Django writes microseconds, and then no row that the clock wrote would be at the
        very moment that was read from it: a list in pages, newest first, told the last row of a page once more.
        """
        written = super().adapt_datetimefield_value(value)
        if written is None:
            return None
        whole, _, part = written.partition(".")
        return f"{whole}.{(part or '000').removesuffix('000') or '000'}"

    def sql_flush(self, style: Any, tables: Any, **how: Any) -> list[str]:
        """SQLite has no TRUNCATE: a flush deletes row by row, which the ledger's trigger refuses, as it should."""
        triggers = self._triggers(tables)
        drops = [f"DROP TRIGGER {self.quote_name(name)}" for name, _ in triggers]
        return [*drops, *super().sql_flush(style, tables, **how), *(sql for _, sql in triggers)]

    def _triggers(self, tables: Any) -> list[tuple[str, str]]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'trigger'")
            return [(name, sql) for name, sql, table in cursor.fetchall() if table in tables]


class DatabaseWrapper(base.DatabaseWrapper):
    """`BEGIN IMMEDIATE` in turn."""

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn: int | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Whoever may read the file can read hashes of passwords and tokens: it is its owner's alone from the start.

        One that is there is not opened here: closing it would end the locks that SQLite has on it for this process.
        """
        if not self.is_in_memory_db():
            with suppress(OSError):  # what is wrong with the place, SQLite tells
                os.close(os.open(str(self.settings_dict["NAME"]), os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        return super().get_new_connection(conn_params)

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()
        finally:
            self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        name = str(self.settings_dict["NAME"])
        if self._turn is None and not self.is_in_memory_db():
            turn = os.open(name + SUFFIX, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._turn = turn

    def _end_turn(self) -> None:
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None
