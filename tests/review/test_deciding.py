from __future__ import annotations

import pytest

from crowd import publishing
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, LedgerEntry, Task
from review.models import Build, Consensus, Decision
from review.reconciling import reconcile
from tests import cast
from tests.crowd import stage as work
from tests.review import stage

pytestmark = pytest.mark.django_db


def test_what_workers_agree_on_is_accepted_by_rule_and_paid() -> None:
    batch = stage.launched(frames=20, reward_micros=300)
    stage.by_all(batch, Wanda=stage.tracks, Will=stage.tracks)
    consensus = stage.only_consensus(batch)
    assert (consensus.status, consensus.decided_by) == ("accepted", None)
    assert consensus.agreement == pytest.approx(1.0, abs=0.02)
    assert Task.objects.get(batch=batch).status == "done"
    assert Batch.objects.get(pk=batch.pk).status == "done"
    assert LedgerEntry.objects.count() == 2
    assert set(Assignment.objects.values_list("status", flat=True)) == {Seat.ACCEPTED}


def test_the_consensus_of_equal_submissions_is_what_they_drew() -> None:
    batch = stage.launched(frames=20)
    stage.by_all(batch, Wanda=stage.tracks, Will=stage.tracks)
    body = cast.client("Alice").get(f"{stage.API}/consensus/{stage.only_consensus(batch).pk}/").json()
    (track,) = body["tracks"]
    drawn = stage.tracks(0, 20)[0]["keyframes"]
    assert [k["points"] for k in (track["keyframes"][0], track["keyframes"][-1])] == [
        pytest.approx(k["points"], abs=0.6) for k in drawn
    ]
    assert len(track["support"]) == 2 and 0.5 < track["confidence"] <= 1
    assert [s["worker"][:2] for s in body["submissions"]] == ["w-", "w-"]


def test_a_manager_reads_names_where_others_read_pseudonyms() -> None:
    consensus = stage.disputed()
    seen = {}
    for name in ("Mona", "Alice", "Rita"):
        body = cast.client(name).get(f"{stage.API}/consensus/{consensus.pk}/").json()
        seen[name] = {submission["worker"] for submission in body["submissions"]}
    assert seen["Mona"] == {"Wanda", "Will"}
    assert seen["Alice"] == seen["Rita"] and not seen["Alice"] & {"Wanda", "Will"}


def test_a_disputed_task_gets_one_more_seat_at_a_time_and_then_a_reviewer() -> None:
    batch = stage.launched(frames=20, max_redundancy=3)
    stage.by_all(batch, Wanda=stage.tracks, Will=lambda a, b: stage.tracks(a, b, shift=25.0))
    assert Task.objects.get(batch=batch).status == "open"
    assert Assignment.objects.filter(status=Seat.OPEN).count() == 1
    listed = cast.client("Rita").get(f"{stage.API}/projects/{batch.project_id}/consensus/?status=pending").json()
    assert listed["results"] == []
    stage.by_all(batch, Walt=lambda a, b: [])
    assert Task.objects.get(batch=batch).status == "in_review"
    listed = cast.client("Rita").get(f"{stage.API}/projects/{batch.project_id}/consensus/?status=pending").json()
    assert len(listed["results"]) == 1


def test_a_reviewer_accepts_once() -> None:
    consensus = stage.disputed()
    answer = stage.decide("Rita", consensus, "accept", {"version": consensus.version})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["decided_by"], answer.json()["decisions"]) == ("accepted", "Rita", 1)
    assert stage.decide("Mona", consensus, "accept").status_code == 409
    assert stage.decide("Mona", consensus, "reject", {"reason": "no"}).status_code == 409


def test_a_client_sees_that_somebody_decided_and_not_who() -> None:
    consensus = stage.disputed()
    stage.decide("Rita", consensus, "accept")
    path = f"{stage.API}/consensus/{consensus.pk}/"
    told = {name: cast.client(name).get(path).json()["decided_by"] for name in ("Alice", "Mona", "Rita")}
    assert told["Mona"] == told["Rita"] == "Rita" and told["Alice"].startswith("r-")
    listed = cast.client("Alice").get(f"{stage.API}/projects/{consensus.task.project_id}/consensus/").json()
    assert [row["decided_by"] for row in listed["results"]] == [told["Alice"]]


def test_a_verdict_on_an_old_version_is_refused() -> None:
    consensus = stage.disputed()
    assert stage.decide("Rita", consensus, "accept", {"version": consensus.version + 1}).status_code == 409
    assert not Decision.objects.exists()


def test_clients_and_strangers_do_not_decide() -> None:
    consensus = stage.disputed()
    for name, status in (("Alice", 403), ("Wanda", 404), ("Eve", 404), ("Max", 404)):
        assert stage.decide(name, consensus, "accept").status_code == status, name


def test_a_rejection_opens_seats_and_keeps_the_old_submissions_as_inputs() -> None:
    consensus = stage.disputed()
    assert stage.decide("Rita", consensus, "reject", {"reason": "missed the car", "seats": 2}).status_code == 200
    task = Task.objects.get(pk=consensus.task_id)
    assert task.status == "open" and Assignment.objects.filter(task=task, status=Seat.OPEN).count() == 2
    stage.by_all(consensus.batch, Walt=stage.tracks, Wim=stage.tracks)
    consensus.refresh_from_db()
    assert (consensus.status, consensus.version) == ("pending", 2)
    assert len(Build.objects.get(consensus=consensus, version=2).inputs) == 4
    assert Task.objects.get(pk=consensus.task_id).status == "in_review"


def test_a_rejection_needs_a_reason() -> None:
    answer = stage.decide("Rita", stage.disputed(), "reject", {})
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/reason"


def test_a_rejection_that_the_budget_does_not_cover_is_refused_and_the_item_stays() -> None:
    consensus = stage.disputed(reward_micros=10, budget_micros=20)
    assert stage.decide("Rita", consensus, "reject", {"reason": "again"}).status_code == 409
    assert Consensus.objects.get().status == "pending"
    assert stage.decide("Rita", consensus, "accept").status_code == 200


def test_amending_accepts_the_reviewers_tracks_and_pays_by_them() -> None:
    consensus = stage.disputed(reward_micros=300)
    answer = stage.decide("Rita", consensus, "amend", {"tracks": stage.tracks(0, 20)})
    assert answer.status_code == 200, answer.content
    assert answer.json()["tracks"][0]["keyframes"][0]["points"] == stage.tracks(0, 20)[0]["keyframes"][0]["points"]
    assert Decision.objects.get().verdict == "amend"
    paid = Assignment.objects.filter(status=Seat.ACCEPTED).values_list("worker__username", flat=True)
    assert list(paid) == ["Wanda"]


def test_an_invalid_amendment_changes_nothing() -> None:
    consensus = stage.disputed()
    answer = stage.decide("Rita", consensus, "amend", {"tracks": stage.tracks(0, 20, label="unicorn")})
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/tracks/0/label"
    assert Consensus.objects.get().status == "pending"


def test_one_submission_is_accepted_by_rule_even_when_empty() -> None:
    batch = stage.launched(frames=20, redundancy=1, max_redundancy=1)
    stage.by_all(batch, Wanda=lambda a, b: [])
    consensus = stage.only_consensus(batch)
    assert (consensus.status, consensus.agreement) == ("accepted", 1.0)


def test_a_submission_after_the_decision_is_paid_by_the_same_rule() -> None:
    batch = stage.launched(frames=20, max_redundancy=3, reward_micros=300)
    stage.by_all(batch, Wanda=stage.tracks, Will=lambda a, b: stage.tracks(a, b, shift=25.0))
    consensus = stage.only_consensus(batch)
    late = cast.client("Walt")
    seat = work.claim(late, batch.project)
    assert stage.decide("Rita", consensus, "amend", {"tracks": stage.tracks(0, 20)}).status_code == 200
    assert work.submit(late, seat).status_code == 200
    cast.work_off()
    assert Assignment.objects.get(pk=seat["id"]).status == Seat.ACCEPTED


def test_judging_twice_builds_once() -> None:
    consensus = stage.disputed()
    for _ in range(2):
        reconcile(task_id=consensus.task_id)
    assert Build.objects.filter(consensus=consensus).count() == 1


def test_work_of_a_cancelled_batch_is_judged_and_paid_by_the_same_rule_but_in_no_release() -> None:
    batch = stage.launched(frames=20, max_redundancy=3, reward_micros=300)
    stage.by_all(batch, Wanda=stage.tracks, Will=lambda a, b: stage.tracks(a, b, shift=25.0))
    walt = cast.client("Walt")
    seat = work.claim(walt, batch.project)
    assert cast.client("Alice").post(f"{stage.API}/batches/{batch.pk}/cancel/").status_code == 200
    assert work.submit(walt, seat).status_code == 200
    cast.work_off()
    assert LedgerEntry.objects.count() == 0
    consensus = stage.only_consensus(batch)
    assert stage.decide("Rita", consensus, "reject", {"reason": "Neither."}).status_code == 409
    drawn = {"tracks": stage.tracks(0, 20)}
    assert stage.decide("Rita", consensus, "amend", drawn).status_code == 200
    cast.work_off()
    paid = LedgerEntry.objects.filter(kind="accrual").values_list("worker__username", flat=True)
    assert sorted(paid) == ["Walt", "Wanda"]
    assert not Assignment.objects.filter(status__in=[Seat.OPEN, Seat.HELD]).exists()
    assert (Batch.objects.get().status, Task.objects.get().status) == ("cancelled", "cancelled")
    assert cast.client("Alice").get(f"{stage.API}/videos/{consensus.video_id}/tracks/").json()["results"] == []


def test_a_submission_to_a_cancelled_batch_that_nobody_judges_waits_for_a_manager() -> None:
    batch = stage.launched(frames=20, reward_micros=300)
    walt = cast.client("Walt")
    seat = work.claim(walt, batch.project)
    cast.client("Alice").post(f"{stage.API}/batches/{batch.pk}/cancel/")
    assert work.submit(walt, seat).status_code == 200
    cast.work_off()
    assert Assignment.objects.get(pk=seat["id"]).status == Seat.SUBMITTED
    answer = cast.client("Mona").post(f"{stage.API}/submissions/{seat['id']}/accept/", {"reason": "It was done."})
    assert answer.status_code == 200 and LedgerEntry.objects.get().amount_micros == 300


@pytest.mark.parametrize("verb", ["accept", "amend"])
def test_what_there_is_of_a_segment_that_was_given_up_can_still_be_accepted_and_it_is_done(verb: str) -> None:
    batch = stage.launched(frames=20, max_redundancy=3)
    stage.by_all(batch, Wanda=stage.tracks, Will=lambda a, b: stage.tracks(a, b, shift=25.0))
    consensus = stage.only_consensus(batch)
    stage.work(batch, "Wim")
    publishing.quarantine_task(task_id=consensus.task_id, reason="It broke three times.")
    assert Batch.objects.get(pk=batch.pk).status == "done"
    assert stage.decide("Rita", consensus, "reject", {"reason": "Who is who?"}).status_code == 409
    body = {"tracks": stage.tracks(0, 20)} if verb == "amend" else {}
    assert stage.decide("Rita", consensus, verb, body).status_code == 200
    cast.work_off()
    progress = cast.client("Mona").get(f"{stage.API}/projects/{batch.project_id}/progress/").json()
    assert (progress["tasks"]["quarantined"], progress["tasks"]["done"], progress["segments"]["accepted"]) == (0, 1, 1)
    assert cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/releases/").status_code == 201
