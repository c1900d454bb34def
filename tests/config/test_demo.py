from __future__ import annotations

from typing import Any

import pytest
from rich.progress import Progress

from config.demo import story
from config.demo.material import Material
from config.demo.people import People
from review import deciding
from review.errors import AlreadyDecided
from tests import cast
from tests.review import stage

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_the_demos_reviewer_who_comes_late_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    consensus = stage.disputed()
    rita = cast.user("Rita")
    told = story.Story(Material(*[None] * 3), People({"rita": rita}, {}, {}), Progress(), 1)
    real, late = deciding.accept, []

    def twice(**given: Any) -> Any:
        real(**given)
        with pytest.raises(AlreadyDecided) as refused:
            real(**given)
        late.append(refused.value)
        raise refused.value

    monkeypatch.setattr(deciding, "accept", twice)
    assert told._review(consensus.batch) is False and len(late) == 1
    monkeypatch.undo()
    assert told._review(consensus.batch) is False
    consensus.refresh_from_db()
    assert consensus.status == "accepted"
