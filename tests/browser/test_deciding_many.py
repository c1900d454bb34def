"""The page on which many submissions of a worker are decided with one reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.paginator import Paginator
from playwright.sync_api import Page

from tests.browser.conftest import make_task, until
from tests.browser.fake import FakeServer

RESULTS = [
    {"id": "s0", "outcome": "decided", "status": "rejected", "decided_by": "mona"},
    {"id": "s1", "outcome": "already_decided", "status": "accepted", "decided_by": "max"},
    {"id": "s2", "outcome": "not_found", "status": None, "decided_by": None},
]


def waiting(*ids: str) -> dict[str, Any]:
    segment = SimpleNamespace(start=0, stop=300, video=SimpleNamespace(name="street.mp4"))
    common = {"worker": "wanda", "task": {"segment": segment}, "submitted_at": datetime(2026, 3, 1, tzinfo=UTC)}
    seats = [{"pk": pk, **common} for pk in ids]
    request = SimpleNamespace(get_full_path="/submissions/?of=wanda")
    worker = {"username": "wanda", "waiting": len(ids)}
    project = SimpleNamespace(pk="p1", name="Town square")
    context = {"project": project, "request": request, "workers": [worker] if ids else [], "of": "wanda"}
    return context | {"below": Paginator(seats, 200).get_page(1), "late": Paginator([], 20).get_page(1)}


@pytest.fixture
def pages(films: dict, settings: object) -> Iterator[FakeServer]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    task.pages["/submissions/"] = ("projects/submissions.html", waiting("s0", "s1", "s2", "s3"))
    server = FakeServer(task)
    yield server
    server.close()


def test_what_is_ticked_is_decided_for_one_reason_and_told_while_the_list_comes_anew(
    page: Page, pages: FakeServer
) -> None:
    page.goto(f"{pages.url}/submissions/")
    page.get_by_label("Decided with the others").last.uncheck()
    page.get_by_role("button", name="Reject what is ticked").click()
    assert pages.task.sent == []  # not without a reason
    page.get_by_label("Why what is ticked is accepted or rejected").fill("a box around nothing")
    pages.task.trouble = [("reject", 200, {"results": RESULTS})]
    pages.task.pages["/submissions/"] = ("projects/submissions.html", waiting("s3"))
    with page.expect_request("**/api/v1/projects/p1/submissions/reject/") as asked:
        page.get_by_role("button", name="Reject what is ticked").click()
    assert asked.value.post_data_json == {"ids": ["s0", "s1", "s2"], "reason": "a box around nothing"}
    until(page, "document.querySelectorAll('[data-submission]').length === 1")
    said = "1 rejected. 1 was accepted by max before, and stays so. 1 could not be decided."
    assert page.get_by_role("status").filter(has_text=said).is_visible()


def test_all_are_ticked_or_none_and_nothing_ticked_is_refused(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/submissions/")
    boxes = page.get_by_label("Decided with the others")
    assert [box.is_checked() for box in boxes.all()] == [True] * 4
    page.get_by_role("button", name="Tick all or none").click()
    assert [box.is_checked() for box in boxes.all()] == [False] * 4
    page.get_by_label("Why what is ticked is accepted or rejected").fill("dark")
    page.keyboard.press("Enter")
    assert pages.task.sent == []  # which of the two was meant?
    wrong = {"title": "Invalid", "errors": [{"pointer": "/ids", "message": "This list may not be empty."}]}
    pages.task.trouble = [("accept", 400, wrong)]
    page.get_by_role("button", name="Accept and pay what is ticked").click()
    until(page, "document.body.innerText.includes('may not be empty')")
    page.get_by_role("button", name="Tick all or none").click()
    assert [box.is_checked() for box in boxes.all()] == [True] * 4
