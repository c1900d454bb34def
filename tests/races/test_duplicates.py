"""Eight requests at once, through the whole of the REST API, each in a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from annotation.models import IdempotencyKey, TrackSet
from crowd.models import Assignment, Batch
from tests import cast
from tests.crowd import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
AT_ONCE = 8
ROUNDS = 5


def at_once(request: Callable[[int], Any]) -> list[Any]:
    """The answers of eight requests that begin together."""
    barrier = threading.Barrier(AT_ONCE)
    answers: list[Any] = [None] * AT_ONCE

    def one(i: int) -> None:
        try:
            barrier.wait()
            answers[i] = request(i)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(i,)) for i in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def held() -> tuple[Batch, dict[str, Any]]:
    batch = stage.launched(frames=20)
    return batch, stage.claim(cast.client("Wanda"), batch.project)


def test_the_same_key_has_one_effect_and_eight_equal_answers() -> None:
    for _ in range(ROUNDS):
        _, seat = held()
        before = TrackSet.objects.count()
        answers = at_once(lambda i: stage.submit(cast.client("Wanda"), seat, headers={"Idempotency-Key": "k"}))  # noqa: B023
        assert statuses(answers) == {200: AT_ONCE}
        assert len({answer.content for answer in answers}) == 1
        assert TrackSet.objects.count() == before + 1


def test_other_keys_have_one_effect_and_one_success() -> None:
    for _ in range(ROUNDS):
        _, seat = held()
        before = TrackSet.objects.count()
        answers = at_once(lambda i: stage.submit(cast.client("Wanda"), seat, headers={"Idempotency-Key": f"k{i}"}))  # noqa: B023
        assert statuses(answers) == {200: 1, 409: AT_ONCE - 1}
        assert TrackSet.objects.count() == before + 1


def test_other_bodies_under_one_key_are_refused() -> None:
    _, seat = held()
    start, stop = seat["segment"]["start"], seat["segment"]["stop"]
    answers = at_once(
        lambda i: stage.submit(
            cast.client("Wanda"), seat, stage.tracks(start, stop, shift=float(i)), headers={"Idempotency-Key": "k"}
        )
    )
    assert statuses(answers) == {200: 1, 422: AT_ONCE - 1}
    assert TrackSet.objects.count() == 1 and IdempotencyKey.objects.filter(path__endswith="/submit/").count() == 1


def test_eight_claims_of_one_worker_hold_one_seat() -> None:
    batch = stage.launched(frames=60)
    cast.client("Wanda")  # there before she comes eight times
    answers = at_once(lambda i: stage.try_claim(cast.client("Wanda"), batch.project))
    assert set(statuses(answers)) <= {200, 201} and statuses(answers)[201] == 1
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Assignment.objects.filter(status="held").count() == 1


def test_eight_workers_share_the_seats_there_are() -> None:
    batch = stage.launched(frames=20, redundancy=3, max_redundancy=5)
    for i in range(AT_ONCE):
        cast.user(f"worker{i}")
    answers = at_once(lambda i: stage.try_claim(cast.client(f"worker{i}"), batch.project))
    assert statuses(answers) == {201: 3, 204: AT_ONCE - 3}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 3
