"""Ends that come twice, late or from elsewhere: submit, lease, a second tab."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import open_bench, until
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import saved, submit


def slow(served: FakeServer, what: str, seconds: float) -> None:
    """Every answer to a draft, or to a submit, takes a while."""
    handler = served.server.RequestHandlerClass
    take = handler._take

    def later(self: object) -> None:
        if self.path.endswith(f"/{what}/"):
            time.sleep(seconds)
        take(self)

    handler._take = later


def arrived(served: FakeServer) -> list[tuple[str, int]]:
    """The drafts and submits that came, with how many tracks each had."""
    named = [(path.split("/")[-2], body) for _, path, body in served.task.sent]
    return [(name, len(body["tracks"])) for name, body in named if name in ("draft", "submit")]


def test_submitting_twice_submits_once_and_all_of_it(bench: Page, served: FakeServer) -> None:
    bench.keyboard.press("n")
    saved(bench)
    slow(served, "submit", 1.5)
    submit(bench)
    bench.wait_for_timeout(200)
    bench.keyboard.press("Control+Enter")
    assert bench.locator("dialog[open]").count() == 0
    # What would come too late cannot be drawn.
    bench.keyboard.press("n")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 1
    until(bench, "location.pathname === '/work/'")
    assert arrived(served) == [("draft", 1), ("submit", 1)]


def test_a_submit_that_had_no_answer_is_sent_again_as_it_was(bench: Page, served: FakeServer) -> None:
    """It may have arrived: under another key, or with another time of work, it would be told that the seat is over."""
    came: list[tuple[str, str | None]] = []
    bench.on(
        "request", lambda r: came.append((r.headers["idempotency-key"], r.post_data)) if "/submit/" in r.url else None
    )
    served.task.trouble += [("submit", 503, {"title": "Away"})] * 4
    bench.keyboard.press("n")
    saved(bench)
    submit(bench)
    until(bench, "!document.querySelector('[data-problems]').hidden", 15)
    bench.wait_for_timeout(1100)  # the time of work is another by now
    submit(bench)
    until(bench, "location.pathname === '/work/'")
    assert len(came) == 5 and len(set(came)) == 1


@pytest.mark.parametrize(("what", "words"), [("submit", "Submitting…"), ("release", "Giving it back…")])
def test_an_answer_that_takes_long_is_said_to_be_waited_for(
    bench: Page, served: FakeServer, what: str, words: str
) -> None:
    bench.keyboard.press("n")
    saved(bench)
    slow(served, what, 5.5)
    served.task.trouble.append((what, 400, {"title": "No", "detail": "No."}))
    leave(bench, what)
    until(bench, f"document.querySelector('[data-saved]').textContent === '{words}'", 1)
    assert bench.locator(f"[data-{what}]").is_disabled()
    bench.keyboard.press("n")  # would be in nobody's hands
    assert bench.evaluate("() => window.trackweave.store.all().length") == 1
    until(bench, f"document.querySelector('[data-saved]').textContent === '{words} No answer yet.'", 5)
    until(bench, "document.querySelector('[data-saved]').textContent === 'Saved'", 3)
    assert bench.locator(f"[data-{what}]").is_enabled()
    leave(bench, what)
    until(bench, "location.pathname === '/work/'")


def leave(page: Page, what: str) -> None:
    page.click(f"[data-{what}]")
    page.click("dialog[open] button[value=yes]")


def test_the_last_draft_arrives_before_the_seat_is_given_back(bench: Page, served: FakeServer) -> None:
    """After it, it would be told that the seat is over, and the page would say so to whoever gave it back."""
    slow(served, "draft", 1.5)
    bench.keyboard.press("n")
    until(bench, "document.querySelector('[data-saved]').dataset.state === 'saving'")
    leave(bench, "release")
    until(bench, "location.pathname === '/work/'")
    assert [path.split("/")[-2] for _, path, _ in served.task.sent] == ["draft", "release"]


def test_a_renewal_that_takes_long_is_asked_for_once(bench: Page, served: FakeServer) -> None:
    slow(served, "renew", 2.5)
    button = bench.locator("[data-renew]")
    button.click()
    bench.wait_for_timeout(1500)  # the clock on the page has ticked meanwhile
    assert button.is_disabled()
    until(bench, "!document.querySelector('[data-renew]').disabled")
    assert [path.split("/")[-2] for _, path, _ in served.task.sent].count("renew") == 1


def test_after_a_refusal_the_drawing_goes_on(bench: Page, served: FakeServer) -> None:
    bench.keyboard.press("n")
    served.task.trouble.append(("submit", 400, {"title": "Not valid", "detail": "No."}))
    submit(bench)
    until(bench, "!document.querySelector('[data-problems]').hidden")
    bench.focus("[data-canvas]")
    bench.keyboard.press("n")
    submit(bench)
    until(bench, "location.pathname === '/work/'")
    assert arrived(served)[-1] == ("submit", 2)


def test_the_last_draft_arrives_before_the_submit(bench: Page, served: FakeServer) -> None:
    slow(served, "draft", 1.5)
    state = "document.querySelector('[data-saved]').dataset.state"
    bench.keyboard.press("n")
    until(bench, f"{state} === 'saving'")
    bench.keyboard.press("n")
    bench.wait_for_timeout(1300)  # the next save waits for the first one, and so will the submit
    submit(bench)
    until(bench, "location.pathname === '/work/'")
    bench.wait_for_timeout(1600)
    assert arrived(served) == [("draft", 1), ("draft", 2), ("submit", 2)]


def test_a_draft_that_is_refused_says_why(bench: Page, served: FakeServer) -> None:
    served.task.trouble.append(("draft", 403, {"title": "Forbidden", "detail": "Log in first."}))
    bench.keyboard.press("n")
    until(bench, "document.querySelector('[data-notice]').textContent === 'Not saved: Log in first.'")
    bench.keyboard.press("n")  # logged in again, in another tab
    saved(bench)
    assert arrived(served) == [("draft", 2)]


def test_a_second_tab_overwrites_nothing(bench: Page, served: FakeServer) -> None:
    bench.keyboard.press("n")
    saved(bench)
    second = bench.context.new_page()
    open_bench(second, served)
    until(second, "!document.querySelector('[data-fatal]').hidden")
    assert "open in another tab" in second.locator("[data-fatal]").inner_text()
    second.keyboard.press("n")
    assert second.evaluate("() => window.trackweave.store.all()") == []
    bench.close()
    open_bench(second, served)
    second.keyboard.press("n")
    saved(second)
    open_bench(second, served)
    second.keyboard.press("n")
    saved(second)


def test_what_a_browser_kept_takes_no_newer_drafts_place_unasked(bench: Page, served: FakeServer) -> None:
    changed = {"type": "urn:trackweave:draft-changed", "title": "Draft changed", "detail": "It was changed elsewhere."}
    served.task.trouble.append(("draft", 409, changed))
    bench.keyboard.press("n")
    until(bench, "!document.querySelector('[data-take-over]').hidden")
    assert "What you drew here since is kept" in bench.locator("[data-fatal]").inner_text()
    bench.keyboard.press("n")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 1
    served.task.body["draft"] = {"version": 7, "page": "of another browser", "saved_at": "2026-01-01T00:00:00Z"}
    served.task.body["tracks"] = []
    bench.click("[data-take-over]")
    until(bench, "document.querySelector('[data-aside]')?.hidden === false")
    assert bench.evaluate("() => window.trackweave.store.all()") == []
    # It waits, however long one goes on with the newer one.
    for _ in range(2):
        until(bench, "window.trackweave.frame() === 20")
        bench.keyboard.press("n")
        bench.keyboard.press("n")
        saved(bench)
        served.task.body["draft"]["page"] = served.task.last("draft")["page"]
        served.task.body["tracks"] = served.task.last("draft")["tracks"]
        open_bench(bench, served)
        assert bench.locator("[data-aside]").is_visible()
    bench.click("[data-aside-show]")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 1
    bench.focus("[data-canvas]")
    bench.keyboard.press("Control+z")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 4
    saved(bench)
    open_bench(bench, served)
    assert not bench.locator("[data-aside]").is_visible()


def test_what_the_same_page_kept_after_an_answer_was_lost_is_back_at_once(bench: Page, served: FakeServer) -> None:
    bench.keyboard.press("n")
    saved(bench)
    page = served.task.last("draft")["page"]
    served.task.trouble += [("draft", 503, {"title": "No"})] * 50
    bench.keyboard.press("n")
    until(bench, "JSON.parse(localStorage.getItem('trackweave:draft:seat1') ?? '{}').tracks?.length === 2")
    served.task.trouble.clear()
    served.task.body["draft"] = {"version": 9, "page": page, "saved_at": "2026-01-01T00:00:00Z"}
    bench.once("dialog", lambda dialog: dialog.accept())
    open_bench(bench, served)
    assert bench.evaluate("() => window.trackweave.store.all().length") == 2
    assert not bench.locator("[data-aside]").is_visible()
