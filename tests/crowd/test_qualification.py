"""A project that asks for a qualification: training first, graded in jobs, then real work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from rest_framework.test import APIClient

from annotation.models import Clip
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Batch, Gold, LedgerEntry, Qualification, Score, Trial
from tests import cast
from tests.crowd import stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clips_without_files")]


def asking(golds: int = 2, **asked: Any) -> Batch:
    """A launched project that asks for so many golds of 20 frames, on a video that is not launched."""
    project = cast.project()
    school = cast.video(project, 60, name="school.mp4")
    for k in range(golds):
        body = {"video": school.pk, "start": 20 * k, "stop": 20 * k + 20, "tracks": stage.tracks(20 * k, 20 * k + 20)}
        assert cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/gold/", body).status_code == 201
    batch = stage.launched(project=project, qualification={"gold": max(golds, 1), "wait_s": 3600} | asked)
    cast.work_off()
    return batch


def train(worker: APIClient, batch: Batch, shift: float = 0.0) -> dict[str, Any]:
    """Claim one piece, draw it so far off, and have it graded."""
    seat = stage.claim(worker, batch.project)
    piece = seat["segment"]
    assert Trial.objects.filter(assignment=seat["id"]).exists()
    answer = stage.submit(worker, seat, stage.tracks(piece["start"], piece["stop"], shift=shift))
    assert answer.status_code == 200, answer.content
    cast.work_off()
    return seat


def me(worker: APIClient, batch: Batch) -> dict[str, Any]:
    return worker.get(f"{stage.API}/me/").json()["qualification"][batch.project_id]


def test_who_passes_the_training_gets_real_work() -> None:
    batch = asking()
    wanda = cast.client("Wanda")
    assert me(wanda, batch)["tasks"] == {"total": 2, "held": 0, "submitted": 0, "graded": 0, "left": 2}
    train(wanda, batch)
    state = me(wanda, batch)
    assert (state["status"], state["tasks"]["graded"], state["tasks"]["left"]) == ("training", 1, 1)
    train(wanda, batch)
    state = me(wanda, batch)
    assert (state["status"], state["scores"]["f1"]) == ("passed", pytest.approx(1.0))
    seat = stage.claim(wanda, batch.project)
    assert not Assignment.objects.get(pk=seat["id"]).extra


def test_who_has_drawn_all_but_gold_that_is_retired_meanwhile_passes() -> None:
    batch = asking(2)
    wanda = cast.client("Wanda")
    seat = train(wanda, batch)
    (other,) = Gold.objects.exclude(trials__assignment=seat["id"])
    address = f"{stage.API}/gold/{other.pk}/retire/"
    assert cast.client("Alice").post(address, {"reason": "It is wrong."}).status_code == 200
    assert stage.try_claim(wanda, batch.project).status_code == 204
    assert me(wanda, batch)["status"] == "passed"
    assert not Assignment.objects.get(pk=stage.claim(wanda, batch.project)["id"]).extra


def test_training_looks_like_any_other_assignment() -> None:
    batch = asking(1)
    wanda = cast.client("Wanda")
    piece = train(wanda, batch)
    assert list(piece) == list(stage.claim(wanda, batch.project))
    assert piece["reward_micros"] == 0


def test_training_is_in_no_figure_of_the_project() -> None:
    batch = asking(1, gold=1)
    before = cast.client("Alice").get(f"{stage.API}/batches/{batch.pk}/").json()
    train(cast.client("Wanda"), batch)
    after = cast.client("Alice").get(f"{stage.API}/batches/{batch.pk}/").json()
    assert {k: after[k] for k in ("segments", "tasks", "seats")} == {
        k: before[k] for k in ("segments", "tasks", "seats")
    }


def test_feedback_shows_which_events_go_on_by_the_worker_and_by_gold() -> None:
    project = cast.project(labels=[{"name": "crossing", "shape": "interval"}])
    school = cast.video(project, 60, name="school.mp4")
    right = [{"label": "crossing", "start": 8, "stop": 12}]
    gold = {"video": school.pk, "start": 0, "stop": 20, "tracks": [], "intervals": right}
    assert cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/gold/", gold).status_code == 201
    stage.launched(project=project, qualification={"gold": 1})
    cast.work_off()
    wanda = cast.client("Wanda")
    assert stage.submit(wanda, stage.claim(wanda, project), []).status_code == 200
    cast.work_off()
    (told,) = wanda.get(f"{stage.API}/me/").json()["feedback"]
    assert told["missed"] == ["soft_track_f"]
    (missed,) = [frame for frame in told["frames"] if frame["agreement"] == 0.0]
    assert missed["intervals"] == {"yours": [], "gold": right}
    client = Client()
    client.force_login(cast.user("Wanda"))
    page = client.get(f"/work/training/{project.pk}/").content.decode()
    assert "Yours: no event. Gold: crossing, frames 8 to 11." in page


def test_feedback_shows_the_workers_boxes_beside_golds() -> None:
    batch = asking(2)
    wanda = cast.client("Wanda")
    seat = train(wanda, batch, shift=15.0)
    (told,) = wanda.get(f"{stage.API}/me/").json()["feedback"]
    assert told["assignment"] == seat["id"] and told["scores"]["f1"] < 0.8 and "f1" in told["missed"]
    frame = told["frames"][0]
    assert frame["url"].startswith(f"/api/v1/assignments/{seat['id']}/frames/")
    (yours,), (gold,) = frame["yours"], frame["gold"]
    assert yours["box"][0] - gold["box"][0] == pytest.approx(15.0)


def test_a_project_may_keep_the_answers_to_itself() -> None:
    batch = asking(2, feedback=False)
    wanda = cast.client("Wanda")
    train(wanda, batch)
    assert wanda.get(f"{stage.API}/me/").json()["feedback"] == []


def test_who_fails_waits_and_tries_again_on_new_seats() -> None:
    batch = asking(1)
    wanda = cast.client("Wanda")
    first = train(wanda, batch, shift=30.0)
    state = me(wanda, batch)
    assert (state["status"], state["attempt"]) == ("waiting", 1) and state["retry_at"]
    refused = stage.try_claim(wanda, batch.project)
    assert refused.status_code == 403 and "try again from" in refused.json()["detail"]
    assert stage.try_claim(wanda).status_code == 204
    Qualification.objects.update(retry_at=Now() - timedelta(seconds=1))
    assert stage.try_claim(wanda, batch.project).status_code == 204  # the next round is being made
    cast.work_off()
    second = train(wanda, batch)
    assert second["segment"] == first["segment"] and second["id"] != first["id"]
    assert me(wanda, batch)["status"] == "passed"
    assert Clip.objects.filter(segment__task__status=TaskStatus.TRAINING).values("file").distinct().count() == 1


def test_after_the_last_attempt_only_a_manager_helps() -> None:
    batch = asking(1, attempts=1)
    wanda = cast.client("Wanda")
    train(wanda, batch, shift=30.0)
    assert "last attempt" in stage.try_claim(wanda, batch.project).json()["detail"]
    address = f"{stage.API}/projects/{batch.project_id}/workers/Wanda"
    assert cast.client("Alice").post(f"{address}/retrain/", {"reason": "x"}).status_code == 403
    answer = cast.client("Mona").post(f"{address}/retrain/", {"reason": "bad day"})
    assert answer.json()["qualification"] == "training"
    stage.try_claim(wanda, batch.project)
    cast.work_off()
    train(wanda, batch)
    assert me(wanda, batch)["status"] == "passed"


def test_a_manager_takes_somebody_as_qualified() -> None:
    batch = asking(1)
    cast.user("Wanda")
    address = f"{stage.API}/projects/{batch.project_id}/workers/Wanda/qualify/"
    assert cast.client("Mona").post(address, {"reason": "known from elsewhere"}).json()["qualification"] == "passed"
    seat = stage.claim(cast.client("Wanda"), batch.project)
    assert not Assignment.objects.get(pk=seat["id"]).extra
    row = Qualification.objects.get()
    assert (row.by.username, row.reason) == ("Mona", "known from elsewhere")


def test_what_is_given_back_or_lapses_costs_no_attempt() -> None:
    batch = asking(1)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    wanda.post(f"{stage.API}/assignments/{seat['id']}/release/", {"token": seat["token"]})
    assert Assignment.objects.filter(task__status=TaskStatus.TRAINING, status=Seat.OPEN).count() == 0
    stage.try_claim(wanda, batch.project)
    cast.work_off()
    again = stage.claim(wanda, batch.project)
    stage.lapse(again)
    stage.try_claim(wanda, batch.project)
    cast.work_off()
    train(wanda, batch)
    assert me(wanda, batch)["status"] == "passed" and Qualification.objects.get().attempt == 1


def test_marks_are_the_projects_own() -> None:
    batch = asking(1, marks={"soft_track_f": 0.2, "f1": 0.0})
    wanda = cast.client("Wanda")
    train(wanda, batch, shift=10.0)
    state = me(wanda, batch)
    assert state["status"] == "passed" and state["marks"] == {"soft_track_f": 0.2, "f1": 0.0, "label_accuracy": 0.9}


def test_the_wrong_label_fails() -> None:
    batch = asking(1)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.submit(wanda, seat, stage.tracks(0, 20, label="car"))
    cast.work_off()
    assert me(wanda, batch)["status"] == "waiting"


def test_training_is_paid_only_where_the_policy_says_so_and_then_passed_or_not() -> None:
    batch = asking(1, reward_micros=50)
    train(cast.client("Wanda"), batch, shift=30.0)
    assert list(LedgerEntry.objects.values_list("amount_micros", flat=True)) == [50]


def test_grading_twice_is_grading_once() -> None:
    from crowd import scoring

    batch = asking(1)
    seat = train(cast.client("Wanda"), batch, shift=30.0)
    scoring.score(assignment_id=seat["id"])
    row = Qualification.objects.get()
    assert (row.status, row.attempt, Score.objects.count()) == ("waiting", 1, 1)


def test_without_gold_the_claim_says_what_is_missing() -> None:
    batch = asking(0)
    answer = stage.try_claim(cast.client("Wanda"), batch.project)
    assert answer.status_code == 403 and "has not posted the gold" in answer.json()["detail"]
    warnings = cast.client("Alice").get(f"{stage.API}/batches/{batch.pk}/").json()["warnings"]
    assert "no_qualification_gold" in [w["code"] for w in warnings]


def test_unknown_gold_is_refused_with_a_pointer() -> None:
    project = cast.project()
    address = f"{stage.API}/projects/{project.pk}/"
    answer = cast.client("Alice").patch(address, {"policy": {"qualification": {"gold": ["nosuchgold"]}}})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/policy/qualification/gold/0"
    answer = cast.client("Alice").patch(address, {"policy": {"qualification": {"gold": 2, "marks": {"beauty": 1}}}})
    assert answer.json()["errors"][0]["pointer"] == "/policy/qualification/marks/beauty"


def test_a_banned_worker_loses_training_too() -> None:
    batch = asking(1)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    address = f"{stage.API}/projects/{batch.project_id}/workers/Wanda/ban/"
    cast.client("Mona").post(address, {"reason": "rude"})
    assert stage.submit(wanda, seat).status_code == 410
    assert stage.try_claim(wanda).status_code == 204


def test_a_manager_sees_how_far_everybody_is() -> None:
    batch = asking(1)
    train(cast.client("Wanda"), batch, shift=30.0)
    address = f"{stage.API}/projects/{batch.project_id}/qualification/"
    (row,) = cast.client("Mona").get(address).json()["results"]
    assert (row["user"], row["status"], row["attempt"]) == ("Wanda", "waiting", 1)
    assert cast.client("Alice").get(address).status_code == 403
