"""The reviewer's page: whose tracks are shown, where they disagree, and what is sent as a verdict."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import track, until
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import show


@pytest.fixture
def desk(page: Page, reviewed: FakeServer) -> Page:
    page.goto(f"{reviewed.url}/review/c1/")
    until(page, "window.trackweave && window.trackweave.frame() === 20")
    return page


def test_each_workers_tracks_can_be_switched_on(desk: Page) -> None:
    layers = desk.locator("[data-layers] label")
    assert layers.all_inner_texts() == ["amber-fox (1)", "blue-owl (2)"]
    before = desk.locator("[data-canvas]").screenshot()
    layers.nth(1).click()
    desk.wait_for_timeout(100)
    assert desk.evaluate("() => window.trackweave.store.layers.map((l) => l.on)") == [False, True]
    assert desk.locator("[data-canvas]").screenshot() != before


def test_disputes_are_walked_through_one_after_the_other(desk: Page) -> None:
    for frame in (80, 150, 80):
        desk.click("[data-dispute=after]")
        until(desk, f"window.trackweave.frame() === {frame}")
    assert desk.evaluate("() => window.trackweave.store.selected") == "1"


def test_disputes_that_begin_on_one_frame_are_all_walked_through(page: Page, reviewed: FakeServer) -> None:
    tracks = [track("1", 60, disputes=[[20, 30], [80, 95]]), track("2", 150, disputes=[[20, 40], [80, 90]])]
    reviewed.task.gets["/api/v1/consensus/c1/"] |= {"tracks": [t | {"confidence": 0.6, "support": []} for t in tracks]}
    page.goto(f"{reviewed.url}/review/c1/")
    until(page, "window.trackweave && window.trackweave.frame() === 20")
    walk = [("1", 20), ("2", 20), ("1", 80), ("2", 80), ("1", 20)]
    for which, steps in (("after", walk), ("before", [("2", 80), ("1", 80), ("2", 20)])):
        for number, frame in steps:
            page.click(f"[data-dispute={which}]")
            until(page, f"window.trackweave.frame() === {frame} && window.trackweave.store.selected === '{number}'", 3)


def test_an_accept_names_the_version_that_was_seen(desk: Page, reviewed: FakeServer) -> None:
    desk.click("[data-accept]")
    until(desk, "location.pathname === '/review/'")
    assert reviewed.task.last("accept") == {"version": 3}


def test_an_amendment_is_what_the_reviewer_made_of_it(desk: Page, reviewed: FakeServer) -> None:
    assert desk.locator("[data-amend]").is_disabled()
    desk.evaluate("() => window.trackweave.store.select('1')")
    show(desk, 90)
    desk.keyboard.press("Shift+D")
    assert desk.locator("[data-accept]").is_disabled()
    desk.click("[data-amend]")
    until(desk, "location.pathname === '/review/'")
    sent = reviewed.task.last("amend")
    assert sent["version"] == 3
    (amended,) = sent["tracks"]
    assert set(amended) == {"id", "label", "attributes", "keyframes"}
    assert [k["frame"] for k in amended["keyframes"]] == [20, 90, 200]
    # Seventy frames of 180 on the way from x to x + 40, and ten pixels more.
    assert amended["keyframes"][1]["points"][0] == pytest.approx(60 + 40 * 70 / 180 + 10, abs=0.01)


def test_undone_changes_leave_an_accept(desk: Page) -> None:
    desk.evaluate("() => window.trackweave.store.select('1')")
    desk.keyboard.press("d")
    desk.keyboard.press("Control+z")
    until(desk, "!document.querySelector('[data-accept]').disabled")
    assert desk.locator("[data-amend]").is_disabled()


def test_a_rejection_has_a_reason_and_a_number_of_seats(desk: Page, reviewed: FakeServer) -> None:
    desk.click("[data-reject]")
    desk.click("dialog[open] .danger")
    assert desk.locator("dialog[open]").count() == 1  # no reason yet
    desk.fill("dialog[open] [name=reason]", "two people are missing")
    desk.fill("dialog[open] [name=seats]", "2")
    desk.click("dialog[open] .danger")
    until(desk, "location.pathname === '/review/'")
    assert reviewed.task.last("reject") == {"version": 3, "reason": "two people are missing", "seats": 2}


def test_enter_after_the_reason_rejects(desk: Page, reviewed: FakeServer) -> None:
    desk.click("[data-reject]")
    desk.keyboard.type("two people are missing")
    desk.keyboard.press("Enter")
    until(desk, "location.pathname === '/review/'")
    assert reviewed.task.last("reject")["reason"] == "two people are missing"


def test_a_consensus_that_changed_meanwhile_is_not_decided_blindly(desk: Page, reviewed: FakeServer) -> None:
    reviewed.task.trouble.append(("accept", 409, {"title": "Conflict", "detail": "It was decided already."}))
    desk.click("[data-accept]")
    until(desk, "!document.querySelector('[data-fatal]').hidden")
    assert "It was decided already." in desk.locator("[data-fatal]").inner_text()
    assert desk.locator("[data-accept]").is_disabled()
