from __future__ import annotations

from typing import Any

import pytest

from annotation.models import Project
from crowd import paying, sanctioning
from crowd.lifecycle import EntryKind, Seat
from crowd.models import Assignment, LateBody, LedgerEntry, Sanction, Transition
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def move(by: str, project: Project, who: str, verb: str, reason: str = "sloppy") -> Any:
    address = f"{stage.API}/projects/{project.pk}/workers/{who}/{verb}/"
    return cast.client(by).post(address, {"reason": reason})


def test_a_banned_worker_loses_held_seats_and_claims_nothing() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    before = Assignment.objects.filter(status=Seat.OPEN).count()
    assert move("Mona", batch.project, "Wanda", "ban").json()["state"] == "banned"
    assert Assignment.objects.get(pk=seat["id"]).status == Seat.REVOKED
    assert Assignment.objects.filter(status=Seat.OPEN).count() == before + 1
    refused = stage.try_claim(wanda, batch.project)
    assert refused.status_code == 403 and "sloppy" in refused.json()["detail"]
    assert stage.try_claim(wanda).status_code == 204


def test_what_a_banned_worker_still_sends_is_kept() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    move("Mona", batch.project, "Wanda", "ban")
    assert stage.submit(wanda, seat).status_code == 410
    assert LateBody.objects.filter(assignment=seat["id"]).exists()


def test_a_paused_worker_finishes_what_is_held_and_is_restored() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    move("Mona", batch.project, "Wanda", "pause", "training first")
    assert stage.submit(wanda, seat).status_code == 200
    assert stage.try_claim(wanda, batch.project).status_code == 403
    assert move("Mona", batch.project, "Wanda", "restore", "trained").json()["state"] == "active"
    assert stage.try_claim(wanda, batch.project).status_code == 201
    row = Sanction.objects.get()
    assert (row.reason, row.lifted_reason, row.lifted_by.username) == ("training first", "trained", "Mona")


def test_a_sanction_needs_a_reason_and_a_manager() -> None:
    batch = stage.launched()
    cast.user("Wanda")
    assert move("Mona", batch.project, "Wanda", "ban", " ").status_code == 400
    for name, status in (("Alice", 403), ("Rita", 403), ("Max", 404), ("Wanda", 404)):
        assert move(name, batch.project, "Wanda", "ban").status_code == status, name
    assert not Sanction.objects.exists()


def submitted(batch: Any) -> Assignment:
    worker = cast.client("Wanda")
    seat = stage.claim(worker, batch.project)
    stage.submit(worker, seat)
    return Assignment.objects.get(pk=seat["id"])


def decide(by: str, seat: Assignment, verb: str) -> Any:
    return cast.client(by).post(f"{stage.API}/submissions/{seat.pk}/{verb}/", {"reason": "looked at it"})


def test_an_acceptance_is_paid_once() -> None:
    seat = submitted(stage.launched(reward_micros=700))
    assert paying.accept(seat=seat) is True
    assert paying.accept(seat=seat) is False
    assert list(LedgerEntry.objects.values_list("kind", "amount_micros")) == [("accrual", 700)]
    assert cast.client("Wanda").get(f"{stage.API}/me/").json()["earned_micros"] == 700


def test_a_rejection_of_accepted_work_is_an_entry_of_its_own() -> None:
    seat = submitted(stage.launched(reward_micros=700))
    paying.accept(seat=seat)
    assert decide("Mona", seat, "reject").json()["status"] == "rejected"
    entries = LedgerEntry.objects.order_by("created_at").values_list("kind", "amount_micros")
    assert sorted(entries) == [(EntryKind.ACCRUAL, 700), (EntryKind.REVERSAL, -700)]
    assert decide("Mona", seat, "accept").json()["status"] == "accepted"
    assert paying.earned_micros(cast.user("Wanda")) == 700


def test_a_client_neither_pays_nor_rejects() -> None:
    seat = submitted(stage.launched())
    assert decide("Alice", seat, "accept").status_code == 403
    assert decide("Eve", seat, "accept").status_code == 404


def test_a_manager_salvages_a_late_submission() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.lapse(seat)
    assert stage.submit(wanda, seat).status_code == 410
    row = Assignment.objects.get(pk=seat["id"])
    assert decide("Mona", row, "salvage").json()["status"] == "submitted"
    assert Transition.objects.filter(assignment=row, to_status="submitted").get().actor.username == "Mona"
    assert decide("Mona", row, "salvage").status_code == 409


def test_managers_see_workers_and_their_figures() -> None:
    batch = stage.launched()
    submitted(batch)
    mona = cast.client("Mona")
    (figures,) = mona.get(f"{stage.API}/projects/{batch.project_id}/workers/").json()["results"]
    assert (figures["user"], figures["submitted"], figures["state"]) == ("Wanda", 1, "active")
    listed = mona.get(f"{stage.API}/projects/{batch.project_id}/submissions/?status=submitted").json()["results"]
    assert [s["worker"] for s in listed] == ["Wanda"]


def late(batch: Any, name: str = "Wanda") -> Assignment:
    """A seat whose submission came too late."""
    worker = cast.client(name)
    seat = stage.claim(worker, batch.project)
    stage.lapse(seat)
    assert stage.submit(worker, seat).status_code == 410
    return Assignment.objects.get(pk=seat["id"])


def test_a_salvaged_submission_takes_the_place_of_an_open_seat() -> None:
    batch = stage.launched(frames=20, reward_micros=100, budget_micros=200)
    seat = late(batch)
    assert decide("Mona", seat, "salvage").status_code == 200
    states = Assignment.objects.filter(batch=batch).order_by("status").values_list("status", flat=True)
    assert list(states) == ["open", "submitted", "withdrawn"]


def test_what_the_budget_does_not_cover_is_neither_salvaged_nor_accepted_again() -> None:
    batch = stage.launched(frames=20, reward_micros=100, budget_micros=200)
    seat = late(batch)
    for name in ("Will", "Walt"):
        worker = cast.client(name)
        stage.submit(worker, stage.claim(worker, batch.project))
    answer = decide("Mona", seat, "salvage")
    assert answer.status_code == 409 and answer.json()["type"].endswith("budget-is-spent")
    other = Assignment.objects.get(worker__username="Will")
    assert decide("Mona", other, "reject").status_code == 200
    assert decide("Mona", seat, "salvage").status_code == 200
    assert decide("Mona", other, "accept").status_code == 409


def test_a_claim_without_a_project_gives_the_seat_already_held_when_nothing_else_is_left() -> None:
    batch = stage.launched(frames=20, redundancy=1)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda)
    again = stage.try_claim(wanda)
    assert again.status_code == 200 and again.json()["id"] == seat["id"]
    assert stage.try_claim(cast.client("Will")).status_code == 204
    assert batch.pk


def test_nothing_to_do_is_said_to_whoever_may_hold_one_more() -> None:
    batch = stage.launched(frames=20, max_held=2)
    wanda = cast.client("Wanda")
    assert stage.try_claim(wanda, batch.project).status_code == 201
    assert stage.try_claim(wanda, batch.project).status_code == 204


def test_a_seat_that_a_banned_worker_holds_all_the_same_is_revoked_by_the_sweep() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    Sanction.objects.create(project=batch.project, worker=cast.user("Wanda"), kind="banned", reason="sloppy")
    assert sanctioning.revoke_again() == 1
    assert Assignment.objects.get(pk=seat["id"]).status == Seat.REVOKED
    assert sanctioning.revoke_again() == 0
