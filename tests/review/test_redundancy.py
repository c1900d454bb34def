"""An adaptive batch asks one more where that is expected to put something right, and a reviewer where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from crowd.models import Assignment, Batch
from review.lifecycle import ConsensusStatus
from review.models import Build
from tests import cast
from tests.review.stage import API, by_all, decide, disputed, launched, only_consensus, tracks

pytestmark = pytest.mark.django_db(transaction=True)


def adaptive(**policy: Any) -> Batch:
    return launched(frames=20, adaptive=True, redundancy=3, max_redundancy=3, **policy)


def open_seats(batch: Batch) -> int:
    return Assignment.objects.filter(batch=batch, status="open").count()


def why(batch: Batch) -> list[str]:
    return list(Build.objects.filter(consensus__batch=batch).order_by("version").values_list("wanted", flat=True))


def elsewhere(start: int, stop: int) -> list[dict[str, Any]]:
    return tracks(start, stop, shift=25.0)


def otherwise_named(start: int, stop: int) -> list[dict[str, Any]]:
    return tracks(start, stop, label="car")


def half_of_it(start: int, stop: int) -> list[dict[str, Any]]:
    drawn = tracks(start, stop)
    drawn[0]["keyframes"][1:] = [{"frame": start + 4, "points": [13.0, 5.5, 33.0, 45.5], "outside": True}]
    return drawn


def a_little_aside(start: int, stop: int) -> list[dict[str, Any]]:
    return tracks(start, stop, shift=1.0)


def test_two_who_agree_are_enough() -> None:
    batch = adaptive()
    by_all(batch, Wanda=tracks, Will=a_little_aside)
    assert only_consensus(batch).status == ConsensusStatus.ACCEPTED
    assert (open_seats(batch), why(batch)) == (0, [""])


@pytest.mark.parametrize("other", [elsewhere, otherwise_named, half_of_it])
def test_one_more_is_asked_where_one_stands_against_one(other: Any) -> None:
    batch = adaptive()
    by_all(batch, Wanda=tracks, Will=other)
    assert (open_seats(batch), why(batch)) == (1, ["gain"])


def test_what_is_worth_less_than_the_policy_asks_for_is_a_reviewers() -> None:
    batch = adaptive(gain_floor=0.9)
    by_all(batch, Wanda=tracks, Will=half_of_it)
    assert only_consensus(batch).status == ConsensusStatus.PENDING
    assert (open_seats(batch), why(batch)) == (0, [""])


def test_who_differ_by_what_one_more_would_not_put_right_are_a_reviewers() -> None:
    batch = adaptive(agreement_floor=1.0)
    by_all(batch, Wanda=tracks, Will=a_little_aside)
    assert only_consensus(batch).status == ConsensusStatus.PENDING
    assert (open_seats(batch), why(batch)) == (0, [""])


def test_a_third_settles_what_two_named_differently_and_nobody_else_is_asked() -> None:
    batch = launched(frames=20, adaptive=True, redundancy=3, max_redundancy=5, agreement_floor=0.6)
    by_all(batch, Wanda=tracks, Will=otherwise_named)
    by_all(batch, Wim=tracks)
    made = only_consensus(batch)
    assert made.status == ConsensusStatus.ACCEPTED
    assert (open_seats(batch), why(batch)) == (0, ["gain", ""])


def withheld(batch: Batch) -> dict[str, int]:
    return cast.client("Mona").get(f"{API}/projects/{batch.project_id}/progress/").json()["redundancy"]["withheld"]


def said(batch: Batch) -> list[tuple[str, str]]:
    """Of each build: why one more was wanted, and what kept it from being asked for."""
    body = cast.client("Mona").get(f"{API}/consensus/{only_consensus(batch).pk}/").json()
    return [(build["wanted"], build["withheld"]) for build in body["builds"]]


def test_a_manager_is_told_that_the_budget_of_the_launch_kept_one_more_from_being_asked_for() -> None:
    batch = adaptive(reward_micros=100, budget_micros=200)
    # Too late for this batch.
    richer = batch.policy | {"budget_micros": 1000}
    assert cast.client("Mona").patch(f"{API}/projects/{batch.project_id}/", {"policy": richer}).status_code == 200
    by_all(batch, Wanda=tracks, Will=elsewhere)
    assert (open_seats(batch), only_consensus(batch).task.status) == (0, "in_review")
    assert (withheld(batch), said(batch)) == ({"budget": 1}, [("gain", "budget")])


def test_a_manager_is_told_that_as_many_as_are_allowed_had_submitted() -> None:
    batch = launched(frames=20, adaptive=True, redundancy=2, max_redundancy=2, reward_micros=100, budget_micros=200)
    by_all(batch, Wanda=tracks, Will=elsewhere)
    assert (withheld(batch), said(batch)) == ({"max_redundancy": 1}, [("gain", "max_redundancy")])


def test_nothing_is_withheld_where_one_more_was_asked_for_or_none_was_wanted() -> None:
    batch = adaptive(reward_micros=100, budget_micros=300)
    by_all(batch, Wanda=tracks, Will=elsewhere)
    assert (open_seats(batch), withheld(batch), said(batch)) == (1, {}, [("gain", "")])


def test_after_a_rejection_only_reviewers_ask_for_more_and_the_manager_is_told() -> None:
    row = disputed()
    assert decide("Rita", row, "reject", {"reason": "Who is who?"}).status_code == 200
    by_all(row.batch, Walt=half_of_it)
    assert said(row.batch) == [("agreement", "max_redundancy"), ("agreement", "verdict")]
    assert withheld(row.batch) == {"max_redundancy": 1, "verdict": 1}
