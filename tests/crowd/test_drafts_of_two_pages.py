"""One seat in two browsers: neither overwrites what the other saved since it looked."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crowd.models import Draft
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def wanda() -> APIClient:
    return cast.client("Wanda")


@pytest.fixture
def seat(wanda: APIClient) -> dict[str, Any]:
    return stage.claim(wanda, stage.launched(frames=20).project)


def put(wanda: APIClient, seat: dict[str, Any], drawn: int, **more: Any) -> Any:
    """Save a draft of so many tracks."""
    tracks = [one | {"id": str(n)} for n in range(drawn) for one in stage.tracks(0, 20)]
    body = {"token": seat["token"], "tracks": tracks, **more}
    return wanda.put(f"{stage.API}/assignments/{seat['id']}/draft/", body)


def read(wanda: APIClient, seat: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    body = wanda.get(f"{stage.API}/assignments/{seat['id']}/").json()
    return len(body["tracks"]), body["draft"]


def test_a_page_goes_on_with_its_own_draft_whatever_it_knows_of(wanda: APIClient, seat: dict[str, Any]) -> None:
    assert seat["draft"] is None
    # The answer to a save may be lost, so that the next one knows of too little.
    versions = [put(wanda, seat, n, page="one", version=0).json()["version"] for n in (1, 2, 3)]
    assert versions == [1, 2, 3]
    drawn, draft = read(wanda, seat)
    assert drawn == 3 and draft is not None
    assert (draft["version"], draft["page"]) == (3, "one")


def test_what_another_page_saved_since_is_not_overwritten(wanda: APIClient, seat: dict[str, Any]) -> None:
    put(wanda, seat, 1, page="one")
    # The second page looks, and then the first one goes on.
    put(wanda, seat, 2, page="one", version=1)
    late = put(wanda, seat, 5, page="two", version=1)
    assert late.status_code == 409 and late.json()["type"].endswith("draft-changed")
    assert read(wanda, seat)[0] == 2
    # It looks again, and goes on; now the first one is behind.
    assert put(wanda, seat, 6, page="two", version=2).json()["version"] == 3
    assert put(wanda, seat, 3, page="one", version=2).status_code == 409
    assert read(wanda, seat)[0] == 6


def test_a_page_that_is_behind_does_not_submit(wanda: APIClient, seat: dict[str, Any]) -> None:
    put(wanda, seat, 1, page="one")
    address = f"{stage.API}/assignments/{seat['id']}/submit/"
    body = {"token": seat["token"], "tracks": stage.tracks(0, 20)}
    assert wanda.post(address, body | {"page": "two", "version": 0}).status_code == 409
    assert wanda.post(address, body | {"page": "two", "version": 1}).status_code == 200
    over = wanda.post(address, body | {"page": "one", "version": 0})
    assert over.status_code == 409 and over.json()["type"].endswith("seat-is-over")


def test_a_program_that_names_no_page_saves_and_submits_as_ever(wanda: APIClient, seat: dict[str, Any]) -> None:
    put(wanda, seat, 1, page="one")
    assert put(wanda, seat, 2).status_code == 200
    assert put(wanda, seat, 4, page="one", version=1).status_code == 409
    assert Draft.objects.get().version == 2
    assert stage.submit(wanda, seat).status_code == 200


@pytest.mark.parametrize(("name", "value"), [("page", 7), ("page", "x" * 65), ("version", -1), ("version", "1")])
def test_a_page_that_cannot_be_read_is_named(wanda: APIClient, seat: dict[str, Any], name: str, value: Any) -> None:
    answer = put(wanda, seat, 1, **{"page": "one", name: value})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")
