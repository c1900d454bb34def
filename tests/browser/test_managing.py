"""What managers and clients do on their pages: what is sent, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import make_task, until
from tests.browser.fake import FakeServer

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def pages(films: dict, settings: object) -> Iterator[FakeServer]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    token = SimpleNamespace(pk="k1", name="laptop", created_at=MOMENT)
    task.pages["/tokens/"] = ("registration/tokens.html", {"tokens": [token]})
    server = FakeServer(task)
    yield server
    server.close()


def test_a_new_token_is_shown_this_once_and_can_be_copied(page: Page, pages: FakeServer) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pages.task.trouble = [("tokens", 201, {"id": "k2", "key": "abc123"})]
    page.goto(f"{pages.url}/tokens/")
    page.fill("[name=name]", "cluster")
    with page.expect_request("**/api/v1/tokens/") as asked:
        page.keyboard.press("Enter")
    assert asked.value.post_data_json == {"name": "cluster"}
    until(page, "!document.querySelector('[data-told]').hidden")
    assert page.get_by_label("The new token").input_value() == "abc123"
    assert "shown this once" in page.inner_text("[data-told]")
    page.get_by_role("button", name="Copy").click()
    until(page, "document.querySelector('[data-copied]').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == "abc123"
    page.reload()
    assert "abc123" not in page.content() and page.get_by_label("The new token").input_value() == ""


def test_a_token_that_could_not_be_made_leaves_no_older_one_in_sight(page: Page, pages: FakeServer) -> None:
    wrong = {"title": "Invalid", "errors": [{"pointer": "/name", "message": "is too long"}]}
    pages.task.trouble = [("tokens", 201, {"id": "k2", "key": "abc123"}), ("tokens", 400, wrong)]
    page.goto(f"{pages.url}/tokens/")
    for name in ("cluster", "another"):
        page.fill("[name=name]", name)
        page.click("text=Make it")
        until(page, "!document.querySelector('button:disabled')")
    assert page.inner_text("[data-wrong]") == "/name is too long"
    assert not page.locator("[data-told]").is_visible()


def test_a_token_is_revoked_when_that_is_sure(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/tokens/")
    revoke = page.get_by_role("button", name="Revoke laptop")
    page.once("dialog", lambda dialog: dialog.dismiss())
    revoke.click()
    page.once("dialog", lambda dialog: dialog.accept())
    revoke.click()
    until(page, "!document.querySelector('button:disabled')")
    assert [(how, path) for how, path, _ in pages.task.sent] == [("DELETE", "/api/v1/tokens/k1/")]
