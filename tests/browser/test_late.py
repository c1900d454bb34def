"""Work whose time is over: it can be submitted late, and what is drawn gets there whole."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import open_bench, track, until
from tests.browser.fake import FakeServer
from tests.browser.test_bench import soon

LATE = "document.querySelector('[data-late]')"
TOO_LATE = {"type": "urn:trackweave:lease-is-over", "title": "Lease is over", "detail": "It came too late."}
TEXT = "[data-fatal-text]"


def hand_in(page: Page) -> dict:
    """Press the button; what was sent."""
    with page.expect_request("**/submit/") as asked:
        page.click("[data-late]")
    return asked.value.post_data_json


def test_what_was_drawn_when_the_lease_ended_is_handed_in_late(page: Page, served: FakeServer) -> None:
    served.task.body["lease_until"] = soon(100)
    page.clock.install()
    open_bench(page, served)
    page.keyboard.press("n")
    page.clock.fast_forward(101_000)
    until(page, f"!{LATE}.hidden")
    served.task.trouble.append(("submit", 410, TOO_LATE))
    assert len(hand_in(page)["tracks"]) == 1
    until(page, f"{LATE}.hidden")
    assert page.inner_text(TEXT).startswith("Submitted late. A manager looks at it")
    assert page.evaluate("() => localStorage.getItem('trackweave:draft:seat1')") is None


def test_where_the_seat_is_over_no_time_runs_and_nothing_can_be_renewed(page: Page, served: FakeServer) -> None:
    served.task.body["lease_until"] = soon(200)
    served.task.trouble.append(("draft", 410, TOO_LATE))
    open_bench(page, served)
    until(page, "!document.querySelector('[data-lease-note]').hidden")
    page.keyboard.press("n")
    until(page, f"!{LATE}.hidden")
    page.wait_for_timeout(1200)  # the clock would have ticked
    assert page.inner_text("[data-lease-time]") == "over" and page.locator("[data-renew]").is_disabled()
    assert not page.locator("[data-lease-note]").is_visible()


def test_nothing_drawn_is_nothing_to_hand_in(page: Page, served: FakeServer) -> None:
    served.task.body["lease_until"] = soon(-5)
    open_bench(page, served)
    until(page, "!document.querySelector('[data-fatal]').hidden")
    assert not page.locator("[data-late]").is_visible()


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_who_comes_back_after_the_end_finds_what_the_server_and_the_browser_kept(
    page: Page, served: FakeServer, status: str
) -> None:
    served.task.body |= {"status": status, "lease_until": None, "tracks": [track("1", 60)]}
    served.task.body["draft"] = {"version": 4, "page": "mine", "saved_at": "2026-01-01T00:00:00Z"}
    kept = {"token": "t0", "page": "mine", "version": 3, "tracks": [track("1", 60), track("2", 90)], "intervals": []}
    page.goto(f"{served.url}/static/logo.svg")
    page.evaluate("text => localStorage.setItem('trackweave:draft:seat1', text)", json.dumps(kept))
    open_bench(page, served)
    until(page, f"!{LATE}.hidden")
    page.keyboard.press("n")
    assert page.evaluate("() => window.trackweave.store.all().length") == 2
    served.task.trouble.append(("submit", 410, TOO_LATE))
    assert len(hand_in(page)["tracks"]) == 2


def test_what_was_in_time_after_all_is_submitted_as_any_other(page: Page, served: FakeServer) -> None:
    """The clock of this machine was put forward, or a program had renewed the lease."""
    served.task.body |= {"lease_until": soon(-5), "tracks": [track("1", 60)]}
    open_bench(page, served)
    until(page, f"!{LATE}.hidden")
    page.click("[data-late]")
    until(page, "location.pathname === '/work/'")


def test_what_could_not_be_handed_in_is_still_there_to_be_sent(page: Page, served: FakeServer) -> None:
    served.task.body |= {"lease_until": soon(-5), "tracks": [track("1", 60)]}
    served.task.trouble += [("submit", 503, {"title": "Away"})] * 4
    open_bench(page, served)
    until(page, f"!{LATE}.hidden")
    page.click("[data-late]")
    until(page, "document.querySelector('[data-fatal-text]').textContent === 'Away'")
    assert page.locator("[data-late]").is_enabled()
