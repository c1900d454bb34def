"""Small windows and long words: nothing that one needs is out of reach."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page

from tests.browser.fake import FakeServer

LONG = "https://example.com/" + "apagethatsayshowtodraw" * 8
OUT_OF_SIGHT = """
() => {
  const screen = document.querySelector('[data-screen]').getBoundingClientRect();
  const out = (b) => b.bottom > screen.bottom || b.right > screen.right || b.top < screen.top;
  return [...document.querySelectorAll('.over-tools .tool')].filter((t) => out(t.getBoundingClientRect()))
    .map((t) => t.title);
}
"""


@pytest.mark.parametrize(("wide", "high"), [(1280, 800), (844, 390), (640, 360), (390, 844)])
def test_every_tool_is_in_sight_in_a_low_or_a_narrow_window(bench: Page, wide: int, high: int) -> None:
    bench.set_viewport_size({"width": wide, "height": high})
    bench.wait_for_timeout(100)
    assert bench.evaluate(OUT_OF_SIGHT) == []


@pytest.mark.parametrize("wide", [1280, 390])
def test_long_words_make_no_page_wider_than_the_window(page: Page, served: FakeServer, wide: int) -> None:
    project = SimpleNamespace(pk="p1", name=f"Squares {LONG}", instructions=f"See {LONG}")
    shown = {"project": project, "able": ["run", "people"], "labels": [{"name": LONG, "attributes": []}]}
    shown["policy"] = {"reward_micros": 0, "budget_micros": None, "currency": "EUR"}
    launch = {"id": "b1", "created_at": datetime(2026, 1, 1, tzinfo=UTC), "names": [LONG]}
    who = [SimpleNamespace(username=LONG, waiting=2)]
    pages = {
        "/submissions/": ("projects/submissions.html", shown | {"workers": who, "batches": [launch, launch]}),
        "/projects/p1/": ("projects/project.html", shown),
        "/payouts/": ("projects/payouts.html", shown | {"request": SimpleNamespace(get_full_path="/payouts/")}),
    }
    served.task.pages |= pages
    page.set_viewport_size({"width": wide, "height": 800})
    for address in pages:
        page.goto(served.url + address)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= wide, address
