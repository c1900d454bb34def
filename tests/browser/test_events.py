"""Events, the contract's intervals: marked by keys, buttons and on the timeline, and sent as they were marked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import LABELS, open_bench, until
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import saved, show, submit
from tests.browser.test_pointing import touch

DIRECTION = {"name": "direction", "kind": "select", "values": ["left", "right"], "mutable": False}
FAST = {"name": "fast", "kind": "boolean", "mutable": True, "default": False}
CROSSING = {"name": "crossing", "shape": "interval", "color": "#22a06b", "attributes": [DIRECTION, FAST]}
CUT = {"name": "cut", "shape": "interval", "color": None, "attributes": []}
PERSON = {"id": "7", "label": "person", "attributes": {}, "keyframes": [{"frame": 20, "points": [20, 40, 60, 120]}]}


def event(start: int, stop: int, track: str | None = None, **attributes: object) -> dict:
    return {"label": "crossing", "start": start, "stop": stop, "track": track, "attributes": attributes}


@pytest.fixture
def watched(page: Page, served: FakeServer) -> Page:
    """A bench of a project with labels of events (keys 3 and 4), with one object."""
    served.task.body["project"]["labels"] = [*LABELS, CROSSING, CUT]
    served.task.body["tracks"] = [PERSON]
    open_bench(page, served)
    return page


def events(page: Page) -> list[tuple]:
    said = page.evaluate("() => window.trackweave.store.intervals().map((i) => [i.label, i.start, i.stop, i.track])")
    return [tuple(one) for one in said]


def opened(page: Page, served: FakeServer, *intervals: dict) -> None:
    served.task.body["intervals"] = list(intervals)
    open_bench(page, served)


def edge(page: Page, frame: int, row: int = 0) -> tuple[float, float]:
    """Where on the screen the left edge of a frame is, in a row of the timeline."""
    box = page.locator("[data-timeline] canvas").bounding_box()
    return box["x"] + 96 + (frame - 20) / 300 * (box["width"] - 102), box["y"] + 2 + 16 * row + 7


def pull(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, start[1])
    page.mouse.move(*end)
    page.mouse.up()


def test_an_event_marked_by_keys_arrives_with_its_last_frame_in_it(watched: Page, served: FakeServer) -> None:
    show(watched, 40)
    watched.keyboard.press("e")
    show(watched, 79)
    watched.keyboard.press("x")
    assert watched.locator("[data-notice]").inner_text() == "crossing, frames 40 to 79."
    until(watched, "document.querySelector('[data-interval]').innerText.split(/\\s+/).join() === 'crossing,now,40–79'")
    watched.keyboard.press("4")
    show(watched, 100)
    watched.keyboard.press("e")
    saved(watched)
    assert served.task.last("draft")["intervals"] == [
        {"label": "cut", "start": 40, "stop": 80, "track": None, "attributes": {}},
        {"label": "cut", "start": 100, "stop": 101, "track": None, "attributes": {}},
    ]
    watched.keyboard.press("Control+Enter")
    assert watched.locator("[data-summary]").inner_text() == "1 object, 2 events."
    assert "cut on 100 is one frame long" in watched.locator("[data-doubts]").inner_text()
    watched.click("dialog[open] button.main")
    until(watched, "location.pathname === '/work/'")
    assert served.task.last("submit")["intervals"] == served.task.last("draft")["intervals"]


def test_an_event_that_was_begun_is_ended_whatever_was_done_between(watched: Page) -> None:
    show(watched, 40)
    watched.keyboard.press("Shift+E")
    assert "Select the object first" in watched.locator("[data-notice]").inner_text()
    watched.keyboard.press("]")
    watched.keyboard.press("Shift+E")
    assert events(watched) == [("crossing", 40, 41, "7")]
    watched.keyboard.press("]")
    show(watched, 60)
    watched.keyboard.press("d")
    watched.keyboard.press("x")
    assert events(watched) == [("crossing", 40, 61, "7")]
    show(watched, 30)
    watched.keyboard.press("x")
    assert "It begins on frame 40, after this one." in watched.locator("[data-notice]").inner_text()
    watched.keyboard.press("q")
    assert events(watched) == [("crossing", 30, 61, "7")]


def test_buttons_do_what_the_keys_do(watched: Page) -> None:
    assert watched.locator("[data-do=end]").is_disabled()
    watched.click("[data-do=begin]")
    show(watched, 25)
    watched.click("[data-do=end]")
    watched.click('[data-key="name 7"]')
    watched.click("[data-event=object]")
    show(watched, 35)
    watched.click("[data-event=last]")
    assert events(watched) == [("crossing", 20, 26, None), ("crossing", 25, 36, "7")]


def test_what_is_said_of_an_event_is_kept_and_can_be_undone(watched: Page, served: FakeServer) -> None:
    show(watched, 40)
    watched.keyboard.press("e")
    watched.fill("[data-end=last]", "500")
    watched.press("[data-end=last]", "Enter")
    assert watched.input_value("[data-end=last]") == "319"
    until(watched, "window.trackweave.frame() === 319")
    watched.fill("[data-end=first]", "50")
    watched.press("[data-end=first]", "Enter")
    assert watched.locator("[data-length]").inner_text() == "270 frames"
    watched.select_option("[data-choice=track]", "7")
    watched.select_option("[data-attribute=direction]", "left")
    watched.check("[data-attribute=fast]")
    saved(watched)
    assert served.task.last("draft")["intervals"] == [event(50, 320, "7", direction="left", fast=True)]
    watched.select_option("[data-choice=label]", "cut")
    assert events(watched) == [("cut", 50, 320, "7")]
    watched.focus("[data-canvas]")
    watched.keyboard.press("Delete")
    assert events(watched) == []
    for _ in range(2):
        watched.keyboard.press("Control+z")
    saved(watched)
    assert served.task.last("draft")["intervals"] == [event(50, 320, "7", direction="left", fast=True)]
    for _ in range(2):
        watched.keyboard.press("Control+y")
    assert events(watched) == []


def test_rows_stay_as_they_are_while_frames_go_by_and_the_focus_stays_where_it_is(
    watched: Page, served: FakeServer
) -> None:
    opened(watched, served, event(40, 80), event(100, 140))
    watched.evaluate("() => { window.rows = [...document.querySelectorAll('[data-interval]')]; }")
    show(watched, 50)
    until(watched, "document.querySelector('[data-interval]').innerText.includes('now')")
    rows = watched.evaluate("() => [...document.querySelectorAll('[data-interval]')].map((row, i) => row === rows[i])")
    assert rows == [False, True]
    watched.focus("[data-event-labels] .label >> nth=1")
    watched.keyboard.press("Enter")
    until(watched, "document.querySelectorAll('[data-event-labels] .label')[1].ariaPressed === 'true'")
    assert watched.evaluate("() => document.activeElement.innerText.includes('cut')")


def test_an_end_is_dragged_on_the_timeline_in_one_step(watched: Page, served: FakeServer) -> None:
    opened(watched, served, event(40, 80), event(100, 140))
    pull(watched, edge(watched, 80), edge(watched, 160))
    # Past the other one it stays in its row until it is let go.
    assert events(watched) == [("crossing", 40, 160, None), ("crossing", 100, 140, None)]
    until(watched, "window.trackweave.frame() === 159")
    pull(watched, edge(watched, 40), edge(watched, 120))
    assert events(watched) == [("crossing", 120, 160, None), ("crossing", 100, 140, None)]
    pull(watched, edge(watched, 120, row=1), edge(watched, 300, row=1))
    assert events(watched)[0] == ("crossing", 159, 160, None)
    watched.focus("[data-canvas]")
    for left in (120, 40, 40):
        watched.keyboard.press("Control+z")
        assert events(watched)[0][1] == left
    assert events(watched) == [("crossing", 40, 80, None), ("crossing", 100, 140, None)]
    # Within it a press goes to the frame, and changes nothing.
    pull(watched, edge(watched, 55), edge(watched, 65))
    assert events(watched)[0] == ("crossing", 40, 80, None)


def test_an_end_is_dragged_by_a_finger(browser: Browser, served: FakeServer) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    served.task.body["project"]["labels"] = [*LABELS, CROSSING]
    opened(page, served, event(40, 80))
    session = context.new_cdp_session(page)
    (x, y), (to, _) = edge(page, 80), edge(page, 200)
    touch(session, "touchStart", (x + 8, y))
    for step in range(1, 6):
        touch(session, "touchMove", (x + (to - x) * step / 5, y))
    touch(session, "touchEnd")
    assert events(page) == [("crossing", 40, 200, None)]
    assert page.evaluate("() => [scrollX, scrollY]") == [0, 0]
    context.close()


def test_an_object_and_its_events_go_together_and_say_so(watched: Page, served: FakeServer) -> None:
    opened(watched, served, event(40, 80, "7"), event(90, 95), event(100, 140, "7"))
    watched.keyboard.press("]")
    watched.keyboard.press("Backspace")
    assert (watched.evaluate("() => window.trackweave.store.all().length"), len(events(watched))) == (0, 1)
    watched.keyboard.press("Control+z")
    assert watched.evaluate("() => window.trackweave.store.selected") == "7"
    assert [track for *_, track in events(watched)] == ["7", None, "7"]
    watched.keyboard.press("Delete")
    assert watched.locator("[data-notice]").inner_text() == "person 7 and its 2 events deleted. Undo brings it back."


def test_a_refusal_is_shown_on_the_event(watched: Page, served: FakeServer) -> None:
    opened(watched, served, event(40, 80), event(100, 140))
    errors = [{"pointer": "/intervals/1/stop", "message": "must be after the start"}]
    served.task.trouble.append(("submit", 400, {"title": "Not valid", "detail": "1 problem.", "errors": errors}))
    submit(watched)
    until(watched, "window.trackweave.frame() === 100")
    until(watched, "document.querySelector('.selected .errors')?.innerText === 'must be after the start'")
    assert watched.locator(".errors").count() == 1
    show(watched, 105)
    watched.keyboard.press("q")
    until(watched, "!document.querySelector('.errors')")
    until(watched, "document.querySelector('[data-problems]').hidden")


def test_events_that_the_server_did_not_get_come_back(watched: Page, served: FakeServer) -> None:
    opened(watched, served, event(40, 80))
    served.task.trouble += [("draft", 503, {"title": "No"})] * 50
    watched.keyboard.press("e")
    until(watched, "JSON.parse(localStorage.getItem('trackweave:draft:seat1') ?? '{}').intervals?.length === 2")
    served.task.trouble.clear()
    watched.once("dialog", lambda dialog: dialog.accept())
    open_bench(watched, served)
    assert events(watched) == [("crossing", 40, 80, None), ("crossing", 20, 21, None)]
    saved(watched)
    assert len(served.task.last("draft")["intervals"]) == 2


def test_events_are_marked_on_any_frame_and_boxes_on_steps(watched: Page, served: FakeServer) -> None:
    served.task.body["frame_step"] = 5
    open_bench(watched, served)
    show(watched, 43)
    watched.keyboard.press("n")
    watched.keyboard.press("e")
    assert watched.evaluate("() => window.trackweave.store.all().length") == 1
    assert events(watched) == [("crossing", 43, 44, None)]


def test_what_is_read_only_cannot_be_changed(watched: Page, served: FakeServer) -> None:
    served.task.body["status"] = "submitted"
    opened(watched, served, event(40, 80))
    watched.click("[data-interval] button")
    until(watched, "document.querySelectorAll('[data-event-detail] input:disabled').length === 3")
    pull(watched, edge(watched, 80), edge(watched, 160))
    for key in ("q", "x", "e", "Delete", "4"):
        watched.keyboard.press(key)
    assert events(watched) == [("crossing", 40, 80, None)]
    assert watched.locator("[data-event-detail] :is(input, select):not(:disabled)").count() == 0


def test_without_labels_of_events_nothing_speaks_of_them(bench: Page) -> None:
    assert not bench.locator("[data-events]").is_visible()
    assert not bench.locator("[data-event-tools]").is_visible()
    bench.keyboard.press("e")
    assert events(bench) == []
    bench.keyboard.press("?")
    assert "vent" not in bench.locator("[data-help]").inner_text()
    bench.keyboard.press("Escape")
    bench.keyboard.press("Control+Enter")
    assert bench.locator("[data-summary]").inner_text() == "No objects."


def test_where_every_label_is_of_events_nothing_speaks_of_boxes(page: Page, served: FakeServer) -> None:
    served.task.body["project"]["labels"] = [CROSSING]
    open_bench(page, served)
    assert page.locator("[data-do=draw]").is_disabled()
    until(page, "document.querySelector('[data-objects]').hidden && !document.querySelector('[data-events]').hidden")
    for key in ("r", "n", "1", "e"):
        page.keyboard.press(key)
    assert page.evaluate("() => window.trackweave.store.all()") == []
    assert events(page) == [("crossing", 20, 21, None)]
    page.keyboard.press("Control+Enter")
    assert page.locator("[data-summary]").inner_text() == "1 event."
