"""Who may claim where: languages, skill, caps, and accounts of one person."""

from __future__ import annotations

from typing import Any

import pytest

from crowd import admitting, claiming
from crowd.core.skill import estimate
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, SamePerson, Skill
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def refused(name: str, batch: Batch) -> str:
    """The reason of a claim that is refused; without a project there is simply nothing to do."""
    worker = cast.client(name)
    assert stage.try_claim(worker).status_code == 204
    answer = stage.try_claim(worker, batch.project)
    assert answer.status_code == 403, answer.content
    return answer.json()["detail"]


def skilled(name: str, batch: Batch, low: float) -> None:
    Skill.objects.create(
        project=batch.project, worker=cast.user(name), low=low, mean=min(1.0, low + 0.1), high=1.0, figures={}
    )


def test_a_project_may_ask_for_a_language() -> None:
    batch = stage.launched(languages=["de", "pt"])
    assert "one of these languages: de, pt" in refused("Wanda", batch)
    wanda = cast.client("Wanda")
    assert wanda.patch(f"{stage.API}/me/", {"languages": ["pt-BR"]}).json()["languages"] == ["pt-BR"]
    assert stage.try_claim(wanda, batch.project).status_code == 201


def test_a_broader_language_is_not_a_narrower_one() -> None:
    batch = stage.launched(languages=["pt-BR"])
    cast.client("Wanda").patch(f"{stage.API}/me/", {"languages": ["pt"]})
    refused("Wanda", batch)


@pytest.mark.parametrize("languages", ["de", ["deutsch!"], [7], {}])
def test_languages_are_tags(languages: Any) -> None:
    answer = cast.client("Wanda").patch(f"{stage.API}/me/", {"languages": languages})
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"].startswith("/languages")


def test_skill_is_measured_at_its_lower_quantile() -> None:
    batch = stage.launched(min_skill=0.75)
    assert "skill of 0.75; yours is 0.70" in refused("Wanda", batch)
    skilled("Wanda", batch, low=0.74)
    refused("Wanda", batch)
    skilled("Will", batch, low=0.76)
    assert stage.try_claim(cast.client("Will"), batch.project).status_code == 201


def test_what_is_known_of_nobody_is_the_prior() -> None:
    assert pytest.approx(estimate([]).low, abs=1e-4) == admitting.UNKNOWN_SKILL


@pytest.mark.parametrize("cap", ["max_tasks_per_worker", "max_tasks_per_day"])
def test_caps_count_claims_not_submits(cap: str) -> None:
    batch = stage.launched(**{cap: 2})
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    wanda.post(f"{stage.API}/assignments/{seat['id']}/release/", {"token": seat["token"]})
    stage.submit(wanda, stage.claim(wanda, batch.project))
    assert "You have taken 2 tasks" in refused("Wanda", batch)
    assert stage.try_claim(cast.client("Will"), batch.project).status_code == 201


def test_a_capped_worker_who_holds_a_seat_still_gets_it_back() -> None:
    batch = stage.launched(max_tasks_per_worker=1)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    again = stage.try_claim(wanda, batch.project)
    assert again.status_code == 200 and again.json()["id"] == seat["id"]


def tell_same(batch: Batch, one: str, other: str, by: str = "Mona") -> Any:
    cast.user(one), cast.user(other)
    address = f"{stage.API}/projects/{batch.project_id}/workers/{one}/same/"
    return cast.client(by).post(address, {"user": other, "reason": "one bank account"})


def test_accounts_of_one_person_never_sit_at_one_task() -> None:
    batch = stage.launched(frames=20)  # one task with two seats
    assert tell_same(batch, "Wanda", "Will").status_code == 201
    stage.submit(cast.client("Wanda"), stage.claim(cast.client("Wanda"), batch.project))
    assert stage.try_claim(cast.client("Will"), batch.project).status_code == 204
    assert Assignment.objects.filter(status=Seat.OPEN).count() == 1
    assert stage.try_claim(cast.client("Walt"), batch.project).status_code == 201


def test_one_person_may_have_three_accounts() -> None:
    batch = stage.launched(frames=20)
    tell_same(batch, "Wanda", "Will")
    tell_same(batch, "Will", "Walt")
    stage.submit(cast.client("Wanda"), stage.claim(cast.client("Wanda"), batch.project))
    assert stage.try_claim(cast.client("Walt"), batch.project).status_code == 204


def test_two_accounts_are_told_once_whichever_way_round_and_taken_back() -> None:
    batch = stage.launched(frames=20)
    told = tell_same(batch, "Wanda", "Will").json()
    assert tell_same(batch, "Will", "Wanda").json() == told and told["users"] == ["Wanda", "Will"]
    assert tell_same(batch, "Will", "Will").status_code == 400
    assert tell_same(batch, "Will", "Mona").status_code == 201  # Mona is a member
    mona = cast.client("Mona")
    address = f"{stage.API}/projects/{batch.project_id}/same-persons/"
    assert len(mona.get(address).json()["results"]) == 2
    assert mona.delete(f"{address}{told['id']}/").status_code == 204
    assert mona.get(f"{address}{told['id']}/").status_code == 404
    row = SamePerson.objects.get(pk=told["id"])
    assert (row.by.username, row.lifted_by.username) == ("Mona", "Mona")
    stage.submit(cast.client("Wanda"), stage.claim(cast.client("Wanda"), batch.project))
    assert stage.try_claim(cast.client("Will"), batch.project).status_code == 201


def test_who_is_one_person_in_one_project_is_nothing_in_another() -> None:
    batch = stage.launched(frames=20)
    other = stage.launched(frames=20, project=cast.project(name="Other"))
    tell_same(batch, "Wanda", "Will")
    stage.submit(cast.client("Wanda"), stage.claim(cast.client("Wanda"), other.project))
    assert stage.try_claim(cast.client("Will"), other.project).status_code == 201


def test_the_usual_claim_reads_no_more_than_before(django_assert_max_num_queries: Any) -> None:
    project, wanda = stage.launched().project, cast.user("Wanda")
    with django_assert_max_num_queries(6):  # held, offers, savepoint, take, log, release of the savepoint
        assert claiming.claim(worker=wanda, project=project)
