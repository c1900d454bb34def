"""The session ends while somebody draws: nothing is lost, and who logs in again goes on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import until
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import saved
from tests.browser.test_leaving import arrived

OUT = {"title": "Not authenticated", "detail": "Authentication credentials were not provided."}
NOTE = "document.querySelector('[data-out]')"


def come_back(page: Page) -> None:
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")


def log_out(served: FakeServer, status: int = 401) -> None:
    served.task.trouble += [(what, status, OUT) for what in ("draft", "submit", "release", "renew") for _ in range(9)]
    served.task.gets.pop("/api/v1/assignments/seat1/")


def log_in(served: FakeServer) -> None:
    served.task.trouble.clear()
    served.task.gets["/api/v1/assignments/seat1/"] = served.task.body


def test_who_is_logged_out_is_shown_the_way_in_and_what_they_drew_is_saved_when_they_come_back(
    bench: Page, served: FakeServer
) -> None:
    log_out(served)
    bench.keyboard.press("n")
    until(bench, f"!{NOTE}.hidden")
    assert bench.inner_text("[data-out-text]") == "You are logged out."
    link = bench.locator("[data-out] a")
    assert (link.get_attribute("href"), link.get_attribute("target")) == ("/login/", "_blank")
    assert bench.inner_text("[data-saved]") == "Logged out: kept in this browser"
    come_back(bench)  # without having logged in
    bench.wait_for_timeout(300)
    assert not bench.evaluate(f"() => {NOTE}.hidden") and arrived(served) == []
    log_in(served)
    come_back(bench)
    saved(bench)
    until(bench, f"{NOTE}.hidden")
    assert arrived(served) == [("draft", 1)]


def test_a_browser_that_is_logged_in_as_somebody_else_says_so(bench: Page, served: FakeServer) -> None:
    log_out(served, 404)
    bench.keyboard.press("n")
    until(bench, f"!{NOTE}.hidden")
    assert bench.inner_text("[data-out-text]") == "This browser is logged in as somebody else."
    log_in(served)
    come_back(bench)
    saved(bench)


@pytest.mark.parametrize("what", ["submit", "release", "renew"])
def test_whatever_shows_that_one_is_logged_out_tells_the_way_in_and_can_be_done_after(
    bench: Page, served: FakeServer, what: str
) -> None:
    bench.keyboard.press("n")
    saved(bench)
    log_out(served)

    def do() -> None:
        bench.click(f"[data-{what}]")
        if what != "renew":
            bench.click("dialog[open] button[value=yes]")

    do()
    until(bench, f"!{NOTE}.hidden")
    assert not bench.locator("[data-problems]").is_visible() and bench.inner_text("[data-notice]") == ""
    log_in(served)
    come_back(bench)
    until(bench, f"{NOTE}.hidden")
    do()
    until(
        bench,
        "!document.querySelector('[data-renew]').disabled" if what == "renew" else "location.pathname === '/work/'",
    )
    assert [path.split("/")[-2] for _, path, _ in served.task.sent].count(what) == 1


@pytest.mark.parametrize("verb", ["accept", "amend"])
def test_a_reviewer_who_is_logged_out_is_shown_the_way_in_and_decides_after(
    page: Page, reviewed: FakeServer, verb: str
) -> None:
    page.goto(f"{reviewed.url}/review/c1/")
    until(page, "window.trackweave && window.trackweave.frame() === 20")
    if verb == "amend":
        page.evaluate("() => window.trackweave.store.select('1')")
        page.keyboard.press("Shift+D")
    reviewed.task.trouble.append((verb, 401, OUT))
    consensus = reviewed.task.gets.pop("/api/v1/consensus/c1/")
    page.click(f"[data-{verb}]")
    until(page, f"{NOTE} && !{NOTE}.hidden")
    assert "kept in this browser" not in page.inner_text("[data-out]")
    assert not page.locator("[data-problems]").is_visible() and not page.locator("[data-fatal]").is_visible()
    come_back(page)  # without having logged in
    page.wait_for_timeout(300)
    assert not page.evaluate(f"() => {NOTE}.hidden")
    reviewed.task.gets["/api/v1/consensus/c1/"] = consensus
    come_back(page)
    until(page, f"{NOTE}.hidden")
    page.click(f"[data-{verb}]")
    until(page, "location.pathname === '/review/'")
    assert reviewed.task.last(verb)["version"] == 3
