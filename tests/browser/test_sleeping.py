"""A page that is left open: the machine slept, the line is dead, the session is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, WebSocketRoute

from tests.browser.conftest import make_task, until
from tests.browser.fake import FakeServer
from tests.browser.test_forms import PROGRESS, PROJECT

LINK = "document.querySelector('[data-link]').textContent"
HOUR_MS = 3_600_000


@pytest.fixture
def site(films: dict, settings: object) -> Iterator[FakeServer]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    server = FakeServer(make_task(films["even"]))
    shown = {"project": PROJECT, "policy": {"currency": "EUR"}, "progress": PROGRESS}
    server.task.pages["/live/"] = ("projects/live.html", shown)
    money = {"project": PROJECT, "request": SimpleNamespace(get_full_path="/payouts/"), "currency": "EUR"}
    server.task.pages["/payouts/"] = ("projects/payouts.html", money | {"unfinished": True})
    yield server
    server.close()


def test_after_an_hour_of_sleep_the_figures_come_over_a_new_line(page: Page, site: FakeServer) -> None:
    lines: list[WebSocketRoute] = []

    def answer(line: WebSocketRoute) -> None:
        lines.append(line)
        line.send(json.dumps({"seq": 1, "progress": PROGRESS | {"submissions": len(lines)}}))

    page.route_web_socket("**/ws/**", answer)
    page.clock.install()
    page.goto(f"{site.url}/live/")
    until(page, f"{LINK} === 'live'")
    page.clock.fast_forward(60_000)  # a tab that nobody looks at is woken once a minute
    page.wait_for_timeout(300)
    assert len(lines) == 1
    page.clock.fast_forward(HOUR_MS)
    until(page, "document.querySelector('[data-figure=submissions]').textContent === '2'")
    assert page.evaluate(f"() => {LINK}") == "live" and len(lines) == 2


def test_who_is_logged_out_is_told_that_the_figures_are_old_and_shown_the_way_in(page: Page, site: FakeServer) -> None:
    page.route_web_socket("**/ws/**", lambda line: line.close(code=4401))
    page.goto(f"{site.url}/live/")
    until(page, f"{LINK}.startsWith('logged out')")
    assert page.locator("[data-link] a").get_attribute("href") == "/login/?next=%2Flive%2F"


def test_a_page_that_cannot_be_brought_up_to_date_says_so_until_it_can(page: Page, site: FakeServer) -> None:
    page.goto(f"{site.url}/payouts/")
    was = site.task.pages["/payouts/"]
    site.task.pages["/payouts/"] = ("404.html", {})
    until(page, "!document.querySelector('[data-wrong]').hidden")
    assert page.inner_text("[data-wrong]").startswith("What is shown here is old")
    assert page.locator("[data-wrong] a").get_attribute("href") == "/login/"
    site.task.pages["/payouts/"] = was
    until(page, "document.querySelector('[data-wrong]').hidden")
