"""A hard segment asks skilled workers first, everybody where nobody else is there, and comes first for reviewers."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.models import Project
from crowd import scoring
from crowd.core.ranking import ABLE, HARD
from crowd.core.skill import Skill
from crowd.models import Assignment, Batch, Task
from review.models import Consensus
from tests import cast
from tests.crowd import stage
from tests.review.stage import API, by_all, decide, disputed, launched, only_consensus, tracks

pytestmark = pytest.mark.django_db(transaction=True)


def known(project: Project, **low: float) -> None:
    skills = {cast.user(n).pk: Skill(max(v, 0.8), v, 0.99, 1.5, 0.9, 0.05, 0.05) for n, v in low.items()}
    scoring.keep_skills(project_id=project.pk, skills=skills)


def with_a_hard_seat(tasks: int = 6) -> tuple[Batch, str]:
    """One seat at each of some tasks, and one of them hard; that one's task."""
    batch = launched(frames=2 + 18 * tasks, redundancy=1, max_redundancy=1)
    task = Task.objects.filter(batch=batch).order_by("segment__index")[tasks // 2]
    Assignment.objects.filter(task=task, status="open").update(priority=task.priority + HARD)
    known(batch.project, Wanda=ABLE + 0.05, Will=ABLE - 0.05)
    return batch, task.pk


def claimed(name: str, batch: Batch) -> str:
    return Assignment.objects.get(pk=stage.claim(cast.client(name), batch.project)["id"]).task_id


def test_the_skilled_get_the_hard_segment_first() -> None:
    batch, hard = with_a_hard_seat()
    assert claimed("Wanda", batch) == hard


@pytest.mark.parametrize("name", ["Will", "Wim"])  # less skilled, and not known at all
def test_others_get_it_once_nothing_else_is_left(name: str) -> None:
    batch, hard = with_a_hard_seat()
    order = []
    while (answer := stage.try_claim(cast.client(name), batch.project)).status_code == 201:
        order.append(Assignment.objects.get(pk=answer.json()["id"]).task_id)
        assert stage.submit(cast.client(name), answer.json()).status_code == 200
    assert len(order) == len(set(order)) == 6
    assert order[-1] == hard


def test_a_hard_seat_that_was_given_back_is_hard_again() -> None:
    batch, hard = with_a_hard_seat()
    seat = stage.claim(cast.client("Wanda"), batch.project)
    given_back = cast.client("Wanda").post(f"{API}/assignments/{seat['id']}/release/", {"token": seat["token"]})
    assert given_back.status_code == 200
    fresh = Assignment.objects.get(task=hard, status="open")
    assert fresh.priority == HARD
    assert claimed("Will", batch) != hard


def test_a_disputed_segment_asks_a_skilled_worker_for_more() -> None:
    batch = launched(frames=20, redundancy=2, max_redundancy=3)
    by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    seat = Assignment.objects.get(batch=batch, status="open")
    assert only_consensus(batch).difficulty > 0.3
    assert seat.priority == HARD + seat.task.priority


def test_what_all_agree_on_but_believe_to_be_empty_is_no_hard_segment() -> None:
    batch = launched(frames=20, redundancy=2, max_redundancy=3, adaptive=True)

    def nothing(start: int, stop: int) -> list[Any]:
        return []

    by_all(batch, Wanda=nothing, Will=nothing)
    assert Assignment.objects.get(batch=batch, status="open").priority == 0


def test_a_reviewer_who_rejects_a_hard_segment_asks_the_skilled() -> None:
    consensus = disputed()
    assert decide("Rita", consensus, "reject", {"reason": "two are mixed up"}).status_code == 200
    assert Assignment.objects.get(task=consensus.task, status="open").priority == HARD


def test_seats_of_the_first_round_are_nobodys_in_particular() -> None:
    batch = launched(frames=20)
    assert set(Assignment.objects.filter(batch=batch).values_list("priority", flat=True)) == {0}


def test_reviewers_may_see_the_hardest_first_and_pages_do() -> None:
    batch = launched(frames=56, max_redundancy=2)
    by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    rows = list(Consensus.objects.filter(batch=batch).order_by("segment__start"))
    assert len(rows) >= 3
    for row, confidence, difficulty in zip(rows, (0.5, 0.5, 0.4), (0.2, 0.8, None), strict=False):
        Consensus.objects.filter(pk=row.pk).update(confidence=confidence, difficulty=difficulty)
    first, second, third = rows[:3]
    Consensus.objects.filter(pk__in=[r.pk for r in rows[3:]]).delete()
    address = f"{API}/projects/{batch.project_id}/consensus/"

    def listed(query: str) -> list[str]:
        ids, page = [], cast.client("Mona").get(address + query).json()
        while True:
            ids += [r["id"] for r in page["results"]]
            if not page["next"]:
                return ids
            page = cast.client("Mona").get(page["next"]).json()

    assert listed("?page_size=1") == [third.pk, second.pk, first.pk]
    assert listed("?order=difficulty&page_size=1") == [second.pk, first.pk, third.pk]
    assert cast.client("Mona").get(address + "?order=colour").status_code == 400
