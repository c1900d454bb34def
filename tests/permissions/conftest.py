from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from tests.permissions.world import World, build


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What makes up requests takes seconds to be loaded, and is for long runs."""
    return collection_path.name == "test_any_request.py" and not config.getoption("--long") or None


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One for all tests of a module, undone after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)
