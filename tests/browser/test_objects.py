"""Objects as a whole: their names, their last box, and what goes with them when they go."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import open_bench
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import saved, show


def test_large_numbers_as_names_stay_apart(page: Page, served: FakeServer) -> None:
    given = {"id": "900719925474099300", "label": "person", "keyframes": [{"frame": 20, "points": [20, 40, 60, 120]}]}
    served.task.body["tracks"] = [given]
    open_bench(page, served)
    for _ in range(3):
        page.keyboard.press("n")
    ids = page.evaluate("() => window.trackweave.store.all().map((t) => t.id)")
    assert ids == [given["id"], "1", "2", "3"]


def test_an_object_is_never_left_without_any_box(bench: Page) -> None:
    bench.keyboard.press("n")
    bench.keyboard.press("o")
    assert "only box" in bench.locator("[data-notice]").inner_text()
    assert bench.evaluate("() => window.trackweave.store.get('1').keyframes[0].outside") is False
    show(bench, 40)
    bench.keyboard.press("o")
    show(bench, 20)
    bench.keyboard.press("Backspace")
    assert bench.evaluate("() => window.trackweave.store.all()") == []


def test_an_interval_of_an_object_goes_and_comes_back_with_it(page: Page, served: FakeServer) -> None:
    served.task.body |= {
        "tracks": [{"id": "7", "label": "person", "keyframes": [{"frame": 20, "points": [20, 40, 60, 120]}]}],
        "intervals": [{"label": "car", "start": 30, "stop": 40, "track": "7", "attributes": {}}],
    }
    open_bench(page, served)
    page.click('[data-key="name 7"]')
    page.focus("[data-canvas]")
    page.keyboard.press("Delete")
    saved(page)
    assert served.task.last("draft")["intervals"] == []
    page.keyboard.press("Control+z")
    saved(page)
    assert served.task.last("draft")["intervals"] == served.task.body["intervals"]
