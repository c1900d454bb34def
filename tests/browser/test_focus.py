"""By keyboard alone: what a press did is said, the focus stays where it was, and the page still shows what is so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import make_task, until
from tests.browser.fake import FakeServer
from tests.browser.test_forms import BATCH, POLICY, PROGRESS, PROJECT, WORKER

SAID = "[...document.querySelectorAll('[role=status]')].at(-1).textContent"
LOOK = "async () => (await import('/static/pages/refresh.js')).refresh()"


class Sent(list):
    """What was sent; `then` makes come true what was asked for."""

    def __init__(self, then: Callable[[str], None]) -> None:
        self.then = then

    def append(self, each: tuple[str, str, Any]) -> None:
        super().append(each)
        self.then(each[1])


@pytest.fixture
def site(films: dict, settings: object) -> Iterator[FakeServer]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    server = FakeServer(make_task(films["even"]))
    yield server
    server.close()


def becomes(site: FakeServer, row: Any, states: dict[str, str], key: str = "status") -> None:
    """The state of a row once the last word of a path was asked for."""

    def then(path: str) -> None:
        if state := states.get(path.rstrip("/").rpartition("/")[2]):
            row[key] = state

    site.task.sent = Sent(then)


def show_payouts(site: FakeServer, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """The payouts' page at /payouts/, and its rows, which may change."""
    shown = list(rows)
    request = SimpleNamespace(get_full_path="/payouts/")
    more = {"project": PROJECT, "request": request, "currency": "EUR", "payouts": shown}
    site.task.pages["/payouts/"] = ("projects/payouts.html", more)
    return shown


def payout(number: int, status: str) -> dict[str, Any]:
    return {"id": f"o{number}", "status": status, "totals": [], "lines": {}, "reason": "", "created_at": None}


def press(page: Page, button: str) -> None:
    """Go there as the Tab key does, and press Enter; wait until it is said what came of it."""
    page.focus(button)
    page.keyboard.press("Enter")
    until(page, f"{SAID}.endsWith(': done.')")


def focused(page: Page, of: str = "textContent") -> str:
    return page.evaluate(f"document.activeElement.{of}.trim()")


def test_a_payout_is_locked_and_the_focus_stays_with_it(page: Page, site: FakeServer) -> None:
    rows = show_payouts(site, payout(1, "draft"), payout(2, "locked"))
    becomes(site, rows[0], {"lock": "locked"})
    page.goto(f"{site.url}/payouts/")
    press(page, "[data-post$='/o1/lock/']")
    until(page, "document.querySelector('[data-post$=\"/o1/send/\"]')")
    assert page.evaluate(SAID) == "Lock: done."
    # Enter that is held for too long sends nothing: the focus is on what was locked, not on the button that came.
    assert page.evaluate("document.activeElement.matches('article.payout')")
    page.keyboard.press("Tab")
    assert focused(page) == "Send" and page.evaluate("document.activeElement.dataset.post") == "/payouts/o1/send/"


def test_a_batch_is_paused_and_goes_on_by_keyboard(page: Page, site: FakeServer) -> None:
    rows = [BATCH | {"id": "b1"}, BATCH | {"id": "b2"}]
    becomes(site, rows[1], {"pause": "paused", "resume": "open"})
    request = SimpleNamespace(get_full_path="/project/p1/")
    shown = {"project": PROJECT, "request": request, "able": ["run"], "policy": POLICY, "batches": rows}
    shown |= {"held_micros": 0}
    site.task.pages["/project/p1/"] = ("projects/project.html", shown)
    page.goto(f"{site.url}/project/p1/")
    for pressed, came in (("pause", "paused"), ("resume", "open")):
        press(page, f"[data-post='/batches/b2/{pressed}/']")
        until(page, f"document.activeElement.textContent.endsWith({came!r})")
        assert page.evaluate("document.activeElement.closest('[data-batch]').dataset.batch") == "b2"
        page.keyboard.press("Tab")


def test_a_worker_is_paused_and_the_focus_stays_in_the_row(page: Page, site: FakeServer) -> None:
    rows = [WORKER | {"user": "will"}, WORKER | {"user": "wanda"}]
    becomes(site, rows[1], {"pause": "paused"}, "state")
    shown = {"project": PROJECT, "able": ["people"], "policy": {"currency": "EUR"}, "progress": PROGRESS}
    site.task.pages["/live/"] = ("projects/live.html", shown | {"workers": rows})
    page.goto(f"{site.url}/live/")
    page.focus("[data-move=pause][data-who=wanda]")
    page.keyboard.press("Enter")
    page.keyboard.type("too hasty")
    page.evaluate(LOOK)  # what opened the dialog is not replaced under it
    page.keyboard.press("Enter")
    until(page, "document.querySelector('[data-move=restore]')")
    assert page.evaluate(SAID) == "Pause wanda: done."
    until(page, "document.activeElement.dataset.worker === 'wanda'")
    page.keyboard.press("Tab")
    assert focused(page, "dataset.move") == "restore"


def test_after_a_join_the_next_one_has_the_focus(page: Page, site: FakeServer) -> None:
    video = SimpleNamespace(name="square", width=320, height=192, project=PROJECT)
    part = SimpleNamespace(start=0, stop=9)
    more = {"video": video, "video_id": "v1", "confidence": 0.5, "left_segment": part, "right_segment": part}
    pairs = [(SimpleNamespace(pk=f"j{n}", **more), []) for n in range(3)]
    site.task.sent = Sent(lambda path: pairs.pop(1))
    site.task.pages["/joins/"] = ("review/joins.html", {"pairs": pairs, "count": 3})
    page.goto(f"{site.url}/joins/")
    press(page, "[data-post='/joins/j1/same/']")
    until(page, "!document.querySelector('[data-join=j1]')")
    assert page.evaluate("document.activeElement.closest('[data-join]').dataset.join") == "j2"
    page.keyboard.press("Tab")
    assert focused(page, "dataset.post") == "/joins/j2/same/"


def test_a_part_with_the_focus_is_shown_anew_and_the_focus_stays(page: Page, site: FakeServer) -> None:
    rows = show_payouts(site, payout(1, "draft"))
    page.goto(f"{site.url}/payouts/")
    page.focus("[data-post$='/o1/lock/']")
    rows.insert(0, payout(2, "draft"))
    page.evaluate(LOOK)
    assert page.locator("article.payout").count() == 2
    assert focused(page, "dataset.post") == "/payouts/o1/lock/"


def test_a_form_that_brings_its_page_anew_gives_the_focus_back_and_says_so(page: Page, site: FakeServer) -> None:
    show_payouts(site)
    page.goto(f"{site.url}/payouts/")
    page.fill("[name=user]", "wanda")
    page.fill("[name=amount_micros]", "1.1")
    page.fill("[data-send$='/bonuses/'] [name=reason]", "thank you")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    until(page, f"{SAID} === 'Give it: done.'")
    assert focused(page) == "Give it"


def test_what_went_wrong_is_in_sight_and_the_button_can_be_pressed_again(page: Page, site: FakeServer) -> None:
    show_payouts(site, *[payout(n, "locked") for n in range(30)], payout(99, "draft"))
    site.task.trouble = [("lock", 409, {"title": "Conflict", "detail": "Another payout is under way."})]
    page.goto(f"{site.url}/payouts/")
    page.focus("[data-post$='/o99/lock/']")
    page.keyboard.press("Enter")
    until(page, "!document.querySelector('[data-wrong]').hidden")
    place = page.locator("[data-wrong]").bounding_box()
    assert 0 <= place["y"] < 800
    assert focused(page, "dataset.post") == "/payouts/o99/lock/"
    press(page, ":focus")


def test_what_had_no_answer_goes_out_under_the_same_key_when_it_is_pressed_again(page: Page, site: FakeServer) -> None:
    show_payouts(site)
    page.goto(f"{site.url}/payouts/")
    seen: list[str] = []
    page.on("request", lambda r: seen.append(r.headers.get("idempotency-key", "")) if "/payouts/" in r.url else None)
    site.task.trouble = [("payouts", 503, {"title": "Away"})] * 4
    button = "[data-post='/projects/p1/payouts/']"
    page.focus(button)
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.note.said')", 10)  # it takes long: that is said, and in sight
    until(page, "!document.querySelector('[data-wrong]').hidden", 10)
    press(page, button)
    press(page, button)
    keys = [key for key in seen if key]
    assert len(keys) == 6 and len(set(keys[:5])) == 1 and keys[5] != keys[0]
