"""How long what is stored is, without reading it."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, IntegerField


class Bytes(Func):
    """The length of a text or payload. SQLite counts a text's characters, which are never more."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **how: Any) -> Any:
        return self.as_sql(compiler, connection, function="LENGTH", **how)
