from __future__ import annotations

from collections.abc import Iterator

import pytest

from crowd.invariants import broken


@pytest.fixture(autouse=True)
def what_must_always_be_true(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that touches the database, the invariants find nothing."""
    touches = request.node.get_closest_marker("django_db") is not None
    if touches:
        request.getfixturevalue("_django_db_helper")
    yield
    if touches and not request.node.get_closest_marker("breaks_invariants"):
        assert broken() == {}
