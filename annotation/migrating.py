"""The database's tables: one process makes them, whoever comes meanwhile waits."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

MIGRATING = 7_214_306  # any number that nobody else locks in this database


def migrate() -> None:
    """Brings the database up to date; of several that start at once, one does it and the others wait."""
    if connection.vendor != "postgresql":
        call_command("migrate", verbosity=0, interactive=False)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
            try:
                call_command("migrate", verbosity=0, interactive=False)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
    connections.close_all()


def migrate_if_new() -> None:
    """Makes the tables of an empty database, so that people can be added before the first `serve`.

    One that has tables already is brought up to date by `serve` alone: a command beside a running older version
    must not change them under its feet.
    """
    if not MigrationRecorder(connection).has_table():
        migrate()
