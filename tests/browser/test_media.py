"""Paper, colours that the machine chooses, narrow windows: nothing is cut off, nothing told by a lost colour alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import open_bench, until
from tests.browser.fake import FakeServer
from tests.browser.test_forms import PROGRESS, PROJECT, WORKER

A4_PX = 718  # what is left of a sheet between its margins
KNOWN = {"submitted": 6, "accepted": 5, "rejected": 0, "expired": 0, "benchmark_score": 0.7, "agreement": 0.7}
SKILL = {"mean": 0.9, "low": 0.8, "high": 0.95}
WIDTHS = "(list) => [list.scrollWidth, list.clientWidth]"


@pytest.fixture
def people(served: FakeServer) -> str:
    """The address of an overview with workers of whom everything is known."""
    flags = [{"code": "never_moves"}, {"code": "no_better_than_chance"}]
    workers = [WORKER | KNOWN | {"user": f"worker{n}", "skill": SKILL, "flags": flags} for n in range(5)]
    shown = {"project": PROJECT, "able": ["people"], "policy": {"currency": "EUR"}, "progress": PROGRESS}
    served.task.pages["/live/"] = ("projects/live.html", shown | {"workers": workers})
    return f"{served.url}/live/"


def test_the_table_of_workers_fits_on_a_laptop(page: Page, people: str) -> None:
    page.goto(people)
    wide, seen = page.locator(".scroll").evaluate(WIDTHS)
    assert wide == seen


def test_on_paper_the_table_of_workers_is_whole_and_nothing_is_to_be_pressed(page: Page, people: str) -> None:
    page.set_viewport_size({"width": A4_PX, "height": 1000})
    page.emulate_media(media="print")
    page.goto(people)
    wide, seen = page.locator(".scroll").evaluate(WIDTHS)
    assert wide == seen
    assert not any(each.is_visible() for each in page.locator("button, form, .top").all())
    heads, cells = (
        page.locator(f".stack {of}").evaluate_all("(all) => all.map((c) => c.offsetLeft)")
        for of in ("th", "tbody tr:first-child td")
    )
    assert heads == cells


def test_colours_tell_labels_and_states_apart_where_the_machine_chooses_them(
    browser: Browser, served: FakeServer, people: str
) -> None:
    page = browser.new_context(forced_colors="active", viewport={"width": 1280, "height": 800}).new_page()
    page.goto(people)
    colours = "(all) => all.map((e) => getComputedStyle(e).backgroundColor)"
    shown = page.locator("[data-chart=tasks] .key").evaluate_all(colours)
    assert len(set(shown)) == len(shown) > 3
    open_bench(page, served)
    until(page, "document.querySelectorAll('.label .dot').length === 2")
    first, second = page.locator(".label .dot").evaluate_all(colours)
    assert first != second
    outline = "(button) => getComputedStyle(button).outlineStyle"
    pressed = [page.locator(f".tool[data-do={name}]").evaluate(outline) for name in ("select", "draw")]
    assert pressed == ["solid", "none"]
    page.context.close()


def test_a_reason_can_be_read_while_it_is_written_on_a_narrow_screen(page: Page, served: FakeServer) -> None:
    seat = SimpleNamespace(status="rejected", reason="")
    disputes = [SimpleNamespace(pk="d1", worker="wanda", assignment=seat, reason="why")]
    request = SimpleNamespace(get_full_path="/payouts/")
    shown = {"project": PROJECT, "request": request, "currency": "EUR", "disputes": disputes}
    served.task.pages["/payouts/"] = ("projects/payouts.html", shown)
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{served.url}/payouts/")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert all(field.bounding_box()["width"] > 140 for field in page.locator(".dispute input").all())
