"""The page of gold: what it holds, over pictures of its frames, to be looked at and not changed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import LABELS, make_task, track, until
from tests.browser.fake import FakeServer
from tests.browser.test_events import CROSSING, event


@pytest.fixture
def shown(films: dict, settings: object) -> Iterator[FakeServer]:
    """Gold of two tracks and an event, at /gold/."""
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    known = {"start": 20, "stop": 320, "tracks": [track("1", 20.0), track("2", 90.0)], "intervals": [event(40, 90)]}
    task.gets["/api/v1/gold/g1/tracks/"] = known
    video = SimpleNamespace(name="square.mp4", width=320, height=192)
    gold = SimpleNamespace(pk="g1", project_id="p1", project={"name": "Square"}, video=video, video_id="v1", start=20)
    task.pages["/gold/"] = ("projects/gold_item.html", {"gold": gold, "labels": [*LABELS, CROSSING]})
    server = FakeServer(task)
    yield server
    server.close()


def test_gold_is_shown_over_the_pictures_of_its_frames(page: Page, shown: FakeServer) -> None:
    page.goto(f"{shown.url}/gold/")
    until(page, "window.trackweave && window.trackweave.frame() === 20")
    assert page.evaluate("() => window.trackweave.proof.source") == "picture"
    assert (page.inner_text("[data-count]"), page.inner_text("[data-event-count]")) == ("2", "1")
    page.keyboard.press("ArrowRight")
    until(page, "window.trackweave.frame() === 21")
    page.fill("[data-frame]", "40")
    page.keyboard.press("Enter")
    until(page, "window.trackweave.frame() === 40")
    page.click("[data-interval] button")
    assert page.locator("[data-do=play]").is_hidden() and page.locator("[data-do=draw]").is_disabled()
    page.keyboard.press("Delete")
    assert page.inner_text("[data-event-count]") == "1"
    assert shown.task.sent == []


def test_gold_that_cannot_be_had_is_told_of(page: Page, shown: FakeServer) -> None:
    del shown.task.gets["/api/v1/gold/g1/tracks/"]
    page.goto(f"{shown.url}/gold/")
    until(page, "!document.querySelector('[data-fatal]').hidden")
