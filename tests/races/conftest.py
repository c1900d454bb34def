from __future__ import annotations

from collections.abc import Iterator

import pytest

from annotation import queue
from crowd import taking
from tests import openapi
from tests.crowd.conftest import what_must_always_be_true
from tests.races.explorer import Explorer
from tests.races.world import world

__all__ = ["what_must_always_be_true", "world"]


@pytest.fixture(autouse=True)
def nobody_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages to workers go out after the commit and change nothing that is looked at here."""
    monkeypatch.setattr(queue, "wake", lambda key: None)


@pytest.fixture(autouse=True, scope="session")
def schema() -> None:
    """Threads check answers against the schema, which one thread alone can make."""
    openapi.document()


@pytest.fixture
def explorer(transactional_db: None) -> Iterator[Explorer]:
    with Explorer() as made:
        yield made


@pytest.fixture(autouse=True)
def claims_begin_at_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they begin is drawn by lot; here they meet, and every run goes the same way."""
    monkeypatch.setattr(taking, "new_id", lambda: "")
