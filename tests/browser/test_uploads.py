"""Videos from a browser over a bad line: what breaks off goes on where it stopped."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests import cast
from tests.browser.conftest import until
from tests.client.proxy import Plan, Proxy, heads
from tests.story.box import Api, Box

PASSWORD = "a good long word 42"
BYTES = 6_000_000
CUT = Plan(up=2_500_000)
HERE = "document.querySelector('[data-upload]') && document.readyState === 'complete'"
LOST = "document.querySelector('[data-uploads] [role=status]')?.textContent.startsWith('connection lost')"
READY = "document.querySelector('[data-video] .state-word')?.textContent === 'ready'"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Box]:
    people = tmp_path / "people.csv"
    people.write_text(f"name,role,password\nclara,client,{PASSWORD}\n")
    box = Box(tmp_path).serve(workers=1)
    box.manage("adduser", "--file", str(people))
    yield box
    box.stop()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "street.mp4"
    path.write_bytes(cast.video_file(40).read_bytes())
    with path.open("ab") as file:  # what comes after the film, players and we leave out
        file.write(os.urandom(BYTES - path.stat().st_size))
    return path


def at_project(browser: Browser, site: Box, proxy: Proxy) -> Page:
    api = Api(site.url, site.manage("adduser", "clara").split()[-1])
    project = api.post("/projects/", {"name": "Street", "labels": [{"name": "person"}]})["id"]
    page = browser.new_context().new_page()
    page.goto(f"{proxy.url}/login/?next=/projects/{project}/")
    page.fill("[name=username]", "clara")
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    until(page, HERE)
    return page


def cut(proxy: Proxy, *plans: Plan) -> None:
    """End the connections that are open, so that the next ones get their plans."""
    proxy._plans[:] = plans
    for each in proxy._sites:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def sent_from(proxy: Proxy) -> list[int]:
    return [int(value) for value in heads(proxy.passed, "Upload-Offset")]


def test_an_upload_that_breaks_off_goes_on_by_itself_where_it_stopped(browser: Browser, site: Box, video: Path) -> None:
    with Proxy(site.url) as proxy:
        page = at_project(browser, site, proxy)
        cut(proxy, CUT, CUT)
        page.set_input_files("[data-upload] input", str(video))
        until(page, LOST)
        until(page, READY, 60)
        starts = sent_from(proxy)
        assert starts[0] == 0 < starts[-1] and sum(len(each.up) for each in proxy.passed) < 1.5 * BYTES
        assert page.locator("[data-video]").count() == 1 and page.locator("[data-uploads] li").count() == 0
        page.context.close()


def test_the_same_file_chosen_again_on_another_day_goes_on_where_it_stopped(
    browser: Browser, site: Box, video: Path
) -> None:
    with Proxy(site.url) as proxy:
        page = at_project(browser, site, proxy)
        cut(proxy, CUT, *[Plan(up=0)] * 40)
        page.set_input_files("[data-upload] input", str(video))
        until(page, LOST)
        cut(proxy)
        page.on("dialog", lambda dialog: dialog.accept())
        page.reload()
        until(page, HERE)
        page.set_input_files("[data-upload] input", str(video))
        until(page, READY, 60)
        assert min(sent_from(proxy)[1:]) > 0 and page.evaluate("localStorage.length") == 0
        page.context.close()


def test_a_file_without_a_byte_is_refused_and_the_next_one_is_sent(browser: Browser, site: Box, video: Path) -> None:
    empty = video.with_name("empty.mp4")
    empty.touch()
    with Proxy(site.url) as proxy:
        page = at_project(browser, site, proxy)
        page.set_input_files("[data-upload] input", [str(empty), str(video)])
        until(page, READY, 60)
        assert page.inner_text("[data-uploads] .bad") == "The file is empty."
        page.context.close()
