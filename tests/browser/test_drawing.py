"""What is drawn is what arrives: by mouse, by keys, after undo, after an error and after a lost line."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import make_task, open_bench, until
from tests.browser.fake import FakeServer


def show(page: Page, frame: int) -> None:
    page.fill("[data-frame]", str(frame))
    page.keyboard.press("Enter")
    until(page, f"window.trackweave.frame() === {frame}")
    page.focus("[data-canvas]")


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the source is on the screen."""
    view = page.evaluate("() => window.trackweave.canvas.view()")
    box = page.locator("[data-canvas]").bounding_box()
    return box["x"] + view["x"] + x * view["scale"], box["y"] + view["y"] + y * view["scale"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], key: str | None = None) -> None:
    """From one place to another with the button down; on half the way a key may be pressed."""
    page.mouse.move(*place(page, *start))
    page.mouse.down()
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*place(page, *middle))
    if key is not None:
        page.keyboard.press(key)
    page.mouse.move(*place(page, *end))
    page.mouse.up()


def saved(page: Page) -> None:
    until(page, "document.querySelector('[data-saved]').dataset.state === 'saved'")


def submit(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    page.click("dialog[open] button.main")


def near(points: list[float], wanted: list[float], within: float = 0.6) -> bool:
    return all(abs(a - b) <= within for a, b in zip(points, wanted, strict=True))


def test_two_objects_drawn_with_mouse_and_keys_arrive_as_drawn(bench: Page, served: FakeServer) -> None:
    # The first with the mouse: drawn, moved on another frame, resized on a third.
    bench.keyboard.press("r")
    drag(bench, (60, 40), (120, 150))
    show(bench, 50)
    drag(bench, (90, 95), (110, 100))
    show(bench, 79)
    drag(bench, (140, 155), (150, 160))
    # The second by keys alone: placed, moved, made larger, ended.
    show(bench, 20)
    bench.keyboard.press("Escape")
    bench.keyboard.press("2")
    bench.keyboard.press("n")
    first = bench.evaluate("() => window.trackweave.store.get('2').keyframes[0].points")
    show(bench, 60)
    for key in ["Shift+D", "d", "d", "Shift+W", "w", "Shift+L", "k"]:
        bench.keyboard.press(key)
    show(bench, 79)
    bench.keyboard.press("o")
    saved(bench)
    store = bench.evaluate("() => window.trackweave.store.all()")
    submit(bench)
    until(bench, "location.pathname === '/work/'")
    assert served.task.last("draft")["tracks"] == store
    sent = served.task.last("submit")
    assert sent["token"] == "t0"
    person, car = sent["tracks"]
    assert [person, car] == store
    assert (person["label"], [k["frame"] for k in person["keyframes"]]) == ("person", [20, 50, 79])
    assert person["attributes"] == {"alone": True}
    boxes = [k["points"] for k in person["keyframes"]]
    assert near(boxes[0], [60, 40, 120, 150])
    assert near(boxes[1], [80, 45, 140, 155])
    assert near(boxes[2], [80, 45, 150, 160])
    assert (car["label"], [(k["frame"], k["outside"]) for k in car["keyframes"]]) == (
        "car",
        [(20, False), (60, False), (79, True)],
    )
    x1, y1, x2, y2 = first
    assert car["keyframes"][1]["points"] == pytest.approx([x1 + 12, y1 - 11, x2 + 22, y2 - 10])
    assert "points" not in car["keyframes"][2]


def test_every_post_has_a_key_of_its_own(bench: Page, served: FakeServer) -> None:
    bench.keyboard.press("n")
    bench.click("[data-renew]")
    submit(bench)
    until(bench, "location.pathname === '/work/'")
    posts = [key for (method, _, _), key in zip(served.task.sent, served.task.keys, strict=True) if method == "POST"]
    assert len(posts) == 3  # renew, submit, claim
    assert len(set(posts)) == 3
    assert None not in posts


def test_undo_takes_back_one_gesture_and_redo_gives_it_again(bench: Page) -> None:
    bench.keyboard.press("r")
    drag(bench, (60, 40), (120, 150))
    before = bench.evaluate("() => window.trackweave.store.all()")
    drag(bench, (90, 95), (130, 100))
    moved = bench.evaluate("() => window.trackweave.store.all()")
    bench.keyboard.press("Delete")
    seen = []
    for key in ["Control+z", "Control+z", "Control+z", "Control+y", "Control+Shift+z", "Control+y"]:
        bench.keyboard.press(key)
        seen.append(bench.evaluate("() => window.trackweave.store.all()"))
    assert moved != before
    assert seen == [moved, before, [], before, moved, []]


def test_a_refusal_is_shown_on_the_object_and_leads_to_the_frame(bench: Page, served: FakeServer) -> None:
    bench.keyboard.press("n")
    show(bench, 70)
    bench.keyboard.press("d")
    errors = [
        {"pointer": "/tracks/0/keyframes/1/points", "message": "is wholly outside the picture"},
        {"pointer": "/intervals", "message": "is no list"},
    ]
    served.task.trouble.append(("submit", 400, {"title": "Not valid", "detail": "2 problems.", "errors": errors}))
    show(bench, 30)
    submit(bench)
    until(bench, "window.trackweave.frame() === 70")
    assert bench.locator('[data-track="1"] .errors').inner_text() == "is wholly outside the picture (frame 70)"
    assert "is no list" in bench.locator("[data-problems]").inner_text()
    # Mended, the error goes and the submit goes through.
    bench.focus("[data-canvas]")
    bench.keyboard.press("a")
    until(bench, "!document.querySelector('.errors')")
    submit(bench)
    until(bench, "location.pathname === '/work/'")


def test_without_a_line_the_draft_is_kept_here_and_sent_when_it_is_back(bench: Page, served: FakeServer) -> None:
    bench.context.set_offline(True)
    bench.keyboard.press("n")
    until(bench, "document.querySelector('[data-saved]').dataset.state === 'offline'")
    assert bench.evaluate("() => JSON.parse(localStorage.getItem('trackweave:draft:seat1')).tracks.length") == 1
    assert not served.task.sent
    bench.context.set_offline(False)
    saved(bench)
    assert len(served.task.last("draft")["tracks"]) == 1
    assert bench.evaluate("() => localStorage.getItem('trackweave:draft:seat1')") is None


def test_what_the_browser_kept_and_the_server_never_got_is_back_after_a_reload(bench: Page, served: FakeServer) -> None:
    served.task.trouble += [("draft", 503, {})] * 3
    bench.keyboard.press("n")
    until(bench, "document.querySelector('[data-saved]').dataset.state === 'offline'")
    bench.on("dialog", lambda dialog: dialog.accept())
    open_bench(bench, served)
    until(bench, "window.trackweave.store.all().length === 1")


def test_after_the_lease_nothing_can_be_changed_and_the_page_says_so(bench: Page, served: FakeServer) -> None:
    served.task.trouble.append(("draft", 410, {"title": "Too late", "detail": "The lease is over."}))
    bench.keyboard.press("n")
    until(bench, "!document.querySelector('[data-fatal]').hidden")
    assert "The lease is over." in bench.locator("[data-fatal]").inner_text()
    bench.keyboard.press("n")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 1
    assert bench.locator("[data-submit]").is_disabled()


def test_a_frame_that_the_video_cannot_show_comes_as_a_picture(page: Page, films: dict, settings: object) -> None:
    """The clip's table lies here by two frames, so no seek can be proven and every frame falls back."""
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    task.body["clip"]["frame_times_s"] = [t + 0.021 for t in task.body["clip"]["frame_times_s"]]
    server = FakeServer(task)
    open_bench(page, server)
    assert page.evaluate("() => window.trackweave.proof.source") == "picture"
    show(page, 33)
    assert page.evaluate("() => window.trackweave.proof") | {"fallbacks": 0} == {
        "frame": 33,
        "source": "picture",
        "mediaTime": None,
        "fallbacks": 0,
    }
    page.keyboard.press("n")
    assert page.evaluate("() => window.trackweave.store.get('1').keyframes[0].frame") == 33
    server.close()


def test_while_playing_nothing_is_drawn_and_the_stop_is_proven(bench: Page) -> None:
    bench.keyboard.press("Space")
    until(bench, "window.trackweave.store.frame > 40")
    bench.keyboard.press("n")
    until(bench, "!window.trackweave.store.playing && window.trackweave.frame() !== null")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 0
    assert bench.evaluate("() => window.trackweave.proof.source") == "video"
