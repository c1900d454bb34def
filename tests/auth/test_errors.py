"""Every error is a problem document, and strange input is answered, never a fault of ours."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.auth.addresses")]


def test_errors_point_at_what_is_wrong(api: APIClient) -> None:
    response = api.post("/api/v1/checked/", {"name": "long", "points": [1, "x"]})
    body = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, body["status"], body["type"]) == (400, 400, "urn:trackweave:invalid")
    assert [error["pointer"] for error in body["errors"]] == ["/name", "/points/1"]
    assert set(body) == {"type", "title", "status", "detail", "errors"}


def test_what_is_not_there_and_what_may_not_be_seen_are_answered_alike(api: APIClient) -> None:
    absent, no_such_address = api.get("/api/v1/absent/"), api.get("/api/v1/no/such/address/")
    assert absent.json() == no_such_address.json()
    assert absent["Content-Type"] == no_such_address["Content-Type"] == "application/problem+json"


def test_who_is_not_logged_in_is_told_so_in_plain_words() -> None:
    answer = APIClient().post("/api/v1/notes/", {"text": "a"})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
    assert answer.json()["detail"] == "You are not logged in, or no longer. Log in, or send a token, and try again."


def test_a_wrong_method_is_a_problem(api: APIClient) -> None:
    assert api.get("/api/v1/notes/").json()["status"] == 405


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"7", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": 1e999}', "application/json", 400),
        (b'{"name": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b'{"name": "a\\u0000b"}', "application/json", 400),
        (b'{"name": "a\\\\\\u0000b"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b"name=a", "application/x-www-form-urlencoded", 415),
        (b"name", "text/plain", 415),
        (b"name", "nonsense", 415),
        (b"name", "multipart/form-data", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
    ],
)
def test_a_strange_body_is_answered(api: APIClient, body: bytes, content_type: str, status: int) -> None:
    response = api.generic("POST", "/api/v1/checked/", body, content_type=content_type)
    assert response.status_code == status
    assert response.json()["status"] == status


@pytest.mark.parametrize(
    "name", ["a\\\\u0000", "\\ud83d\\ude00", "ä"], ids=["an escaped backslash", "a whole pair", "letters"]
)
def test_text_that_only_looks_strange_is_taken(api: APIClient, name: str) -> None:
    body = f'{{"name": "{name}"}}'.encode()
    assert api.generic("POST", "/api/v1/notes/", body, content_type="application/json").status_code == 201


@pytest.mark.parametrize("body", [b"", b"--x\r\nnonsense", b"--x\r\n\r\n--x--"])
def test_a_strange_upload_is_answered(api: APIClient, body: bytes) -> None:
    response = api.generic("POST", "/api/v1/upload/", body, content_type="multipart/form-data; boundary=x")
    assert response.status_code == 400


def test_a_body_beyond_the_limit_is_refused(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.json_parser.MAX_BYTES", 10)
    assert api.post("/api/v1/checked/", {"name": "too much"}).status_code == 413


@pytest.mark.parametrize("accept", ["text/html", "image/png", "nonsense", ""])
@pytest.mark.parametrize("wanted", ["", "?format=json", "?format=nonsense"])
def test_an_address_answers_in_its_one_form_whatever_is_asked_for(api: APIClient, accept: str, wanted: str) -> None:
    response = api.get(f"/api/v1/who/{wanted}", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
