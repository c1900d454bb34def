"""Fingers, screens and keyboards of all sorts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from tests.browser.conftest import open_bench, until
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import drag, near, place


def touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    spots = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})


def test_a_second_finger_moves_nothing(browser: Browser, served: FakeServer) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    page = context.new_page()
    open_bench(page, served)
    page.keyboard.press("r")
    drag(page, (60, 40), (120, 150))
    before = page.evaluate("() => window.trackweave.store.get('1').keyframes")
    session = context.new_cdp_session(page)
    first, second = place(page, 80, 60), place(page, 110, 140)
    touch(session, "touchStart", first)
    touch(session, "touchStart", first, second)
    for step in range(1, 6):
        touch(session, "touchMove", (first[0] + step / 2, first[1]), (second[0], second[1] - step / 2))
    touch(session, "touchEnd")
    after = page.evaluate("() => window.trackweave.store.get('1').keyframes")
    assert near(after[0]["points"], before[0]["points"], within=3)
    context.close()


def test_on_another_screen_the_picture_stays_under_the_pointer(bench: Page) -> None:
    """A window that is dragged to a screen of more pixels: nothing on the page changes its size."""
    session = bench.context.new_cdp_session(bench)
    bench.keyboard.press("r")
    drag(bench, (60, 40), (120, 150))
    session.send(
        "Emulation.setDeviceMetricsOverride", {"width": 1280, "height": 800, "deviceScaleFactor": 2, "mobile": False}
    )
    until(bench, "window.devicePixelRatio === 2")
    bench.keyboard.press("Escape")
    bench.wait_for_timeout(200)
    pixels = "(c) => [c.width / c.clientWidth, c.height / c.clientHeight]"
    assert bench.locator("[data-canvas]").evaluate(pixels) == [2, 2]


@pytest.mark.parametrize(("key", "code", "ctrl"), [("т", "KeyN", False), ("я", "KeyZ", True)])
def test_keys_work_on_keyboards_of_other_alphabets(bench: Page, key: str, code: str, ctrl: bool) -> None:
    bench.keyboard.press("n")
    press = "(canvas, e) => canvas.dispatchEvent(new KeyboardEvent('keydown', { ...e, bubbles: true }))"
    bench.locator("[data-canvas]").evaluate(press, {"key": key, "code": code, "ctrlKey": ctrl})
    assert bench.evaluate("() => window.trackweave.store.all().length") == (0 if ctrl else 2)


def test_the_frame_field_says_the_frame_that_is_there(bench: Page) -> None:
    bench.fill("[data-frame]", "999")
    bench.keyboard.press("Enter")
    until(bench, "window.trackweave.frame() === 319")
    assert bench.input_value("[data-frame]") == "319"


def test_a_new_box_is_in_the_picture_even_when_that_is_out_of_sight(bench: Page) -> None:
    for _ in range(3):
        bench.keyboard.press("+")
    for _ in range(60):
        bench.keyboard.press("Control+ArrowLeft")
    bench.keyboard.press("n")
    (track,) = bench.evaluate("() => window.trackweave.store.all()")
    x1, y1, x2, y2 = track["keyframes"][0]["points"]
    assert 0 <= x1 < x2 <= 320
    assert 0 <= y1 < y2 <= 192


def test_a_finger_on_the_timeline_goes_through_the_frames(browser: Browser, served: FakeServer) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    open_bench(page, served)
    session = context.new_cdp_session(page)
    box = page.locator("[data-timeline] canvas").bounding_box()
    y = box["y"] + 20
    touch(session, "touchStart", (150, y))
    for x in range(160, 360, 10):
        touch(session, "touchMove", (x, y))
        page.wait_for_timeout(20)
    touch(session, "touchEnd")
    assert page.evaluate("() => window.trackweave.store.frame") > 250
    context.close()


def test_a_drag_moves_only_the_object_that_was_taken_hold_of(bench: Page) -> None:
    bench.keyboard.press("r")
    drag(bench, (60, 40), (120, 150))
    bench.keyboard.press("r")
    drag(bench, (200, 40), (260, 150))
    before = bench.evaluate("() => window.trackweave.store.get('1').keyframes")
    drag(bench, (230, 100), (220, 110), key="[")
    assert bench.evaluate("() => window.trackweave.store.get('1').keyframes") == before


def test_escape_takes_back_a_box_that_is_being_drawn(bench: Page) -> None:
    bench.keyboard.press("r")
    drag(bench, (60, 40), (120, 150), key="Escape")
    assert bench.evaluate("() => window.trackweave.store.all()") == []
