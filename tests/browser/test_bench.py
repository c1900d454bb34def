"""Around the drawing: lease, release, zoom, attributes, hidden objects, frames between steps, keys that are off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import make_task, open_bench, until
from tests.browser.fake import FakeServer
from tests.browser.test_drawing import drag, near, saved, show

# What a screen reader would call the control that has the focus; its markup where it has no name.
NAME = """
() => {
  const e = document.activeElement;
  return e.getAttribute('aria-label') || e.labels?.[0]?.textContent.trim() || e.textContent.trim() || e.outerHTML;
}
"""


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_lease_that_nears_its_end_asks_to_be_renewed(page: Page, served: FakeServer) -> None:
    served.task.body["lease_until"] = soon(120)
    open_bench(page, served)
    until(page, "!document.querySelector('[data-lease-note]').hidden")
    served.task.body["lease_until"] = soon(1800)
    page.click("[data-renew-now]")
    until(page, "document.querySelector('[data-lease-note]').hidden")
    assert served.task.last("renew") == {"token": "t0"}
    until(page, "/^29:|^30:/.test(document.querySelector('[data-lease-time]').textContent)")


def test_a_lease_without_renewals_says_submit_soon(page: Page, served: FakeServer) -> None:
    served.task.body |= {"lease_until": soon(100), "renewals_left": 0}
    open_bench(page, served)
    until(page, "!document.querySelector('[data-lease-note]').hidden")
    assert "submit soon" in page.locator("[data-lease-note]").inner_text()
    assert page.locator("[data-renew]").is_disabled()
    assert not page.locator("[data-renew-now]").is_visible()


def test_when_the_lease_is_over_the_draft_is_saved_and_nothing_more_is_drawn(page: Page, served: FakeServer) -> None:
    served.task.body["lease_until"] = soon(100)
    page.clock.install()  # time passes as ever, and can be put forward
    open_bench(page, served)
    page.keyboard.press("n")
    page.clock.fast_forward(101_000)
    until(page, "!document.querySelector('[data-fatal]').hidden")
    assert len(served.task.last("draft")["tracks"]) == 1
    page.keyboard.press("n")
    assert page.evaluate("() => window.trackweave.store.all().length") == 1


def test_a_release_gives_the_seat_back_with_its_reason(bench: Page, served: FakeServer) -> None:
    bench.click("[data-release]")
    bench.select_option("[data-reason]", "too hard")
    bench.click("dialog[open] .danger")
    until(bench, "location.pathname === '/work/'")
    assert served.task.last("release") == {"token": "t0", "reason": "too hard"}


def test_what_is_drawn_zoomed_and_panned_has_the_coordinates_of_the_source(bench: Page) -> None:
    for _ in range(4):
        bench.keyboard.press("+")
    bench.keyboard.press("Control+ArrowRight")
    bench.keyboard.press("r")
    drag(bench, (150, 80), (175.5, 110))
    (track,) = bench.evaluate("() => window.trackweave.store.all()")
    assert bench.evaluate("() => window.trackweave.canvas.view().scale") > 4
    assert near(track["keyframes"][0]["points"], [150, 80, 175.5, 110], within=0.3)
    bench.keyboard.press("0")


def test_attributes_hold_for_the_track_or_from_a_frame_on(bench: Page, served: FakeServer) -> None:
    bench.keyboard.press("n")
    bench.select_option("[data-attribute=sex]", "f")
    show(bench, 60)
    bench.select_option("[data-attribute=pose]", "walking")
    bench.uncheck("[data-attribute=alone]")
    saved(bench)
    (track,) = served.task.last("draft")["tracks"]
    assert track["attributes"] == {"sex": "f", "alone": False}
    assert [(k["frame"], k["attributes"]) for k in track["keyframes"]] == [(20, {}), (60, {"pose": "walking"})]
    show(bench, 59)
    until(bench, "document.querySelector('[data-attribute=pose]').value === 'standing'")
    show(bench, 61)
    until(bench, "document.querySelector('[data-attribute=pose]').value === 'walking'")


def test_an_object_that_comes_back_has_the_box_that_it_had(bench: Page) -> None:
    bench.keyboard.press("n")
    first = bench.evaluate("() => window.trackweave.store.all()[0].keyframes[0].points")
    show(bench, 40)
    bench.keyboard.press("o")
    show(bench, 70)
    bench.keyboard.press("o")
    keyframes = bench.evaluate("() => window.trackweave.store.all()[0].keyframes")
    assert [(k["frame"], k["outside"], k.get("points")) for k in keyframes] == [
        (20, False, first),
        (40, True, None),
        (70, False, first),
    ]


def test_between_the_steps_of_a_project_nothing_is_drawn(page: Page, served: FakeServer) -> None:
    served.task.body["frame_step"] = 5
    open_bench(page, served)
    show(page, 22)
    page.keyboard.press("n")
    assert page.evaluate("() => window.trackweave.store.all().length") == 0
    assert "every 5th frame" in page.locator("[data-notice]").inner_text()
    page.keyboard.press("f")
    until(page, "window.trackweave.frame() === 25")
    page.keyboard.press("n")
    assert page.evaluate("() => window.trackweave.store.all().length") == 1


def test_letters_can_be_switched_off_and_ctrl_stays(bench: Page) -> None:
    bench.keyboard.press("n")
    bench.keyboard.press("?")
    bench.uncheck("[data-single]")
    bench.click("dialog[open] button")
    bench.focus("[data-canvas]")
    bench.keyboard.press("n")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 1
    bench.keyboard.press("Control+z")
    assert bench.evaluate("() => window.trackweave.store.all().length") == 0
    # Arrows and the like are no letters, and nothing that is dictated types them.
    bench.keyboard.press("ArrowRight")
    until(bench, "window.trackweave.frame() === 21")
    bench.keyboard.press(".")
    bench.keyboard.press("Home")
    until(bench, "window.trackweave.frame() === 20")


def test_every_control_is_reached_and_named_without_a_mouse(bench: Page) -> None:
    bench.keyboard.press("n")
    bench.evaluate("() => document.body.focus()")
    names = []
    for _ in range(60):
        bench.keyboard.press("Tab")
        name = bench.evaluate(NAME)
        names.append(name)
    assert [name for name in names if name.startswith("<")] == []
    wanted = [
        "Submit",
        "Release",
        "Draw a box",
        "Play or pause",
        "One frame on",
        "Frame",
        "Delete the object (Delete)",
        "Hide",
    ]
    assert [name for name in wanted if name not in names] == []


def test_the_words_on_the_page_can_be_read_in_light_and_dark(bench: Page) -> None:
    """WCAG's contrast of 4.5 for the colours that text is set in."""
    script = """
    () => {
      const probe = document.body.appendChild(document.createElement('i'));
      const lightness = (name) => {
        probe.style.color = `var(${name})`;
        const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255);
        const [r, g, b] = parts.map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const pairs = [['ink', 'paper'], ['ink', 'surface'], ['ink-soft', 'paper'], ['ink-soft', 'surface'],
                     ['ink-soft', 'sunk'], ['accent', 'surface'], ['accent-ink', 'accent'], ['good', 'good-back'],
                     ['warn', 'warn-back'], ['bad', 'bad-back'], ['bad', 'surface'], ['ink', 'picked']];
      const out = pairs.map(([a, b]) => {
        const [x, y] = [lightness(`--${a}`), lightness(`--${b}`)].sort((p, q) => q - p);
        return [a, b, (x + 0.05) / (y + 0.05)];
      });
      probe.remove();
      return out;
    }
    """
    for scheme in ("light", "dark"):
        bench.emulate_media(color_scheme=scheme)
        low = [pair for pair in bench.evaluate(script) if pair[2] < 4.5]
        assert (scheme, low) == (scheme, [])


@pytest.mark.parametrize("count", [2000])
def test_thousands_of_objects_are_drawn_stepped_and_sent(page: Page, films: dict, settings: object, count: int) -> None:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    tracks = [
        {
            "id": str(n),
            "label": "person",
            "attributes": {},
            "keyframes": [
                {"frame": f, "points": [n % 280, n % 150, n % 280 + 20, n % 150 + 30]} for f in range(20, 320, 30)
            ],
        }
        for n in range(count)
    ]
    server = FakeServer(make_task(films["even"], tracks=tracks))
    open_bench(page, server)
    show(page, 77)
    page.keyboard.press("n")
    saved(page)
    assert len(server.task.last("draft")["tracks"]) == count + 1
    server.close()
