"""The reviewer's page: the events of the consensus and of each worker, and what of them is sent as a verdict."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import LABELS, until
from tests.browser.fake import FakeServer
from tests.browser.test_events import CROSSING, edge, event, pull


def test_a_reviewer_sees_each_workers_events_and_amends_the_consensus(page: Page, reviewed: FakeServer) -> None:
    labels = [*LABELS, CROSSING]
    template, shown = reviewed.task.pages["/review/c1/"]
    reviewed.task.pages["/review/c1/"] = (template, shown | {"labels": labels})
    item = reviewed.task.gets["/api/v1/consensus/c1/"]
    one, other = item["submissions"]
    theirs = [event(44, 90), event(200, 210)]
    item["submissions"] = [one | {"intervals": [event(40, 80)]}, other | {"intervals": theirs}]
    item["intervals"] = [event(42, 85)]
    page.goto(f"{reviewed.url}/review/c1/")
    until(page, "window.trackweave && window.trackweave.frame() === 20")
    layers = page.locator("[data-layers] label")
    assert layers.all_inner_texts() == ["amber-fox (1 object, 1 event)", "blue-owl (2 objects, 2 events)"]
    before = page.locator("[data-timeline]").screenshot()
    layers.nth(1).click()
    page.wait_for_timeout(100)
    assert page.locator("[data-timeline]").screenshot() != before
    page.click("text=crossing 200–209")
    until(page, "window.trackweave.frame() === 200")
    page.click("[aria-label='Take over from blue-owl: crossing, frames 200 to 209']")
    pull(page, edge(page, 42), edge(page, 50))
    page.click("[data-amend]")
    until(page, "location.pathname === '/review/'")
    assert reviewed.task.last("amend")["intervals"] == [event(50, 85), event(200, 210)]


def test_an_accept_leaves_the_events_of_the_consensus_alone(page: Page, reviewed: FakeServer) -> None:
    reviewed.task.gets["/api/v1/consensus/c1/"]["intervals"] = [{**event(42, 85), "label": "car"}]
    page.goto(f"{reviewed.url}/review/c1/")
    until(page, "document.querySelectorAll('[data-interval]').length === 1")
    assert page.locator("[data-amend]").is_disabled()
    page.click("[data-interval] button")
    page.keyboard.press("Delete")
    assert page.locator("[data-accept]").is_disabled()
