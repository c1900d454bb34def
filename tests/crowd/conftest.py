from __future__ import annotations

from collections.abc import Iterator

import pytest

from annotation import clipping
from annotation.models import Clip, Segment
from crowd.invariants import broken
from tests import cast


@pytest.fixture(autouse=True)
def what_must_always_be_true(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that touches the database, the invariants find nothing."""
    touches = request.node.get_closest_marker("django_db") is not None
    if touches:
        request.getfixturevalue("_django_db_helper")
    yield
    if touches and not request.node.get_closest_marker("breaks_invariants"):
        assert broken() == {}


@pytest.fixture
def clips_without_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training is prepared without a video being encoded."""

    def make_clip(segment_id: str, *, quality: str = "default") -> Clip:
        return Clip.objects.filter(pk=segment_id).first() or cast.clip(Segment.objects.get(pk=segment_id))

    monkeypatch.setattr(clipping, "make_clip", make_clip)
