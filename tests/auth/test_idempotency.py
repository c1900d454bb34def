"""A POST with an Idempotency-Key has its effect once and gets one answer, whatever the network does in between."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from rest_framework.test import APIClient

from annotation import idempotency
from annotation.models import ApiToken, IdempotencyKey, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.auth.addresses")]


def post(api: APIClient, address: str, data: dict | None = None, key: str | None = "k", **more: str) -> HttpResponse:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return api.post(f"/api/v1/{address}/", data or {}, headers=headers, **more)


def test_the_same_request_twice_has_one_effect_and_one_answer(api: APIClient) -> None:
    first, second = (post(api, "notes", {"name": "a"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Content-Type"] == first["Content-Type"]
    assert ApiToken.objects.count() == 1


def test_without_a_key_each_request_has_its_effect(api: APIClient) -> None:
    for _ in range(2):
        post(api, "notes", {"name": "a"}, key=None)
    assert ApiToken.objects.count() == 2


def test_an_empty_answer_is_replayed_as_one(api: APIClient) -> None:
    answers = [post(api, "empty") for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert ApiToken.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(api: APIClient) -> None:
    post(api, "notes", {"name": "a"})
    response = post(api, "notes", {"name": "b"})
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert ApiToken.objects.count() == 1


def test_a_key_belongs_to_its_address(api: APIClient) -> None:
    post(api, "notes", {"name": "a"})
    assert post(api, "empty").status_code == 204


def test_a_key_belongs_to_its_user(api: APIClient) -> None:
    post(api, "notes", {"name": "a"})
    other = APIClient()
    other.force_authenticate(User.objects.create_user("bob"))
    post(other, "notes", {"name": "a"})
    assert ApiToken.objects.count() == 2


@pytest.mark.parametrize("address", ["refused", "answered-badly"])
def test_a_refused_request_leaves_no_trace_and_may_be_sent_again(api: APIClient, address: str) -> None:
    assert post(api, address).status_code == 400
    assert not ApiToken.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert post(api, address, {"name": "another body"}).status_code == 400


def test_a_change_that_is_no_post_is_rolled_back_too(api: APIClient) -> None:
    assert api.put("/api/v1/refused/", {}).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_fault_of_ours_leaves_no_trace(api: APIClient) -> None:
    response = post(api, "broken")
    assert (response.status_code, response.json()["status"]) == (500, 500)
    assert not ApiToken.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_an_error_that_keeps_is_answered_and_what_it_wrote_stays(api: APIClient) -> None:
    answers = [post(api, "late") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [410, 410]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Content-Type"] == "application/problem+json"
    assert ApiToken.objects.count() == 1


def test_a_file_counts_by_its_content_not_by_how_it_was_wrapped(api: APIClient) -> None:
    def upload(content: bytes) -> HttpResponse:
        # The boundary differs from request to request.
        return post(api, "upload", {"file": SimpleUploadedFile("a.bin", content)}, format="multipart")

    assert [upload(b"x" * 3_000_000).json() for _ in range(2)] == [{"bytes": 3_000_000}] * 2
    assert ApiToken.objects.count() == 1
    assert upload(b"y" * 3_000_000).status_code == 422


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 256])
def test_a_key_that_is_none_is_refused(api: APIClient, key: str) -> None:
    assert post(api, "notes", {"name": "a"}, key=key).status_code == 400
    assert not ApiToken.objects.exists()


def test_what_is_told_once_is_kept_in_no_readable_form(api: APIClient, user: User) -> None:
    user.role = "client"
    first, second = (post(api, "tokens", {"name": "a"}) for _ in range(2))
    assert first.json() == second.json() and second["Idempotent-Replay"] == "true"
    row = IdempotencyKey.objects.get()
    assert first.json()["key"].encode() not in bytes(row.answer) and first.content not in bytes(row.answer)


def test_an_answer_kept_before_answers_were_sealed_is_replayed(api: APIClient) -> None:
    first = post(api, "notes", {"name": "a"})
    IdempotencyKey.objects.update(answer=first.content, sealed=False)
    assert post(api, "notes", {"name": "a"}).json() == first.json()


def test_an_answer_that_can_no_longer_be_told_is_a_conflict_and_nothing_is_done_twice(
    api: APIClient, settings: pytest.FixtureRequest
) -> None:
    post(api, "notes", {"name": "a"})
    settings.SECRET_KEY = "another secret, as long as it has to be 0123456789 0123456789"
    answer = post(api, "notes", {"name": "a"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:trackweave:idempotent-answer-lost")
    assert ApiToken.objects.count() == 1


def test_an_answer_to_what_changed_nothing_is_not_kept(api: APIClient) -> None:
    assert [post(api, "unchanged").json()["notes"] for _ in range(2)] == [0, 0]
    post(api, "notes", {"name": "a"}, key="other")
    assert post(api, "unchanged").json()["notes"] == 1
    assert [row.key for row in IdempotencyKey.objects.all()] == ["other"]


def test_keys_are_forgotten_after_a_day(api: APIClient) -> None:
    post(api, "notes", {"name": "a"}, key="old")
    IdempotencyKey.objects.update(created_at=Now() - timedelta(days=1, seconds=1))
    post(api, "notes", {"name": "a"}, key="new")
    assert idempotency.prune() == 1
    assert IdempotencyKey.objects.get().key == "new"


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_a_second_request_waits_for_the_answer_to_the_first(user: User) -> None:
    entered, go = threading.Event(), threading.Event()
    answers: dict[str, HttpResponse] = {}

    def send(name: str) -> None:
        client = APIClient()
        client.force_authenticate(user)
        answers[name] = post(client, "notes", {"name": "a"})
        connection.close()

    original = idempotency._keep

    def slowly(*args: object) -> None:
        original(*args)
        entered.set()
        assert go.wait(20)

    first, second = threading.Thread(target=send, args=("first",)), threading.Thread(target=send, args=("second",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(idempotency, "_keep", slowly)
        first.start()
        assert entered.wait(20)
        second.start()
        second.join(0.5)
        assert second.is_alive(), "it has to wait: the first one may still be rolled back"
        go.set()
        first.join(20)
        second.join(20)
    assert answers["first"].json() == answers["second"].json()
    assert ApiToken.objects.count() == 1


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_when_the_first_request_is_rolled_back_the_second_one_has_the_effect(user: User) -> None:
    scope = {"user": user, "method": "POST", "path": "/api/v1/notes/", "key": "k"}
    answers: list[HttpResponse] = []

    def send() -> None:
        client = APIClient()
        client.force_authenticate(user)
        answers.append(post(client, "notes", {"name": "a"}))
        connection.close()

    second = threading.Thread(target=send)
    with transaction.atomic():
        IdempotencyKey.objects.create(**scope, body_sha256="0" * 64)
        second.start()
        second.join(0.5)
        assert second.is_alive()
        transaction.set_rollback(True)
    second.join(20)
    assert answers[0].status_code == 201
    assert ApiToken.objects.count() == 1
