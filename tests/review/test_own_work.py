"""Whoever sees the answers takes no work, and nobody has the last word on what they drew themselves."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now
from rest_framework.test import APIClient

from annotation.models import Member, Project
from crowd import starving
from crowd.models import Assignment, Dispute, LedgerEntry, SamePerson
from review.models import Consensus
from tests import cast
from tests.crowd import stage as work
from tests.review import stage

pytestmark = pytest.mark.django_db
BODIES = {"accept": {}, "reject": {"reason": "again"}, "amend": {"tracks": []}}


def made(name: str, role: str, project: object) -> APIClient:
    Member.objects.update_or_create(project=project, user=cast.user(name), defaults={"role": role})
    return cast.client(name)


def pages_offering(client: APIClient) -> int:
    client.force_login(cast.user("Wanda"))
    return len(client.get("/review/").context["page"].object_list)


@pytest.mark.parametrize("role", ["reviewer", "manager", "client"])
def test_a_worker_who_may_read_the_answers_gets_no_seat_there(role: str) -> None:
    batch = stage.launched()
    wanda = made("Wanda", role, batch.project)
    assert work.try_claim(wanda).status_code == 204
    assert work.try_claim(wanda, batch.project).status_code == 403
    assert wanda.post(f"{stage.API}/assignments/claim/", {"project": batch.project.name}).status_code == 404
    assert not starving.eligible(batch).filter(username="Wanda").exists()
    wanda.force_login(cast.user("Wanda"))
    assert list(wanda.get("/work/").context["projects"]) == []
    other = stage.launched(project=cast.project(name="Other"))
    assert work.try_claim(wanda, other.project).status_code == 201


def test_an_owner_who_was_made_a_worker_gets_no_seat_of_their_own_project() -> None:
    batch = stage.launched()
    Project.objects.update(owner=cast.user("Wanda"))
    assert work.try_claim(cast.client("Wanda"), batch.project).status_code == 403
    assert not starving.eligible(batch).filter(username="Wanda").exists()


@pytest.mark.parametrize("verb", BODIES)
def test_a_reviewer_does_not_decide_what_they_worked_at(verb: str) -> None:
    consensus = stage.disputed()
    wanda = made("Wanda", "reviewer", consensus.task.project)
    assert pages_offering(wanda) == 0
    answer = stage.decide("Wanda", consensus, verb, BODIES[verb])
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:trackweave:own-work")
    assert Consensus.objects.get().status == "pending"
    assert stage.decide("Rita", consensus, verb, BODIES[verb]).status_code == 200


def test_nor_what_another_account_of_theirs_worked_at() -> None:
    consensus = stage.disputed()
    one, other = sorted((cast.user("Walt"), cast.user("Wanda")), key=lambda user: user.pk)
    SamePerson.objects.create(project=consensus.task.project, one=one, other=other, reason="one", by=cast.user("Mona"))
    made("Walt", "reviewer", consensus.task.project)
    assert stage.decide("Walt", consensus, "accept").status_code == 403


def test_what_a_reviewer_gave_back_is_not_their_own() -> None:
    consensus = stage.disputed()
    seat = Assignment.objects.get(worker__username="Wanda")
    Assignment.objects.filter(pk=seat.pk).update(
        status="released", track_set=None, submitted_at=None, ended_at=Now(), lease_until=None, slot=None
    )
    made("Wanda", "reviewer", consensus.task.project)
    assert stage.decide("Wanda", consensus, "accept").status_code == 200


def test_a_manager_pays_themselves_nothing() -> None:
    consensus = stage.disputed(reward_micros=300)
    project = consensus.task.project
    wanda, seat = made("Wanda", "manager", project), Assignment.objects.get(worker__username="Wanda")
    accept = f"{stage.API}/submissions/{seat.pk}/accept/"
    bonus = {"user": "Wanda", "amount_micros": 5_000_000, "reason": "me"}
    dispute = Dispute.objects.create(assignment=seat, project=project, worker=seat.worker, reason="pay")
    asked = [
        wanda.post(accept, {"reason": "mine"}),
        wanda.post(f"{stage.API}/projects/{project.pk}/bonuses/", bonus),
        wanda.post(f"{stage.API}/disputes/{dispute.pk}/uphold/", {"reason": "mine"}),
    ]
    assert [answer.status_code for answer in asked] == [403] * 3
    assert not LedgerEntry.objects.exists()
    assert cast.client("Mona").post(accept, {"reason": "fine"}).status_code == 200


def test_nor_another_account_of_theirs() -> None:
    consensus = stage.disputed(reward_micros=300)
    project = consensus.task.project
    walt, seat = made("Walt", "manager", project), Assignment.objects.get(worker__username="Wanda")
    one, other = sorted((cast.user("Walt"), cast.user("Wanda")), key=lambda user: user.pk)
    told = SamePerson.objects.create(project=project, one=one, other=other, reason="one", by=cast.user("Mona"))
    accept = f"{stage.API}/submissions/{seat.pk}/accept/"
    many = f"{stage.API}/projects/{project.pk}/submissions/accept/"
    bonus = {"user": "Wanda", "amount_micros": 5_000_000, "reason": "me"}
    assert walt.post(accept, {"reason": "mine"}).status_code == 403
    assert walt.post(f"{stage.API}/projects/{project.pk}/bonuses/", bonus).status_code == 403
    (result,) = walt.post(many, {"reason": "mine", "ids": [seat.pk]}).json()["results"]
    assert result["outcome"] == "own_work" and not LedgerEntry.objects.exists()
    SamePerson.objects.filter(pk=told.pk).update(lifted_at=Now())
    assert walt.post(accept, {"reason": "fine"}).status_code == 200
