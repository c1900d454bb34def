"""The database's clock in plain SQL, for statements that are not built by the ORM."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

_SQLITE = "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW'{})"
_NOW = {"postgresql": "STATEMENT_TIMESTAMP()", "sqlite": _SQLITE.format("")}
_LATER = {
    "postgresql": "STATEMENT_TIMESTAMP() + %({name})s * INTERVAL '1 s'",
    "sqlite": _SQLITE.format(", '+' || %({name})s || ' seconds'"),
}


def now(vendor: str = "") -> str:
    """SQL for this moment, as `django.db.models.functions.Now` says it; in a statement with parameters."""
    return _NOW[vendor or connection.vendor]


def later(name: str, vendor: str = "") -> str:
    """SQL for the moment that lies as many seconds ahead as the named parameter says."""
    return _LATER[vendor or connection.vendor].replace("{name}", name)


def read(value: datetime | str | None) -> datetime | None:
    """A time as plain SQL yields it: SQLite's says nothing of its zone, and is in UTC; what it returns is text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
