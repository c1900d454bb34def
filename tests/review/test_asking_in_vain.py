"""One more worker was asked for, and everybody has been there: a reviewer decides by what there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from annotation.queue import sweep_all
from crowd.models import Assignment, Task
from review.models import Build, Consensus
from tests import cast
from tests.crowd.stage import claim, lapse, submit
from tests.review import stage
from tests.review.stage import tracks

pytestmark = pytest.mark.django_db


def a_while_ago() -> None:
    """Let the open seats have opened two minutes ago."""
    Assignment.objects.filter(status="open").update(created_at=Now() - timedelta(minutes=2))


def a_third_is_wanted(*, late: bool = True) -> Consensus:
    """Wanda and Will drew different things, and one more is asked for, a minute ago."""
    batch = stage.launched(frames=20, max_redundancy=3)
    stage.by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    found = stage.only_consensus(batch)
    assert (found.task.status, found.task.assignments.filter(status="open").count()) == ("open", 1)
    if late:
        a_while_ago()
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
    a_while_ago()
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
    a_while_ago()
    sweep_all()
    assert Assignment.objects.filter(batch=batch, status="open").count() == 1


def test_what_was_taken_back_is_no_first_submission() -> None:
    batch = stage.launched(frames=20)
    for seat in stage.work(batch, "Wanda") + stage.work(batch, "Will"):
        cast.client("Mona").post(f"{stage.API}/submissions/{seat}/reject/", {"reason": "not his own"})
    cast.work_off()
    a_while_ago()
    sweep_all()
    # A reviewer would have nothing to decide.
    assert Task.objects.get(batch=batch).status == "open"
    assert Assignment.objects.filter(batch=batch, status="open").count() == 2


def current_inputs(consensus: Consensus) -> set[str]:
    consensus.refresh_from_db()
    assert consensus.status == "pending"
    return set(Build.objects.get(consensus=consensus, version=consensus.version).inputs)


def test_a_reviewer_decides_by_what_came_and_was_taken_back_while_somebody_was_waited_for() -> None:
    consensus = stage.disputed()
    assert stage.decide("Rita", consensus, "reject", {"reason": "Who is who?", "seats": 2}).status_code == 200
    (new,) = stage.work(consensus.batch, "Wim")
    old, gone = consensus.task.assignments.filter(worker__username__in=["Wanda", "Will"]).values_list("pk", flat=True)
    cast.client("Mona").post(f"{stage.API}/submissions/{gone}/reject/", {"reason": "not his own"})
    cast.work_off()
    a_while_ago()
    assert swept(consensus) == "in_review"
    assert current_inputs(consensus) == {old, new}
    assert stage.decide("Rita", consensus, "accept").status_code == 200


def test_a_task_that_was_never_judged_comes_to_a_reviewer_with_a_consensus() -> None:
    batch = stage.launched(frames=20)
    wanda, walt = cast.client("Wanda"), cast.client("Walt")
    late = claim(wanda, batch.project)
    lapse(late)
    assert submit(wanda, late).status_code == 410
    (kept,) = stage.work(batch, "Will", lambda a, b: tracks(a, b, shift=25.0))
    held = claim(walt, batch.project)
    mona = cast.client("Mona")
    assert mona.post(f"{stage.API}/submissions/{late['id']}/salvage/", {"reason": "offline"}).status_code == 200
    # Those who work are two now, and whoever else could come gives the seat back.
    assert walt.post(f"{stage.API}/assignments/{held['id']}/release/", {"token": held["token"]}).status_code == 200
    cast.work_off()
    assert not Consensus.objects.exists()
    a_while_ago()
    sweep_all()
    cast.work_off()
    consensus = stage.only_consensus(batch)
    assert consensus.task.status == "in_review"
    assert current_inputs(consensus) == {late["id"], kept}
    assert stage.decide("Rita", consensus, "accept").status_code == 200
