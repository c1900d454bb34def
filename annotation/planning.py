"""Plain SQL that every worker waits for, planned once: planning took two thirds of what it cost the database.

A kept plan is a danger. PostgreSQL keeps it until the next ANALYZE, and one that was made for two hundred rows may walk
through all fifty thousand that are there by then. What is planned every time is safe from that, since the planner asks
how large a table is at that moment. So do we: whoever begins asks with `look_at`, and a plan is used only while that
table has about the size (within a factor of two) for which it was made. Statements are written so that one plan is
right for every value: each walks along an index, wherever it starts.

SQLite plans every time, and so does PostgreSQL where `DATABASE_URL` says `prepare_threshold=none`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Connection, Cursor

# By connection: how many bits the number of pages has that the table had which was looked at last.
_sizes: WeakKeyDictionary[Connection, int] = WeakKeyDictionary()
PAGE = 8192
# Until the transaction ends, which plans are kept is not left to a comparison of guessed costs.
LOOK = "SELECT pg_relation_size(%s), set_config('plan_cache_mode', 'force_generic_plan', true)"


class _Planned(Cursor):
    """Binds and prepares at the server. Another size is another statement, so that it is planned anew."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        return super().execute(f"{query} /* {_sizes[self.connection]} */", params, **more)


def look_at(table: str) -> None:
    """Ask how large a table is now; plans made for another size are not used by this connection from here on."""
    if _keeps_plans():
        _sizes.setdefault(connection.connection, 0)
        with cursor() as looking:
            looking.execute(LOOK, [table])
            _sizes[connection.connection] = (looking.fetchone()[0] // PAGE).bit_length()


def cursor() -> AbstractContextManager[CursorWrapper]:
    """As `connection.cursor()`; on a connection that has looked at a table, statements are planned once."""
    if not _keeps_plans() or connection.connection not in _sizes:
        return connection.cursor()
    return CursorWrapper(_Planned(connection.connection), connection)


def _keeps_plans() -> bool:
    if connection.vendor != "postgresql":
        return False
    connection.ensure_connection()
    return connection.connection.prepare_threshold is not None
