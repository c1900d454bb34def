"""Gold retired by exposure, flagged when it is bad, retired and restored by a manager, and made of a consensus."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from crowd import exposing, jobs, publishing, scoring, seeding
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, Gold, GoldEvent, Score, Skill, Task
from review.models import Consensus
from tests import cast
from tests.crowd import stage
from tests.crowd.test_gold import golden, work

pytestmark = pytest.mark.django_db


def post(by: str, address: str, **body: Any) -> Any:
    return cast.client(by).post(f"{stage.API}{address}", body)


def scored(batch: Batch, name: str, shift: float = 0.0, *, trusted: bool = False) -> Assignment:
    if trusted:
        Skill.objects.create(project=batch.project, worker=cast.user(name), low=0.7, mean=0.8, high=0.9, figures={})
    seat = work(batch, name, shift)
    scoring.score(assignment_id=seat.pk)
    return seat


def test_gold_that_enough_workers_drew_is_retired() -> None:
    batch = golden(gold_exposures=2)
    gold = Gold.objects.get()
    scored(batch, "Wanda")
    exposing.look(gold_id=gold.pk)
    assert Gold.objects.get().retired_at is None
    scored(batch, "Will")
    assert seeding.keep_extra_seats(batch_id=batch.pk) == 0  # as often as allowed already
    exposing.look(gold_id=gold.pk)
    body = cast.client("Alice").get(f"{stage.API}/gold/{gold.pk}/").json()
    assert body["retired_at"] and body["exposures"] == 2
    assert [(e["kind"], e["by"]) for e in body["events"]] == [("retired", None)]
    assert Task.objects.get(batch=batch).gold == gold  # it is still right
    assert Score.objects.count() == 2


def test_gold_that_trusted_workers_fail_is_flagged_and_scores_nobody() -> None:
    batch = golden(redundancy=4, max_redundancy=4)
    gold = Gold.objects.get()
    for name in ("Wanda", "Will"):
        scored(batch, name, shift=30.0, trusted=True)
    exposing.look(gold_id=gold.pk)
    assert Gold.objects.get().flagged_at is None  # two are too few to say
    scored(batch, "Walt", trusted=True)
    scored(batch, "Wim", shift=30.0)  # of whom nothing is known
    exposing.look(gold_id=gold.pk)
    body = cast.client("Alice").get(f"{stage.API}/gold/{gold.pk}/").json()
    assert body["evidence"] == {"trusted": 3, "failed": 2}
    assert Task.objects.get(batch=batch).gold is None
    (worker,) = [
        w
        for w in cast.client("Mona").get(f"{stage.API}/projects/{batch.project_id}/workers/").json()["results"]
        if w["user"] == "Wanda"
    ]
    assert worker["benchmark_score"] is None
    told = cast.client("Mona").get(f"{stage.API}/projects/{batch.project_id}/progress/").json()
    assert told["benchmark_score"] == {"mean": None, "n": 0}


def test_gold_that_most_of_the_trusted_pass_stays() -> None:
    batch = golden(redundancy=4, max_redundancy=4)
    for name, shift in (("Wanda", 0.0), ("Will", 0.0), ("Walt", 30.0), ("Wim", 0.0)):
        scored(batch, name, shift, trusted=True)
    exposing.look(gold_id=Gold.objects.get().pk)
    assert Gold.objects.get().flagged_at is None


def test_a_manager_retires_gold_and_uses_it_again() -> None:
    batch = golden()
    for name in ("Wanda", "Will"):
        scored(batch, name)
    seeding.keep_extra_seats(batch_id=batch.pk)
    gold = Gold.objects.get()
    assert post("Mona", f"/gold/{gold.pk}/retire/").status_code == 400
    answer = post("Mona", f"/gold/{gold.pk}/retire/", reason="a box is missing")
    assert answer.json()["retired_reason"] == "a box is missing"
    assert Assignment.objects.filter(extra=True, status=Seat.OPEN).count() == 0
    assert post("Mona", f"/gold/{gold.pk}/retire/", reason="again").status_code == 409
    restored = post("Mona", f"/gold/{gold.pk}/restore/", reason="no, it is right").json()
    assert restored["retired_at"] is None and restored["exposures"] == 0  # counted anew
    assert Task.objects.get(batch=batch).gold == gold
    assert list(GoldEvent.objects.order_by("pk").values_list("kind", "by__username")) == [
        ("retired", "Mona"),
        ("restored", "Mona"),
    ]
    assert post("Mona", f"/gold/{gold.pk}/restore/", reason="once more").status_code == 409


def with_extra_seats(**policy: Any) -> tuple[Batch, Gold]:
    """Three tasks; the one inside gold is filled and has extra seats, the others are open."""
    batch = stage.launched(gold_share=1.0, reward_micros=10, **policy)
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 20, "tracks": stage.tracks(0, 20)}
    gold = Gold.objects.get(pk=post("Alice", f"/projects/{batch.project_id}/gold/", **body).json()["id"])
    for name in ("Will", "Walt"):
        assert work(batch, name).task.gold == gold
    cast.work_off()
    return batch, gold


def test_a_gold_task_that_is_filled_gets_its_extra_seats_at_once() -> None:
    with_extra_seats()
    assert Assignment.objects.filter(extra=True, status=Seat.OPEN).count() == seeding.EXTRA_SEATS


def test_who_sat_at_gold_that_was_retired_meanwhile_is_paid() -> None:
    batch, gold = with_extra_seats()
    seat = stage.claim(cast.client("Wanda"), batch.project)
    assert Assignment.objects.get(pk=seat["id"]).extra
    post("Mona", f"/gold/{gold.pk}/retire/", reason="wrong")
    assert stage.submit(cast.client("Wanda"), seat, []).status_code == 200
    jobs.settle_what_lost_its_gold()
    Assignment.objects.filter(pk=seat["id"]).update(
        submitted_at=Now() - timedelta(hours=1), claimed_at=Now() - timedelta(hours=2)
    )
    cast.work_off()
    assert Assignment.objects.get(pk=seat["id"]).status == Seat.ACCEPTED


@pytest.mark.parametrize(
    ("meanwhile", "left"), [("in use", 2), ("retired", 0), ("seen often", 0), ("its task was given up", 0)]
)
def test_an_extra_seat_that_is_given_back_is_followed_by_one_only_where_its_gold_is_given_out(
    meanwhile: str, left: int
) -> None:
    batch, gold = with_extra_seats(gold_exposures=3)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    if meanwhile == "retired":
        post("Mona", f"/gold/{gold.pk}/retire/", reason="wrong")
    elif meanwhile == "seen often":
        scored(batch, "Wim")
        exposing.look(gold_id=gold.pk)
    elif meanwhile == "its task was given up":
        task = Assignment.objects.get(pk=seat["id"]).task
        Task.objects.filter(pk=task.pk).update(status="filled")
        publishing.quarantine_task(task_id=task.pk, reason="no consensus")
    released = wanda.post(f"{stage.API}/assignments/{seat['id']}/release/", {"token": seat["token"]})
    assert released.status_code == 200
    assert Assignment.objects.filter(extra=True, status=Seat.OPEN).count() == left


def test_an_accepted_consensus_becomes_gold_that_does_not_score_its_own_makers() -> None:
    batch = stage.launched(frames=20)
    for name in ("Wanda", "Will"):
        work(batch, name)
    cast.work_off()
    consensus = Consensus.objects.get()
    assert consensus.status == "accepted"
    assert post("Alice", f"/consensus/{consensus.pk}/gold/").status_code == 403
    answer = post("Rita", f"/consensus/{consensus.pk}/gold/")
    assert answer.status_code == 201 and (answer.json()["start"], answer.json()["stop"]) == (0, 20)
    assert post("Rita", f"/consensus/{consensus.pk}/gold/").status_code == 409
    cast.work_off()
    assert Score.objects.count() == 0


def test_a_pending_consensus_is_no_gold() -> None:
    batch = stage.launched(frames=20, max_redundancy=2)
    work(batch, "Wanda")
    work(batch, "Will", 25.0)
    cast.work_off()
    answer = post("Rita", f"/consensus/{Consensus.objects.get().pk}/gold/")
    assert answer.status_code == 409
