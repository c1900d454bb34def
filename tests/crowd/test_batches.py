from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from annotation.models import Segment
from crowd import completing, publishing
from crowd.core.policies import parse_policy
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, BudgetChange, Task
from crowd.seating import lock_task, policy_of
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def seats(batch: Batch, status: str) -> int:
    return Assignment.objects.filter(batch=batch, status=status).count()


def test_a_launch_over_rest_cuts_and_opens_by_the_policy() -> None:
    project = cast.project()
    cast.video(project)
    alice = cast.client("Alice")
    body = {"policy": {"segment_frames": 20, "overlap_frames": 2, "redundancy": 2, "adaptive": False}}
    answer = alice.post(f"{stage.API}/projects/{project.pk}/launch/", body)
    assert answer.status_code == 201, answer.content
    assert answer.json()["status"] == "opening"
    assert [w["code"] for w in answer.json()["warnings"]] == ["no_gold"]
    cast.work_off()
    batch = alice.get(f"{stage.API}/batches/{answer.json()['id']}/").json()
    assert batch["status"] == "open"
    assert batch["tasks"]["open"] == batch["segments"]["total"] == batch["segments"]["clipped"] == 4
    assert batch["seats"] == {"open": 8, "held": 0, "submitted": 0}


def test_neighbouring_segments_share_exactly_the_overlap() -> None:
    batch = stage.launched()
    ranges = list(Segment.objects.filter(task__batch=batch).order_by("index").values_list("start", "stop"))
    assert ranges[0][0] == 0 and ranges[-1][1] == 60
    assert all(a[1] - b[0] == 2 for a, b in zip(ranges, ranges[1:], strict=False))


def test_a_video_is_launched_once_until_its_batch_is_cancelled() -> None:
    batch = stage.launched()
    alice = cast.client("Alice")
    address = f"{stage.API}/projects/{batch.project_id}/launch/"
    video = batch.batch_videos.get().video_id
    assert alice.post(address, {"videos": [video]}).status_code == 409
    assert alice.post(f"{stage.API}/batches/{batch.pk}/cancel/").json()["status"] == "cancelled"
    assert alice.post(address, {"videos": [video]}).status_code == 201


def test_a_project_without_labels_is_not_launched() -> None:
    project = cast.project(labels=[])
    cast.video(project)
    alice, address = cast.client("Alice"), f"{stage.API}/projects/{project.pk}/"
    refused = alice.post(f"{address}launch/", {})
    assert (refused.status_code, refused.json()["title"]) == (409, "Nothing to draw")
    alice.patch(address, {"labels": [{"name": "person"}]})
    assert alice.post(f"{address}launch/", {}).status_code == 201


def test_a_policy_that_cannot_be_worked_by_is_refused_with_its_place() -> None:
    project = cast.project()
    cast.video(project)
    answer = cast.client("Alice").post(
        f"{stage.API}/projects/{project.pk}/launch/", {"policy": {"segment_frames": 30, "overlap_frames": 11}}
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/policy/overlap_frames"
    assert not Batch.objects.exists()


def test_a_quorum_that_is_read_as_none_is_refused_as_what_it_is_read_as() -> None:
    answer = cast.client("Alice").post(
        f"{stage.API}/projects/", {"name": "A", "labels": [], "policy": {"quorum": 0.001}}, format="json"
    )
    [error] = answer.json()["errors"]
    assert error == {"pointer": "/policy/quorum", "message": "must be above 0 and at most 1, not 0.001 (read as 0)"}


def test_tasks_open_only_in_the_settled_part() -> None:
    project = cast.project()
    video = cast.video(project, 60, settled=25)
    rules = parse_policy({"segment_frames": 20, "overlap_frames": 2, "gold_share": 0})
    batch = publishing.open_batch(project=project, videos=[video], policy=rules, by=project.owner)
    publishing.prepare_video(batch_video_id=batch.batch_videos.get().pk)
    wanted = Task.objects.filter(batch=batch, pk__in=_wanted())
    assert [t.segment.stop <= 25 for t in wanted] == [True]


def _wanted() -> list[str]:
    from annotation.models import Job

    return list(Job.objects.filter(kind="open_task").values_list("subject", flat=True))


def test_a_paused_batch_gives_out_nothing_until_it_is_resumed() -> None:
    batch = stage.launched()
    wanda, alice = cast.client("Wanda"), cast.client("Alice")
    assert alice.post(f"{stage.API}/batches/{batch.pk}/pause/").json()["status"] == "paused"
    assert stage.try_claim(wanda, batch.project).status_code == 204
    assert alice.post(f"{stage.API}/batches/{batch.pk}/pause/").status_code == 409
    assert alice.post(f"{stage.API}/batches/{batch.pk}/resume/").json()["status"] == "open"
    assert stage.try_claim(wanda, batch.project).status_code == 201


def test_a_cancelled_batch_withdraws_open_seats_but_takes_what_is_held() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    cast.client("Alice").post(f"{stage.API}/batches/{batch.pk}/cancel/")
    assert seats(batch, Seat.OPEN) == 0 and seats(batch, Seat.HELD) == 1
    assert stage.submit(wanda, seat).status_code == 200
    assert stage.try_claim(wanda, batch.project).status_code == 204


def test_a_seat_that_lapses_in_a_cancelled_batch_is_followed_by_none() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    cast.client("Alice").post(f"{stage.API}/batches/{batch.pk}/cancel/")
    stage.lapse(seat)
    assert stage.submit(wanda, seat).status_code == 410
    assert seats(batch, Seat.OPEN) == 0


def test_seats_are_opened_only_as_far_as_the_budget_covers_whole_tasks() -> None:
    batch = stage.launched(reward_micros=100, budget_micros=500)
    assert seats(batch, Seat.OPEN) == 4
    body = cast.client("Alice").get(f"{stage.API}/batches/{batch.pk}/").json()
    assert body["tasks"]["opening"] == 2 and body["tasks"]["open"] == 2
    assert "tasks_wait" in [w["code"] for w in body["warnings"]]


def alarms(batch: Batch) -> list[str]:
    body = cast.client("Alice").get(f"{stage.API}/projects/{batch.project_id}/progress/").json()
    return [alarm["message"] for alarm in body["alarms"] if alarm["code"] == "budget"]


def test_the_overview_says_that_tasks_wait_for_money_of_the_budget() -> None:
    batch = stage.launched(reward_micros=100, budget_micros=500)
    (said,) = alarms(batch)
    assert said.startswith("2 tasks of the batch of ") and "its budget of 0.0005 EUR does not cover" in said
    Batch.objects.update(policy=batch.policy | {"budget_micros": 600})
    assert alarms(batch) == []


def budget(batch: Batch, micros: object) -> Any:
    return cast.client("Mona").post(f"{stage.API}/batches/{batch.pk}/budget/", {"budget_micros": micros})


def test_a_budget_that_is_raised_opens_what_waited_for_it() -> None:
    batch = stage.launched(reward_micros=100, budget_micros=500)
    for micros, opened in ((799, 6), (800, 8), (None, 8)):
        answer = budget(batch, micros)
        assert (answer.status_code, answer.json()["policy"]["budget_micros"]) == (200, micros)
        cast.work_off()
        assert seats(batch, Seat.OPEN) == opened
    changes = BudgetChange.objects.order_by("pk").values_list("before_micros", "after_micros", "by__username")
    assert list(changes) == [(500, 799, "Mona"), (799, 800, "Mona"), (800, None, "Mona")]
    assert alarms(batch) == []


def test_a_budget_is_not_made_less_than_what_seats_hold() -> None:
    batch = stage.launched(reward_micros=100, budget_micros=900)
    refused = budget(batch, 799)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:trackweave:budget-is-held")
    assert "hold 0.0008 EUR" in refused.json()["detail"]
    assert budget(batch, 800).status_code == 200


def test_a_budget_is_raised_although_another_batch_holds_more() -> None:
    batch = stage.launched(reward_micros=100, budget_micros=500)
    richer = replace(policy_of(batch), budget_micros=2000)
    stage.launch(batch.project, cast.video(batch.project, name="more.mp4"), richer)
    assert seats(batch, Seat.OPEN) == 4 and Assignment.objects.filter(status=Seat.OPEN).count() == 12
    assert [budget(batch, micros).status_code for micros in (700, 600, 1300)] == [200, 409, 200]
    cast.work_off()
    assert seats(batch, Seat.OPEN) == 4  # no task's seats are covered yet


def test_what_is_no_budget_is_told_where() -> None:
    batch = stage.launched(reward_micros=100, budget_micros=500)
    alice, address = cast.client("Alice"), f"{stage.API}/batches/{batch.pk}/budget/"
    for body in ({}, {"budget_micros": "500"}, {"budget_micros": -1}, {"budget_micros": True}):
        answer = alice.post(address, body)
        assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/budget_micros", answer.content
    assert cast.client("Rita").post(address, {"budget_micros": 600}).status_code == 403
    assert alice.post(f"{stage.API}/batches/{batch.pk}/cancel/").status_code == 200
    assert budget(batch, 600).json()["type"] == "urn:trackweave:wrong-state"
    assert not BudgetChange.objects.exists()


def test_one_more_seat_is_not_opened_beyond_the_budget() -> None:
    batch = stage.launched(frames=20, reward_micros=100, budget_micros=200)
    for name in ("Wanda", "Will"):
        worker = cast.client(name)
        assert stage.submit(worker, stage.claim(worker, batch.project)).status_code == 200
    task = lock_task(Task.objects.get(batch=batch).pk)
    assert task.status == "filled"
    assert completing.ask_more(task=task, seats=1) == 0


def test_a_task_is_filled_by_its_last_submission() -> None:
    batch = stage.launched(frames=20)
    for name, status in (("Wanda", "open"), ("Will", "filled")):
        worker = cast.client(name)
        stage.submit(worker, stage.claim(worker, batch.project))
        assert Task.objects.get(batch=batch).status == status


@pytest.mark.usefixtures("clips_without_files")
def test_one_worker_alone_comes_to_every_task_although_each_waits_for_a_second_one() -> None:
    project = cast.project()
    video = cast.video(project, 250)
    publishing.open_batch(project=project, videos=[video], policy=stage.ruled(project), by=project.owner)
    cast.work_off()
    wanda, count = cast.client("Wanda"), Task.objects.count()
    assert count > publishing.AHEAD
    for _ in range(count):
        answer = stage.try_claim(wanda, project)
        if answer.status_code == 204:  # which asks for the next clips
            cast.work_off()
            answer = stage.try_claim(wanda, project)
        assert stage.submit(wanda, answer.json()).status_code == 200
    assert not Task.objects.filter(status="opening").exists()


def test_a_closed_project_is_worked_in_by_its_own_workers_only() -> None:
    batch = stage.launched(open=False)
    wanda, will = cast.client("Wanda"), cast.client("Will")
    batch.project.members.create(user=cast.user("Will"), role="worker")
    assert stage.try_claim(wanda, batch.project).status_code == 404
    assert stage.try_claim(wanda).status_code == 204
    assert stage.try_claim(will).status_code == 201


def test_nobody_draws_a_projects_workers_away_by_giving_another_project_its_id_as_name() -> None:
    batch = stage.launched()
    stage.launched(project=cast.project("Eve", name=batch.project_id))
    wanda = cast.client("Wanda")
    for _ in range(2):
        seat = wanda.post(f"{stage.API}/assignments/claim/", {"project": batch.project_id}).json()
        assert seat["project"]["name"] == "Crossing"
        assert stage.submit(wanda, seat).status_code == 200


def test_only_workers_claim() -> None:
    batch = stage.launched()
    for name in ("Alice", "Mona", "Rita", "Ada", "Eve"):
        assert stage.try_claim(cast.client(name), batch.project).status_code in (403, 404), name


def test_a_project_may_ask_for_better_clips() -> None:
    sizes = {}
    for quality in ("default", "best"):
        project = cast.project(name=quality)
        cast.video(project)
        body = {"policy": {"segment_frames": 60, "overlap_frames": 10, "clip_quality": quality, "gold_share": 0}}
        assert cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/launch/", body).status_code == 201
        cast.work_off()
        sizes[quality] = Segment.objects.get(video__project=project).clip.bytes
    assert sizes["best"] > sizes["default"]
    answer = cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/launch/", {"policy": {"clip_quality": "x"}})
    assert answer.json()["errors"][0]["pointer"] == "/policy/clip_quality"
