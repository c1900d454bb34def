from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from crowd.core.policies import from_json
from crowd.models import Assignment, Batch, LedgerEntry
from review import pages
from tests import cast
from tests.crowd import stage as work
from tests.pages.test_pages import Markup
from tests.review import stage
from tests.review.test_deciding_many import careless

pytestmark = pytest.mark.django_db


def page(batch: Batch, name: str = "Mona", /, kind: str = "submissions", **query: str) -> Any:
    browser = Client()
    browser.force_login(cast.user(name))
    return browser.get(f"/projects/{batch.project_id}/{kind}/", query)


def decided() -> Batch:
    """Two agree, and the third is far off: the rule accepts the two."""
    batch = stage.launched(frames=20, redundancy=3, max_redundancy=3, agreement_floor=0.3, reward_micros=250_000)
    stage.by_all(batch, Wanda=stage.tracks, Will=stage.tracks, Walt=lambda a, b: stage.tracks(a, b, shift=30.0))
    assert sorted(Assignment.objects.values_list("worker__username", "status")) == [
        ("Walt", "submitted"), ("Wanda", "accepted"), ("Will", "accepted"),
    ]  # fmt: skip
    return batch


def test_what_the_rule_did_not_accept_waits_for_a_managers_word() -> None:
    batch = decided()
    seat = Assignment.objects.get(worker__username="Walt")
    shown = page(batch)
    assert [s.pk for s in shown.context["below"]] == [seat.pk] and not shown.context["late"]
    text = shown.content.decode()
    assert "for 0.25 EUR" in text and f"/review/{stage.only_consensus(batch).pk}/" in text
    assert "1 submission waits for your word" in page(batch, kind="live").content.decode()
    answer = cast.client("Mona").post(f"{stage.API}/submissions/{seat.pk}/accept/", {"reason": "the clip was dark"})
    assert answer.status_code == 200 and LedgerEntry.objects.filter(worker__username="Walt").count() == 1
    assert not page(batch).context["below"]
    assert "for your word" not in page(batch, kind="live").content.decode()


def test_of_one_worker_whatever_waits_can_be_ticked_and_decided_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SUBMISSIONS", 1)
    batch = careless()
    shown = page(batch)
    assert [(worker.username, worker.waiting) for worker in shown.context["workers"]] == [("Walt", 3)]
    assert len(shown.context["below"]) == 1 and 'name="ids"' not in shown.content.decode()
    html = page(batch, of="Walt").content.decode()
    assert set(re.findall(r'name="ids" value="(\w+)" form="many" data-list checked', html)) == ids_of(batch)
    assert f'data-decides="/projects/{batch.project_id}/submissions/"' in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
    for nobody in ("Wanda", "nobody", "a\0b"):
        assert not page(batch, of=nobody).context["below"]


def test_what_waits_can_be_narrowed_to_one_launch() -> None:
    batch = careless()
    assert 'name="batch"' not in page(batch).content.decode()
    other = careless(work.launch(batch.project, cast.video(batch.project, 56), from_json(batch.policy)))
    shown = page(batch, of="Walt", batch=other.pk)
    assert {seat.pk for seat in shown.context["below"]} == ids_of(other)
    assert f'value="{other.pk}" selected' in shown.content.decode()
    assert {seat.pk for seat in page(batch, of="Walt").context["below"]} == ids_of(batch) | ids_of(other)


def ids_of(batch: Batch) -> set[str]:
    return set(Assignment.objects.filter(batch=batch, worker__username="Walt").values_list("pk", flat=True))


def test_work_at_a_segment_that_is_not_decided_waits_for_nobody() -> None:
    batch = stage.launched(frames=20, redundancy=3, max_redundancy=3)
    stage.by_all(batch, Wanda=stage.tracks)
    assert not page(batch).context["below"]


def test_what_came_late_is_shown_until_it_is_taken_in() -> None:
    batch = stage.launched(frames=20)
    wanda = cast.client("Wanda")
    seat = work.claim(wanda, batch.project)
    work.lapse(seat)
    assert work.submit(wanda, seat).status_code == 410
    shown = page(batch)
    assert [s.pk for s in shown.context["late"]] == [seat["id"]] and "came" in shown.content.decode()
    answer = cast.client("Mona").post(f"{stage.API}/submissions/{seat['id']}/salvage/", {"reason": "a power cut"})
    assert answer.status_code == 200, answer.content
    assert not page(batch).context["late"]


@pytest.mark.parametrize("name", ["Alice", "Rita", "Wanda", "Eve"])
def test_only_who_runs_the_people_of_a_project_sees_them(name: str) -> None:
    batch = decided()
    assert page(batch, name).status_code == 404
    assert "for your word" not in page(batch, name, kind="live").content.decode()
