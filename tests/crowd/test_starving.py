"""What is too quiet is seen: open tasks that nobody may take, seats that nobody claims, jobs that nobody does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now

from annotation import queue
from annotation.models import Job
from config import checking
from crowd.models import Assignment, Batch
from crowd.seating import policy_of
from crowd.starving import eligible
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def progress(batch: Batch) -> dict[str, Any]:
    return cast.client("Alice").get(f"{stage.API}/projects/{batch.project_id}/progress/").json()


def alarms(batch: Batch) -> dict[str, str]:
    return {alarm["code"]: alarm["message"] for alarm in progress(batch)["alarms"]}


def there_are(*names: str) -> list[str]:
    for name in names:
        cast.user(name)
    return list(names)


def sat(batch: Batch, name: str) -> None:
    worker = cast.client(name)
    stage.submit(worker, stage.claim(worker, batch.project))


def test_a_task_starves_once_everybody_sat_at_it() -> None:
    batch = stage.launched(frames=20, redundancy=3)
    there_are("Wanda", "Will")
    sat(batch, "Wanda")
    assert progress(batch)["starving_tasks"] == 0
    sat(batch, "Will")
    assert progress(batch)["starving_tasks"] == 1
    assert "the 2 who may claim have sat at these tasks already" in alarms(batch)["starving"]
    cast.user("Walt")
    assert progress(batch)["starving_tasks"] == 0


def test_batches_that_ask_for_other_people_starve_each_for_its_own_reason() -> None:
    batch = stage.launched(frames=20, redundancy=3)
    there_are("Wanda", "Will")
    rules = replace(policy_of(batch), languages=("pt",))
    stage.launch(batch.project, cast.video(batch.project, 38, name="other.mp4"), rules)
    assert progress(batch)["starving_tasks"] == 2
    assert "some lack the language" in alarms(batch)["starving"]
    again = stage.launch(batch.project, cast.video(batch.project, 38, name="third.mp4"), rules)
    assert progress(batch)["starving_tasks"] == 4
    Batch.objects.filter(pk=again.pk).update(policy=policy_of(batch).to_json())
    assert progress(batch)["starving_tasks"] == 2


def test_the_reason_counts_the_banned_and_the_unqualified() -> None:
    batch = stage.launched(frames=20, qualification={"gold": 1})
    there_are("Wanda", "Will", "Walt")
    address = f"{stage.API}/projects/{batch.project_id}/workers/Wanda/ban/"
    assert cast.client("Mona").post(address, {"reason": "rude"}).status_code == 200
    told = alarms(batch)["starving"]
    assert told.startswith("1 open tasks find no worker. Of 3 workers")
    assert "1 are paused or banned" in told and "2 are not qualified yet" in told


@pytest.mark.parametrize("policy", [{"languages": ["de"]}, {"min_skill": 0.9}, {"max_tasks_per_worker": 1}])
def test_who_is_eligible_is_who_may_claim(policy: dict[str, Any]) -> None:
    batch = stage.launched(**policy)
    names = there_are("Wanda", "Will", "Walt")
    cast.client("Walt").patch(f"{stage.API}/me/", {"languages": ["de"]})
    if stage.try_claim(cast.client("Wanda"), batch.project).status_code == 201:
        seat = Assignment.objects.get(worker__username="Wanda")
        stage.submit(cast.client("Wanda"), {**_seat(seat)})
    able = set(eligible(batch).values_list("username", flat=True))
    assert able == {n for n in names if stage.try_claim(cast.client(n), batch.project).status_code == 201}


def test_who_did_enough_for_today_or_is_paused_may_claim_another_day() -> None:
    batch = stage.launched(max_tasks_per_day=1)
    there_are("Wanda", "Will", "Walt", "Wes")
    sat(batch, "Wanda")
    for name, verb in (("Walt", "pause"), ("Wes", "ban")):
        address = f"{stage.API}/projects/{batch.project_id}/workers/{name}/{verb}/"
        assert cast.client("Mona").post(address, {"reason": "rude"}).status_code == 200
    assert [user.username for user in eligible(batch)] == ["Will"]
    assert {user.username for user in eligible(batch, ever=True)} == {"Wanda", "Will", "Walt"}


def _seat(row: Assignment) -> dict[str, Any]:
    segment = row.task.segment
    return {"id": row.pk, "token": row.token, "segment": {"start": segment.start, "stop": segment.stop}}


def test_other_accounts_of_one_person_are_nobody_else() -> None:
    batch = stage.launched(frames=20)
    there_are("Wanda", "Will")
    address = f"{stage.API}/projects/{batch.project_id}/workers/Wanda/same/"
    assert cast.client("Mona").post(address, {"user": "Will", "reason": "one bank account"}).status_code == 201
    sat(batch, "Wanda")
    assert progress(batch)["starving_tasks"] == 1


def test_a_project_without_workers_starves() -> None:
    batch = stage.launched(frames=20, open=False)
    assert "invite some" in alarms(batch)["starving"]


def test_seats_that_nobody_claims_for_an_hour_are_an_alarm() -> None:
    batch = stage.launched(frames=20)
    cast.user("Wanda")
    assert alarms(batch) == {}
    Assignment.objects.update(created_at=Now() - timedelta(minutes=61))
    assert set(alarms(batch)) == {"quiet"}
    assert not _finding().ok
    stage.claim(cast.client("Wanda"), batch.project)
    assert "quiet" not in alarms(batch) and _finding().ok


def _finding() -> checking.Finding:
    return next(finding for finding in checking.everything() if finding.name == "crowd")


def test_jobs_that_nobody_does_and_leases_that_nobody_sweeps_are_alarms() -> None:
    batch = stage.launched()
    seat = stage.claim(cast.client("Wanda"), batch.project)
    Job.objects.create(kind="score", subject="x", queued_key="score:x", not_before=Now() - timedelta(minutes=3))
    Assignment.objects.filter(pk=seat["id"]).update(lease_until=Now() - timedelta(minutes=6))
    assert {"jobs_wait", "sweep_late"} <= set(alarms(batch))


def test_jobs_whose_files_are_away_are_an_alarm_and_doctor_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage.launched()
    gone = Path("/nowhere/video.mp4")

    def away(_: str) -> None:
        gone.read_bytes()

    monkeypatch.setitem(queue.KINDS, "read", queue.Kind(away, None))
    with transaction.atomic():
        queue.want("read", "x")
    queue.run("read:x")
    assert "jobs_fail" not in alarms(batch)
    Job.objects.filter(kind="read").update(created_at=Now() - timedelta(minutes=3))
    said = alarms(batch)["jobs_fail"]
    assert said.startswith("1 jobs cannot be done for now") and "nowhere" not in said
    found = next(finding for finding in checking.everything() if finding.name == "queue")
    assert not found.ok and "/nowhere/video.mp4" in found.found
