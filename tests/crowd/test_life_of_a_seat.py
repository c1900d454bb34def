from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import F

from annotation.models import IdempotencyKey, Job, TrackSet
from crowd import completing, seating
from crowd.jobs import end_lapsed_seats
from crowd.lifecycle import Seat
from crowd.models import Assignment, Draft, LateBody, Transition
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def states(**which: object) -> list[str]:
    return sorted(Assignment.objects.filter(**which).values_list("status", flat=True))


def moves(seat_id: str) -> list[tuple[str, str]]:
    rows = Transition.objects.filter(assignment=seat_id).order_by("pk")
    return list(rows.values_list("from_status", "to_status"))


def test_a_claim_holds_an_open_seat_and_says_all_that_a_worker_needs() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    answer = stage.try_claim(wanda, batch.project)
    assert answer.status_code == 201
    seat = answer.json()
    assert seat["project"]["labels"][0]["name"] == "person"
    assert seat["segment"] | {"width": 96, "height": 64} == seat["segment"]
    assert len(seat["clip"]["frame_times_s"]) == seat["segment"]["stop"] - seat["segment"]["start"]
    assert seat["tracks"] == [] and seat["renewals_left"] == 3
    assert moves(seat["id"]) == [("", "open"), ("open", "held")]


def test_a_second_claim_gives_the_seat_already_held() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    first = stage.claim(wanda, batch.project)
    again = stage.try_claim(wanda, batch.project)
    assert again.status_code == 200 and again.json()["id"] == first["id"]


def test_being_told_of_a_seat_once_more_keeps_no_copy_of_what_is_drawn_there() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    told = [wanda.post(f"{stage.API}/assignments/claim/", {}, headers={"Idempotency-Key": f"k{i}"}) for i in (1, 2, 2)]
    assert [(answer.status_code, answer.json()["id"]) for answer in told] == [(200, seat["id"])] * 3
    assert not IdempotencyKey.objects.exists()


def test_as_many_seats_are_held_as_the_policy_allows() -> None:
    batch = stage.launched(max_held=2)
    wanda = cast.client("Wanda")
    answers = [stage.try_claim(wanda, batch.project) for _ in range(3)]
    assert [a.status_code for a in answers] == [201, 201, 200]
    assert len({a.json()["id"] for a in answers}) == 2


def test_a_worker_sits_at_a_task_once_and_then_there_is_nothing_to_do() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    done = set()
    for _ in range(4):
        seat = stage.claim(wanda, batch.project)
        assert stage.submit(wanda, seat).status_code == 200
        done.add(Assignment.objects.get(pk=seat["id"]).task_id)
    assert len(done) == 4
    assert stage.try_claim(wanda, batch.project).status_code == 204


def test_a_submission_is_stored_and_wants_its_task_judged() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    assert stage.submit(wanda, seat).json() == {"id": seat["id"], "status": "submitted"}
    row = Assignment.objects.get(pk=seat["id"])
    assert row.track_set is not None and row.track_set.track_count == 1
    assert row.slot is None and row.lease_until is None
    assert Job.objects.filter(kind="reconcile", subject=row.task_id).exists()
    assert moves(seat["id"])[-1] == ("held", "submitted")


def test_a_second_submission_changes_nothing() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.submit(wanda, seat)
    again = stage.submit(wanda, seat, [])
    assert again.status_code == 409 and again.json()["type"].endswith("seat-is-over")
    assert TrackSet.objects.count() == 1


def test_a_repeated_submission_with_its_key_gets_the_same_answer() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    answers = [stage.submit(wanda, seat, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200] and answers[0].json() == answers[1].json()
    assert TrackSet.objects.count() == 1


def test_a_wrong_token_is_refused_and_nothing_is_stored() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    assert stage.submit(wanda, seat | {"token": "guess"}).status_code == 409
    assert TrackSet.objects.count() == 0 and states(worker__username="Wanda") == ["held"]


def test_a_late_submission_is_gone_but_kept_and_the_seat_is_open_for_others() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.lapse(seat)
    before = Assignment.objects.filter(status=Seat.OPEN).count()
    assert stage.submit(wanda, seat).status_code == 410
    assert '"tracks"' in LateBody.objects.get(assignment=seat["id"]).body
    assert states(worker__username="Wanda") == ["expired"]
    assert Assignment.objects.filter(status=Seat.OPEN).count() == before + 1
    assert TrackSet.objects.count() == 0


def test_only_who_sent_work_too_late_is_told_that_it_was_kept() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.lapse(seat)
    address, body = f"{stage.API}/assignments/{seat['id']}", {"token": seat["token"], "tracks": []}
    answers = [wanda.post(f"{address}/{move}/", body) for move in ("renew", "release", "submit")]
    answers.append(wanda.put(f"{address}/draft/", body))
    assert [(a.status_code, "was kept" in a.json()["detail"]) for a in answers] == [
        (410, False),
        (410, False),
        (410, True),
        (410, True),
    ]


def test_an_invalid_late_submission_is_gone_and_kept_all_the_same() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.lapse(seat)
    assert stage.submit(wanda, seat, [{"id": "1", "label": "unicorn", "keyframes": []}]).status_code == 410
    assert "unicorn" in LateBody.objects.get(assignment=seat["id"]).body


def test_of_late_submissions_the_latest_valid_one_is_kept_and_can_be_salvaged() -> None:
    batch = stage.launched(frames=20)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.lapse(seat)
    unicorn = [{"id": "1", "label": "unicorn", "keyframes": []}]
    for drawn in (unicorn, [], stage.tracks(0, 20), unicorn):
        assert stage.submit(wanda, seat, drawn).status_code == 410
    salvage = f"{stage.API}/submissions/{seat['id']}/salvage/"
    assert cast.client("Mona").post(salvage, {"reason": "a train was late"}).status_code == 200
    assert wanda.get(f"{stage.API}/assignments/{seat['id']}/").json()["tracks"][0]["label"] == "person"


def test_the_sweep_ends_lapsed_seats_once() -> None:
    batch = stage.launched()
    seat = stage.claim(cast.client("Wanda"), batch.project)
    stage.lapse(seat)
    before = Assignment.objects.count()
    end_lapsed_seats()
    end_lapsed_seats()
    assert Assignment.objects.count() == before + 1
    assert moves(seat["id"])[-1] == ("held", "expired")


def test_a_worker_who_let_a_seat_lapse_never_meets_that_task_again() -> None:
    batch = stage.launched(frames=20)
    wanda = cast.client("Wanda")
    stage.lapse(stage.claim(wanda, batch.project))
    assert stage.try_claim(wanda, batch.project).status_code == 204
    assert states(worker__username="Wanda") == ["expired"]
    assert stage.claim(cast.client("Will"), batch.project)


def test_a_renewed_lease_starts_anew_until_no_renewal_is_left() -> None:
    batch = stage.launched(max_renewals=1)
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    Assignment.objects.filter(pk=seat["id"]).update(lease_until=F("lease_until") - timedelta(minutes=1))
    address = f"{stage.API}/assignments/{seat['id']}/renew/"
    first = wanda.post(address, {"token": seat["token"]})
    assert first.status_code == 200
    until = [datetime.fromisoformat(told["lease_until"]) for told in (seat, first.json())]
    assert until[1] >= until[0]
    second = wanda.post(address, {"token": seat["token"]})
    assert second.status_code == 409 and second.json()["type"].endswith("no-renewals-left")


def test_a_lapsed_lease_cannot_be_renewed() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    stage.lapse(seat)
    assert wanda.post(f"{stage.API}/assignments/{seat['id']}/renew/", {"token": seat["token"]}).status_code == 410
    assert states(worker__username="Wanda") == ["expired"]


def test_a_released_seat_opens_a_fresh_one() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    before = Assignment.objects.filter(status=Seat.OPEN).count()
    body = {"token": seat["token"], "reason": "too dark"}
    assert wanda.post(f"{stage.API}/assignments/{seat['id']}/release/", body).status_code == 200
    row = Assignment.objects.get(pk=seat["id"])
    assert (row.status, row.reason) == ("released", "too dark")
    assert Assignment.objects.filter(status=Seat.OPEN).count() == before + 1


def test_a_draft_comes_back_and_outlives_its_lease() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    address = f"{stage.API}/assignments/{seat['id']}/draft/"
    drawn = stage.tracks(seat["segment"]["start"], seat["segment"]["stop"])
    assert wanda.put(address, {"token": seat["token"], "tracks": drawn}).status_code == 200
    assert wanda.get(f"{stage.API}/assignments/{seat['id']}/").json()["tracks"] == drawn
    stage.lapse(seat)
    assert wanda.put(address, {"token": seat["token"], "tracks": []}).status_code == 410
    assert Draft.objects.get(assignment=seat["id"]).body == '{"tracks":[],"intervals":[]}'


def test_an_invalid_submission_says_where_and_stores_nothing() -> None:
    batch = stage.launched()
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, batch.project)
    drawn = stage.tracks(seat["segment"]["start"], seat["segment"]["stop"], label="unicorn")
    answer = stage.submit(wanda, seat, drawn)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/tracks/0/label"]
    assert TrackSet.objects.count() == 0 and states(worker__username="Wanda") == ["held"]


def test_nobody_else_finds_a_workers_seat() -> None:
    batch = stage.launched()
    seat = stage.claim(cast.client("Wanda"), batch.project)
    will = cast.client("Will")
    address = f"{stage.API}/assignments/{seat['id']}/"
    assert will.get(address).status_code == 404
    assert will.post(f"{address}submit/", {"token": seat["token"], "tracks": []}).status_code == 404
    assert will.get(f"{stage.API}/assignments/nonsense/").json() == will.get(address).json()


def test_a_project_may_be_named_in_a_claim() -> None:
    batch = stage.launched()
    answer = cast.client("Wanda").post(f"{stage.API}/assignments/claim/", {"project": batch.project.name})
    assert answer.status_code == 201 and answer.json()["project"]["id"] == batch.project_id


def test_a_task_opened_again_has_the_seats_that_it_is_given_not_those_that_ended_after_it_was_done() -> None:
    batch = stage.launched(frames=38, max_held=2)
    for name in ("Wanda", "Will"):
        worker = cast.client(name)
        seats = [stage.claim(worker, batch.project) for _ in range(2)]
    task_id = Assignment.objects.get(pk=seats[0]["id"]).task_id
    assert completing.finish(task=seating.lock_task(task_id))
    for pk in Assignment.objects.filter(task=task_id).values_list("pk", flat=True):
        stage.lapse({"id": pk})
    end_lapsed_seats()
    assert states(task=task_id) == ["expired", "expired"]
    assert completing.reopen(task=seating.lock_task(task_id), seats=1) == 1
    assert states(task=task_id) == ["expired", "expired", "open"]
