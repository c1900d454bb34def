"""Submissions that a manager takes back, or takes in again, while their task is still to be decided."""

from __future__ import annotations

import pytest

from crowd.models import Task
from review.lifecycle import ConsensusStatus
from review.models import Consensus
from tests import cast
from tests.crowd.stage import claim, submit
from tests.review.stage import API, decide, disputed

pytestmark = pytest.mark.django_db


def take_back(seat: str) -> None:
    answer = cast.client("Mona").post(f"{API}/submissions/{seat}/reject/", {"reason": "not his own"})
    assert answer.status_code == 200, answer.content


def states(consensus: Consensus) -> tuple[str, str]:
    consensus.refresh_from_db()
    return consensus.status, Task.objects.get(pk=consensus.task_id).status


def test_what_was_rejected_comes_back_where_the_one_more_was_taken_back_before_it_was_judged() -> None:
    consensus = disputed()
    assert decide("Rita", consensus, "reject", {"reason": "Who is who?"}).status_code == 200
    wim = cast.client("Wim")
    seat = claim(wim, consensus.task.project)
    assert submit(wim, seat).status_code == 200
    take_back(seat["id"])
    cast.work_off()
    assert states(consensus) == (ConsensusStatus.PENDING, "in_review")
    assert consensus.version == 1
    assert decide("Rita", consensus, "accept").status_code == 200
