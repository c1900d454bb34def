"""A manager's word on many submissions at once: each is decided by itself, and told."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.lifecycle import Role
from annotation.models import Member
from crowd import awaiting, paying
from crowd.api import submissions
from crowd.core.policies import from_json
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, LedgerEntry, Transition
from tests import cast
from tests.crowd import stage as work
from tests.review import stage

pytestmark = pytest.mark.django_db
REWARD = 250_000
RULES: dict[str, Any] = {
    "redundancy": 3, "max_redundancy": 3, "agreement_floor": 0.3, "reward_micros": REWARD,
}  # fmt: skip


def careless(batch: Batch | None = None) -> Batch:
    """Three segments: two agree on each, and Walt is far off on all of them."""
    batch = batch or stage.launched(frames=56, **RULES)
    stage.by_all(batch, Wanda=stage.tracks, Will=stage.tracks, Walt=lambda a, b: stage.tracks(a, b, shift=30.0))
    assert of_walt(batch) == {Seat.SUBMITTED: 3}
    return batch


def of_walt(batch: Batch) -> dict[str, int]:
    states = list(Assignment.objects.filter(batch=batch, worker__username="Walt").values_list("status", flat=True))
    return {state: states.count(state) for state in states}


def seats(batch: Batch) -> list[Assignment]:
    rows = Assignment.objects.filter(batch=batch, worker__username="Walt").select_related("batch")
    return list(rows.order_by("submitted_at", "pk"))


def all_of(batch: Batch, move: str, /, **body: Any) -> Any:
    path = f"{stage.API}/projects/{batch.project_id}/workers/Walt/submissions/{move}/"
    return cast.client("Mona").post(path, {"reason": "the clips were dark"} | body)


def these(batch: Batch, move: str, ids: list[str], **how: Any) -> Any:
    path = f"{stage.API}/projects/{batch.project_id}/submissions/{move}/"
    return cast.client("Mona").post(path, {"ids": ids, "reason": "a box around nothing"}, **how)


def came(answer: Any) -> list[tuple[str, str | None, str | None]]:
    assert answer.status_code == 200, answer.content
    return [(one["outcome"], one["status"], one["decided_by"]) for one in answer.json()["results"]]


def owed() -> int:
    return sum(LedgerEntry.objects.filter(worker__username="Walt").values_list("amount_micros", flat=True))


def test_all_that_wait_of_a_worker_are_accepted_and_paid_with_one_reason() -> None:
    batch = careless()
    answer = all_of(batch, "accept")
    assert came(answer) == [("decided", "accepted", "Mona")] * 3 and answer.json()["left"] == 0
    assert [one["id"] for one in answer.json()["results"]] == [seat.pk for seat in seats(batch)]
    assert owed() == 3 * REWARD
    moves = Transition.objects.filter(assignment__worker__username="Walt", to_status="accepted")
    assert set(moves.values_list("reason", "actor__username")) == {("the clips were dark", "Mona")}


def test_what_is_sent_twice_is_decided_once() -> None:
    batch = careless()
    ids = [seat.pk for seat in seats(batch)]
    these(batch, "reject", ids)
    assert came(these(batch, "reject", ids)) == [("already_decided", "rejected", "Mona")] * 3
    assert all_of(batch, "reject").json() == {"results": [], "left": 0}
    assert Transition.objects.filter(to_status="rejected").count() == 3 and owed() == 0


def test_the_same_key_gets_the_same_answer_and_another_body_under_it_none() -> None:
    batch = careless()
    ids = [seat.pk for seat in seats(batch)]
    key = {"headers": {"Idempotency-Key": "k"}}
    first, again = these(batch, "accept", ids, **key), these(batch, "accept", ids, **key)
    assert again.content == first.content and again["Idempotent-Replay"] == "true"
    assert these(batch, "accept", ids[:1], **key).status_code == 422 and owed() == 3 * REWARD


def test_what_stops_half_way_keeps_what_it_decided_and_goes_on_when_it_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = careless()
    ids = [seat.pk for seat in seats(batch)]

    def stop_at_the_last(*, seat: Assignment, **how: Any) -> bool:
        if seat.pk == ids[2]:
            raise RuntimeError("the lights went out")
        return paying.accept(seat=seat, **how)

    key = {"headers": {"Idempotency-Key": "k"}}
    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setitem(submissions.VERBS, "accept", stop_at_the_last)
        these(batch, "accept", ids, **key)
    assert owed() == 2 * REWARD
    outcomes = [outcome for outcome, _, _ in came(these(batch, "accept", ids, **key))]
    assert outcomes == ["already_decided"] * 2 + ["decided"] and owed() == 3 * REWARD


def test_each_is_told_by_itself_and_nobodys_word_is_taken_back() -> None:
    batch = careless()
    undecided, rejected, _ = seats(batch)
    paying.reject(seat=rejected, by=cast.user("Max"), reason="sloppy")
    by_rule = Assignment.objects.filter(batch=batch, worker__username="Wanda").first()
    foreign = careless()
    ids = [undecided.pk, rejected.pk, by_rule.pk, seats(foreign)[0].pk, "nothing", undecided.pk]
    assert came(these(batch, "accept", ids)) == [
        ("decided", "accepted", "Mona"),
        ("already_decided", "rejected", "Max"),
        ("already_decided", "accepted", "rule"),
        ("not_found", None, None),
        ("not_found", None, None),
    ]
    assert came(these(batch, "reject", [by_rule.pk])) == [("already_decided", "accepted", "rule")]
    assert owed() == REWARD and of_walt(foreign) == {Seat.SUBMITTED: 3}


def test_of_many_ones_own_waits_for_somebody_else_and_the_others_are_decided() -> None:
    batch = careless()
    Member.objects.create(project=batch.project, user=cast.user("Walt"), role=Role.MANAGER)
    ids = [seat.pk for seat in seats(batch)]
    Assignment.objects.filter(pk=ids[1]).update(worker=cast.user("Wim"))
    path = f"{stage.API}/projects/{batch.project_id}/submissions/accept/"
    answer = cast.client("Walt").post(path, {"ids": ids, "reason": "all of them are fine"})
    own = ("own_work", "submitted", None)
    assert came(answer) == [own, ("decided", "accepted", "Walt"), own] and owed() == 0


def test_what_is_no_submission_yet_is_told_so_and_stays() -> None:
    batch = stage.launched(frames=20)
    seat = work.claim(cast.client("Wanda"), batch.project)
    assert came(these(batch, "reject", [seat["id"]])) == [("no_submission", "held", None)]


def test_one_batch_of_a_worker_leaves_the_others_as_they_are() -> None:
    batch = careless()
    other = careless(work.launch(batch.project, cast.video(batch.project, 56), from_json(batch.policy)))
    assert came(all_of(batch, "reject", batch=batch.pk)) == [("decided", "rejected", "Mona")] * 3
    assert of_walt(other) == {Seat.SUBMITTED: 3}
    assert all_of(batch, "reject", batch="nothing").json()["errors"][0]["pointer"] == "/batch"
    assert of_walt(other) == {Seat.SUBMITTED: 3}


def test_work_at_a_segment_that_is_not_decided_does_not_wait() -> None:
    batch = stage.launched(frames=20, redundancy=3, max_redundancy=3)
    stage.by_all(batch, Walt=stage.tracks)
    assert all_of(batch, "reject").json() == {"results": [], "left": 0}


def test_of_very_many_the_oldest_are_decided_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = careless()
    monkeypatch.setattr(awaiting, "MOST", 2)
    answers = [all_of(batch, "accept").json() for _ in range(2)]
    assert [(len(answer["results"]), answer["left"]) for answer in answers] == [(2, 1), (1, 0)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ids": []}, "/ids"),
        ({"ids": ["x"] * (awaiting.MOST + 1)}, "/ids"),
        ({"ids": ["x" * 65]}, "/ids/0"),
        ({}, "/ids"),
        ({"ids": ["x"], "reason": " "}, "/reason"),
    ],
)
def test_what_cannot_be_decided_is_refused(body: dict[str, Any], pointer: str) -> None:
    path = f"{stage.API}/projects/{stage.launched(frames=20).project_id}/submissions/accept/"
    answer = cast.client("Mona").post(path, {"reason": "well"} | body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
