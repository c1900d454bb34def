"""Sessions in the database, under keys that can be one: PostgreSQL takes no NUL in a question, a cookie may hold it."""

from __future__ import annotations

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str) -> bool:
        return bool(super()._validate_session_key(key)) and key.isascii() and key.isalnum()
