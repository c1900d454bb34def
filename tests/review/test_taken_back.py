"""Submissions that a manager takes back, or takes in again, while their task is still to be decided."""

from __future__ import annotations

import pytest

from annotation.queue import sweep_all
from crowd.models import Batch, Task
from review.lifecycle import ConsensusStatus
from review.models import Build, Consensus
from tests import cast
from tests.crowd.stage import claim, submit, try_claim
from tests.review.stage import API, by_all, decide, disputed, launched, only_consensus, tracks, work

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


def test_where_all_was_taken_back_before_it_was_judged_the_first_seats_open_again() -> None:
    batch = launched(frames=20)
    for seat in work(batch, "Wanda") + work(batch, "Will"):
        take_back(seat)
    cast.work_off()
    task = Task.objects.get(batch=batch)
    assert (task.status, task.assignments.filter(status="open").count()) == ("open", 2)
    cast.work_off()
    assert task.assignments.count() == 4
    by_all(batch, Walt=tracks, Wim=tracks)
    assert states(only_consensus(batch)) == (ConsensusStatus.ACCEPTED, "done")


def test_the_first_seats_open_again_once_the_budget_covers_them() -> None:
    batch = launched(frames=20, reward_micros=100, budget_micros=200)
    seats = work(batch, "Wanda") + work(batch, "Will")
    Batch.objects.update(policy=batch.policy | {"budget_micros": 0})
    for seat in seats:
        take_back(seat)
    cast.work_off()
    assert try_claim(cast.client("Walt"), batch.project).status_code == 204
    Batch.objects.update(policy=batch.policy)
    sweep_all()
    cast.work_off()
    assert try_claim(cast.client("Walt"), batch.project).status_code == 201


def inputs_of(consensus: Consensus) -> list[str]:
    consensus.refresh_from_db()
    return Build.objects.get(consensus=consensus, version=consensus.version).inputs


@pytest.mark.parametrize("how", ["accepted", "disputed"])
def test_what_is_taken_in_again_is_an_input_again(how: str) -> None:
    consensus = disputed()
    seat = consensus.task.assignments.get(worker__username="Will")
    take_back(seat.pk)
    cast.work_off()
    assert inputs_of(consensus) == [consensus.task.assignments.get(worker__username="Wanda").pk]
    mona = cast.client("Mona")
    if how == "accepted":
        answer = mona.post(f"{API}/submissions/{seat.pk}/accept/", {"reason": "it was his own"})
    else:
        made = cast.client("Will").post(f"{API}/assignments/{seat.pk}/dispute/", {"reason": "It is my own."})
        answer = mona.post(f"{API}/disputes/{made.json()['id']}/uphold/", {"reason": "It was his own."})
    assert answer.status_code == 200, answer.content
    cast.work_off()
    assert seat.pk in inputs_of(consensus)
    assert states(consensus) == (ConsensusStatus.PENDING, "in_review")
