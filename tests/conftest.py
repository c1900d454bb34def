"""The ground that all tests stand on. What one area alone needs belongs into that area's own conftest."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings

from tests import servers

# A busy machine is no bug: no test may fail for being slow.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

PROJECT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
ON_POSTGRES = os.environ.get("TEST_DATABASE", "postgres") == "postgres"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run what is marked long, too")


@pytest.hookimpl(tryfirst=True)  # before pytest looks at -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks `db` what touches the database, and leaves out (not: skips) what this run is not meant to do."""
    kept, left = [], []
    for item in items:
        if item.get_closest_marker("django_db") or {"db", "transactional_db", "live_server"} & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker("db")
        too_long = item.get_closest_marker("long") and not config.getoption("--long")
        elsewhere = not ON_POSTGRES and (item.get_closest_marker("races") or item.get_closest_marker("once"))
        (left if too_long or elsewhere else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing skips: what is missing there (data, a browser) is a fault of the machine, and says so."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing skips: {report.longrepr[2]}"
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    servers.stop_all()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The first test that wants a database starts the server."""
    if ON_POSTGRES:
        servers.start_postgres()


@pytest.fixture(scope="session", autouse=True)
def few_rows_are_deleted() -> None:
    """After a test with transactions of its own: TRUNCATE would give a hundred tables and their indexes new files."""
    kept = {"django_migrations", "django_content_type", "auth_permission"}

    def sql_flush(self: DatabaseOperations, style: Any, tables: list[str], **how: Any) -> list[str]:
        if not tables:
            return []
        deletes = [f"DELETE FROM {self.quote_name(table)}" for table in tables if table not in kept]
        # As a replica: neither foreign keys nor the ledger's own trigger have a say.
        return [";".join(["SET session_replication_role = replica", *deletes, "SET session_replication_role = origin"])]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]


@pytest.fixture
def redis_url() -> str:
    """A real Redis, started by the first test that asks."""
    return servers.redis_url()


@pytest.fixture
def child_env(transactional_db: None) -> dict[str, str]:
    """The environment of a child process (manage.py …) that shares the test's database and files."""
    name = connection.settings_dict["NAME"]
    if ON_POSTGRES:
        url = f"postgres://trackweave@/{name}?host={connection.settings_dict['HOST']}"
    else:
        url = f"sqlite:///{name}?synchronous=OFF"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real videos and truths beside the clone; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("TRACKWEAVE_SHARED") or PROJECT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"there is no {folder}/data")
    return folder / "data"


@pytest.fixture
def own_files(settings: Any, tmp_path: Path) -> Path:
    """The folder of files of this test alone: who takes files away takes them from tests in other processes, too."""
    folder = tmp_path / "files"
    how = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.MEDIA_ROOT, settings.STORAGES = str(folder), settings.STORAGES | {"default": how}
    return folder
