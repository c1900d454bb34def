"""A worker's own seats, listed: each once, and never more at once than a machine holds."""

from __future__ import annotations

from typing import Any

import pytest

from crowd import holding
from crowd.api import assignments
from crowd.models import Assignment, Draft
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def walked(client: Any, address: str, link: str) -> list[list[str]]:
    """The ids on each page from an address on, following a link."""
    pages = []
    while address:
        body = client.get(address).json()
        pages.append([seat["id"] for seat in body["results"]])
        address = body[link]
    return pages


def test_a_page_of_seats_ends_where_what_is_drawn_there_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, wanda = stage.launched(frames=160), cast.client("Wanda")
    for size in (10, 700, 900, 10, 10, 2000, 10):
        seat = stage.claim(wanda, batch.project)
        wanda.post(f"{stage.API}/assignments/{seat['id']}/release/", {"token": seat["token"]})
        Draft.objects.create(assignment_id=seat["id"], body=f'{{"tracks": [], "x": "{"x" * (size - 24)}"}}')
    mine = [seat["id"] for seat in wanda.get(f"{stage.API}/assignments/").json()["results"]]
    assert mine == sorted(Assignment.objects.filter(worker__isnull=False).values_list("pk", flat=True))
    sizes = {draft.assignment_id: len(draft.body) for draft in Draft.objects.all()}
    monkeypatch.setattr(assignments, "MOST_DRAWN", 1000)
    forwards = walked(wanda, f"{stage.API}/assignments/?page_size=5", "next")
    assert sum(forwards, []) == mine and len(forwards) > 2
    assert all(len(page) == 1 or sum(sizes[pk] for pk in page) <= 1000 for page in forwards)
    last = f"{stage.API}/assignments/?page_size=5"
    while following := wanda.get(last).json()["next"]:
        last = following
    backwards = walked(wanda, last, "previous")
    assert sum(reversed(backwards), []) == mine
    assert all(len(page) == 1 or sum(sizes[pk] for pk in page) <= 1000 for page in backwards)


def test_submitted_work_counts_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, wanda = stage.launched(frames=60), cast.client("Wanda")
    for _ in range(3):
        stage.submit(wanda, stage.claim(wanda, batch.project))
    monkeypatch.setattr(assignments, "MOST_DRAWN", 1)
    assert [len(page) for page in walked(wanda, f"{stage.API}/assignments/?status=submitted", "next")] == [1, 1, 1]


def test_long_drafts_of_seats_that_were_given_back_are_kept_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "LONG", 1000)
    monkeypatch.setattr(holding, "MOST_LEFT", 5000)
    batch, wanda = stage.launched(frames=160), cast.client("Wanda")

    def saved(seat: dict[str, Any], size: int) -> int:
        body = {"token": seat["token"], "tracks": [{"x": "x" * size}]}
        return wanda.put(f"{stage.API}/assignments/{seat['id']}/draft/", body).status_code

    for _ in range(2):
        seat = stage.claim(wanda, batch.project)
        assert [saved(seat, 3000) for _ in range(3)] == [200] * 3
        wanda.post(f"{stage.API}/assignments/{seat['id']}/release/", {"token": seat["token"]})
    seat = stage.claim(wanda, batch.project)
    assert (saved(seat, 3000), saved(seat, 100)) == (413, 200)
    stage.submit(wanda, seat)
    assert Draft.objects.count() == 3
