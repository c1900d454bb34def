"""Many submissions decided at once while somebody else decides one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from crowd import awaiting, paying
from crowd.invariants import broken
from crowd.lifecycle import Seat
from crowd.models import Assignment, LedgerEntry
from tests import cast
from tests.races.explorer import Explorer
from tests.races.test_duplicates import AT_ONCE, at_once
from tests.races.world import REWARD, World, explore
from tests.review import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


def all_at_once(world: World, verb: Callable[..., bool | None]) -> Callable[[], str]:
    def decide() -> str:
        each = awaiting.decide_each(
            project=world.project, ids=[world.seat], verb=verb, by=world.mona, reason="all of them"
        )
        return each[0].outcome.value

    return decide


def owed() -> int:
    return sum(LedgerEntry.objects.values_list("amount_micros", flat=True))


def test_one_accepts_all_while_another_rejects_one(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        world.submit()()

    def right(accepted: str, rejected: str) -> bool:
        known = accepted in ("decided", "already_decided") and rejected in ("ok", "WrongState")
        return known and owed() == (REWARD if world.row().status == Seat.ACCEPTED else 0)

    outcomes = explore(explorer, (all_at_once(world, paying.accept), world.reject), right, request)
    assert {("decided", "WrongState"), ("already_decided", "ok")} <= set(outcomes)


def test_of_two_who_decide_all_each_submission_has_one(
    explorer: Explorer, world: World, request: pytest.FixtureRequest
) -> None:
    with transaction.atomic():
        world.submit()()
    both = (all_at_once(world, paying.accept), all_at_once(world, paying.reject))

    def right(*outcomes: str) -> bool:
        accepted = world.row().status == Seat.ACCEPTED
        return sorted(outcomes) == ["already_decided", "decided"] and owed() == (REWARD if accepted else 0)

    assert len(set(explore(explorer, both, right, request))) == 2


def test_managers_who_accept_all_over_the_api_while_others_reject_one() -> None:
    rules: dict[str, Any] = {"redundancy": 3, "max_redundancy": 3, "agreement_floor": 0.3, "reward_micros": REWARD}
    batch = stage.launched(frames=56, **rules)
    stage.by_all(batch, Wanda=stage.tracks, Will=stage.tracks, Walt=lambda a, b: stage.tracks(a, b, shift=30.0))
    ids = list(Assignment.objects.filter(worker__username="Walt", status="submitted").values_list("pk", flat=True))
    everything = f"{stage.API}/projects/{batch.project_id}/workers/Walt/submissions/accept/"
    managers = [cast.client("Mona") for _ in range(AT_ONCE)]

    def decide(i: int) -> Any:
        path = everything if i % 2 else f"{stage.API}/submissions/{ids[1]}/reject/"
        return managers[i].post(path, {"reason": "looked"}, headers={"Idempotency-Key": f"k{i}"})

    answers = at_once(decide)
    told = [one for answer in answers[1::2] for one in answer.json()["results"]]
    assert {answer.status_code for answer in answers[1::2]} == {200}
    assert {answer.status_code for answer in answers[::2]} <= {200, 409}
    decided = Counter(one["id"] for one in told if one["outcome"] == "decided")
    assert decided[ids[0]] == decided[ids[2]] == 1 and decided[ids[1]] <= 1
    seats = dict(Assignment.objects.filter(pk__in=ids).values_list("pk", "status"))
    assert seats == {ids[0]: "accepted", ids[1]: "rejected", ids[2]: "accepted"}
    paid = LedgerEntry.objects.filter(worker__username="Walt").values_list("amount_micros", flat=True)
    assert len(ids) == 3 and sum(paid) == 2 * REWARD and broken() == {}
