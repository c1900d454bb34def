"""One more worker was asked for, and everybody has been there: a reviewer decides by what there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from annotation.queue import sweep_all
from crowd.models import Assignment, Task
from review.models import Consensus
from tests import cast
from tests.review import stage
from tests.review.stage import tracks

pytestmark = pytest.mark.django_db


def a_third_is_wanted(*, late: bool = True) -> Consensus:
    """Wanda and Will drew different things, and one more is asked for, a minute ago."""
    batch = stage.launched(frames=20, max_redundancy=3)
    stage.by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    found = stage.only_consensus(batch)
    assert (found.task.status, found.task.assignments.filter(status="open").count()) == ("open", 1)
    if late:
        Assignment.objects.filter(status="open").update(created_at=Now() - timedelta(minutes=2))
    return found


def swept(consensus: Consensus) -> str:
    sweep_all()
    cast.work_off()
    consensus.task.refresh_from_db()
    return consensus.task.status


def test_where_nobody_is_left_a_reviewer_decides() -> None:
    consensus = a_third_is_wanted()
    assert swept(consensus) == "in_review"
    assert not consensus.task.assignments.filter(status="open").exists()
    assert swept(consensus) == "in_review"
    assert stage.decide("Rita", consensus, "accept").status_code == 200


def test_what_was_rejected_comes_back_where_nobody_is_left() -> None:
    consensus = stage.disputed()
    assert stage.decide("Rita", consensus, "reject", {"reason": "Who is who?"}).status_code == 200
    Assignment.objects.filter(status="open").update(created_at=Now() - timedelta(minutes=2))
    assert swept(consensus) == "in_review"
    listed = cast.client("Rita").get(f"{stage.API}/projects/{consensus.task.project_id}/consensus/?status=pending")
    assert [item["id"] for item in listed.json()["results"]] == [consensus.pk]
    assert stage.decide("Rita", consensus, "accept").status_code == 200


def test_while_somebody_is_left_they_are_waited_for() -> None:
    consensus = a_third_is_wanted()
    cast.user("Walt")
    assert swept(consensus) == "open"


def test_a_moment_is_left_to_invite_somebody() -> None:
    assert swept(a_third_is_wanted(late=False)) == "open"


def test_first_seats_wait_for_workers_who_may_still_be_invited() -> None:
    batch = stage.launched(frames=20, redundancy=3)
    stage.by_all(batch, Wanda=tracks, Will=tracks)
    Assignment.objects.filter(status="open").update(created_at=Now() - timedelta(minutes=2))
    sweep_all()
    assert Assignment.objects.filter(batch=batch, status="open").count() == 1


def test_what_was_taken_back_is_no_first_submission() -> None:
    batch = stage.launched(frames=20)
    for seat in stage.work(batch, "Wanda") + stage.work(batch, "Will"):
        cast.client("Mona").post(f"{stage.API}/submissions/{seat}/reject/", {"reason": "not his own"})
    cast.work_off()
    Assignment.objects.filter(status="open").update(created_at=Now() - timedelta(minutes=2))
    sweep_all()
    # A reviewer would have nothing to decide.
    assert Task.objects.get(batch=batch).status == "open"
    assert Assignment.objects.filter(batch=batch, status="open").count() == 2
