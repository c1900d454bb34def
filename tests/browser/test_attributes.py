"""What is said of an object: the right one, of the label that it has now, and unsaid again."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import LABELS, open_bench, until
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import saved, show

TWO = [
    {
        "id": number,
        "label": "person",
        "attributes": {},
        "keyframes": [{"frame": 20, "points": [x, 40, x + 40, 120]}],
    }
    for number, x in (("1", 20), ("2", 150))
]
SPEED = {"name": "speed", "kind": "number", "mutable": False}


def attributes(page: Page, number: str) -> dict:
    return page.evaluate(f"() => window.trackweave.store.get('{number}').attributes")


def test_what_is_typed_is_said_of_the_object_that_it_was_typed_for(page: Page, served: FakeServer) -> None:
    served.task.body["project"]["labels"] = [{**LABELS[0], "attributes": [SPEED]}]
    served.task.body["tracks"] = TWO
    open_bench(page, served)
    page.click('[data-key="name 1"]')
    page.fill("[data-attribute=speed]", "30")
    # No Enter, no Tab: straight to the second object's row on the timeline.
    box = page.locator("[data-timeline] canvas").bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 2 + 16 + 8)
    until(page, "window.trackweave.store.selected === '2'")
    assert (attributes(page, "1"), attributes(page, "2")) == ({"speed": 30}, {})


def test_another_label_shows_its_own_attributes_at_once(bench: Page) -> None:
    bench.keyboard.press("n")
    bench.click("[data-detail] [aria-label^='Set a keyframe']")
    bench.keyboard.press("2")
    until(bench, "window.trackweave.store.get('1').label === 'car'")
    until(bench, "!document.querySelector('[data-attribute]')")
    bench.keyboard.press("1")
    until(bench, "document.querySelectorAll('[data-attribute]').length === 3")
    assert bench.locator("[data-detail] h3").inner_text() == "person 1"


def test_what_was_said_can_be_unsaid(page: Page, served: FakeServer) -> None:
    served.task.body["project"]["labels"] = [{**LABELS[0], "attributes": [*LABELS[0]["attributes"], SPEED]}]
    open_bench(page, served)
    page.keyboard.press("n")
    page.select_option("[data-attribute=sex]", "f")
    page.fill("[data-attribute=speed]", "30")
    page.press("[data-attribute=speed]", "Enter")
    page.select_option("[data-attribute=pose]", "walking")
    assert attributes(page, "1") == {"alone": True, "sex": "f", "speed": 30}
    page.select_option("[data-attribute=sex]", "")
    page.fill("[data-attribute=speed]", "")
    page.press("[data-attribute=speed]", "Enter")
    page.select_option("[data-attribute=pose]", "")
    saved(page)
    (track,) = served.task.last("draft")["tracks"]
    assert (track["attributes"], track["keyframes"][0]["attributes"]) == ({"alone": True}, {})


def test_what_holds_for_a_whole_track_can_be_said_on_any_frame(page: Page, served: FakeServer) -> None:
    served.task.body |= {"frame_step": 5, "tracks": TWO}
    open_bench(page, served)
    page.click('[data-key="name 1"]')
    show(page, 22)
    page.select_option("[data-attribute=sex]", "f")
    assert attributes(page, "1") == {"sex": "f"}
    assert page.evaluate("() => window.trackweave.store.get('1').keyframes.length") == 1


def test_another_label_keeps_only_what_it_may_have(page: Page, served: FakeServer) -> None:
    dog = [
        {"name": "pose", "kind": "select", "values": ["lying"], "mutable": True},
        {"name": "sex", "kind": "select", "values": ["f", "m"], "mutable": True},
        {"name": "alone", "kind": "boolean", "mutable": False},
    ]
    served.task.body["project"]["labels"] = [LABELS[0], {**LABELS[1], "name": "dog", "attributes": dog}]
    open_bench(page, served)
    page.keyboard.press("n")
    page.select_option("[data-attribute=sex]", "f")
    page.select_option("[data-attribute=pose]", "walking")
    page.uncheck("[data-attribute=alone]")
    page.focus("[data-canvas]")
    page.keyboard.press("2")
    saved(page)
    (track,) = served.task.last("draft")["tracks"]
    assert (track["label"], track["attributes"], track["keyframes"][0]["attributes"]) == ("dog", {"alone": False}, {})
