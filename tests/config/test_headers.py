from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client

from config.middleware import with_headers
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.mark.parametrize("address", ["/health/live", "/no/such/page", "/api/v1/no/such/thing/", "/login/"])
def test_every_answer_carries_the_strict_policy(client: Client, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")


@pytest.mark.parametrize("address", ["/login/", "/work/earnings/", "/no/such/page"])
def test_no_browser_keeps_a_page_for_whoever_sits_there_after_a_log_out(client: Client, address: str) -> None:
    client.force_login(cast.user("Wanda"))
    answer = client.get(address, follow=True)
    assert answer["Content-Type"].startswith("text/html")
    assert answer["Cache-Control"] == "private, no-store"


def test_the_schemas_page_allows_no_inline_script(client: Client) -> None:
    response = client.get("/api/v1/docs/")
    assert response.status_code == 200
    assert "script-src" not in response["Content-Security-Policy"]
    assert b"<script>" not in response.content


def test_unknown_hosts_are_refused(client: Client) -> None:
    assert client.get("/health/live", headers={"Host": "evil.example"}).status_code == 400


def test_https_is_asked_for_where_the_site_is_public(client: Client, settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/login/").status_code == 301


@pytest.mark.parametrize(("method", "status"), [("get", 301), ("head", 301), ("post", 308), ("patch", 308)])
def test_what_is_sent_without_the_last_slash_is_sent_again_with_it(client: Client, method: str, status: int) -> None:
    answer = getattr(client, method)("/api/v1/projects?page_size=1")
    assert (answer.status_code, answer["Location"]) == (status, "/api/v1/projects/?page_size=1")


@pytest.mark.parametrize("accept", ["application/json", "application/vnd.oai.openapi+json", "*/*"])
@pytest.mark.parametrize("wanted", ["", "?format=json", "?format=nonsense"])
def test_the_schema_is_given_whatever_is_asked(client: Client, accept: str, wanted: str) -> None:
    response = client.get(f"/api/v1/schema/{wanted}", headers={"Accept": accept})
    assert response.status_code == 200
    assert b"3.1.0" in response.content


def test_what_the_api_tells_somebody_is_kept_by_no_cache() -> None:
    alice = cast.client("Alice")
    made = alice.post("/api/v1/tokens/", {"name": "a"})
    for answer in (made, alice.get("/api/v1/me/"), alice.get("/api/v1/projects/none/")):
        assert answer["Cache-Control"] == "private, no-store"


def test_a_file_of_who_is_paid_what_is_kept_by_no_cache_and_one_that_says_how_long_it_lasts_is() -> None:
    lasting = {"Cache-Control": "private, max-age=9"}
    assert with_headers(HttpResponse(content_type="text/csv"))["Cache-Control"] == "private, no-store"
    assert with_headers(HttpResponse(content_type="text/csv", headers=lasting))["Cache-Control"] == "private, max-age=9"
