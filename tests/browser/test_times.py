"""Moments are shown in the time of whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import make_task, until
from tests.browser.fake import FakeServer

LEASE_UNTIL = datetime(2026, 3, 29, 0, 45, tzinfo=UTC)
SEAT = SimpleNamespace(pk="seat1", project=SimpleNamespace(name="Town square"), lease_until=LEASE_UNTIL)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Pacific/Pago_Pago", "2026-03-28 13:45"),
        ("Pacific/Kiritimati", "2026-03-29 14:45"),
        ("Asia/Kathmandu", "2026-03-29 06:30"),
        ("Europe/Berlin", "2026-03-29 01:45"),  # a quarter of an hour before the clocks go forward
    ],
)
def test_a_lease_ends_by_the_clock_on_the_workers_own_wall(
    browser: Browser, films: dict, settings: object, zone: str, told: str
) -> None:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    task.pages["/work/"] = ("work/home.html", {"held": [SEAT], "request": SimpleNamespace(GET={})})
    server, context = FakeServer(task), browser.new_context(timezone_id=zone)
    page = context.new_page()
    page.goto(f"{server.url}/work/")
    until(page, "document.querySelector('time').title")
    shown = page.locator("time")
    assert (shown.inner_text(), shown.get_attribute("title")) == (told, "2026-03-29 00:45 UTC")
    context.close()
    server.close()


def test_what_is_fetched_anew_is_in_the_readers_time_and_not_replaced_where_nothing_changed(
    browser: Browser, films: dict, settings: object
) -> None:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    segments, seats = {"accepted": 0, "total": 2}, dict.fromkeys(("submitted", "held", "open"), 0)
    batch = {"id": "b1", "created_at": LEASE_UNTIL, "status": "open", "segments": segments, "seats": seats}
    project = SimpleNamespace(pk="p1", name="Town square", instructions="")
    task.pages["/p/"] = ("projects/project.html", {"project": project, "able": [], "batches": [batch]})
    server, context = FakeServer(task), browser.new_context(timezone_id="Asia/Kathmandu")
    page = context.new_page()
    page.goto(f"{server.url}/p/")
    until(page, "document.querySelector('time').title")
    look = "async () => (await import('/static/pages/refresh.js')).refresh()"
    page.evaluate("window.before = document.querySelector('time')")
    page.evaluate(look)
    assert page.evaluate("window.before.isConnected")
    segments["accepted"] = 1
    page.evaluate(look)
    assert page.locator("time").inner_text() == "2026-03-29 06:30" and not page.evaluate("window.before.isConnected")
    context.close()
    server.close()
