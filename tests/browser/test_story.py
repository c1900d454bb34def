"""From the upload to the download in a real browser, each role with a window of its own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from tests import servers
from tests.browser.conftest import until
from tests.browser.test_drawing import drag, saved, show, submit
from tests.conftest import ON_POSTGRES
from tests.story.box import Box

PASSWORD = "a good long word 42"
PEOPLE = {"mona": "manager", "clara": "client", "rita": "reviewer", "wanda": "worker", "willi": "worker"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Box]:
    """The product running, with PEOPLE who log in with PASSWORD; on the database that this run is about."""
    box = Box(tmp_path, **(database_of_its_own() if ON_POSTGRES else {}))
    people = tmp_path / "people.csv"
    people.write_text("name,role,password\n" + "".join(f"{name},{role},{PASSWORD}\n" for name, role in PEOPLE.items()))
    box.serve(workers=1)
    box.manage("adduser", "--file", str(people))
    yield box
    box.stop()


def database_of_its_own() -> dict[str, str]:
    """A fresh database on the run's server, as the environment names it."""
    servers.start_postgres()
    url = urlsplit(servers.database_url("postgres"))
    folder = str(servers.run_folder() / "postgres")
    with psycopg.connect(host=folder, user="trackweave", dbname="postgres", autocommit=True) as connection:
        name = f"browser_story_{uuid4().hex}"
        connection.execute(f"CREATE DATABASE {name}")
    return {"DATABASE_URL": url._replace(path=f"/{name}").geturl()}


class Windows:
    """A window per person, logged in. No script may fail in any of them."""

    def __init__(self, browser: Browser, site: Box) -> None:
        self.browser, self.site = browser, site
        self.wrong: list[str] = []

    def of(self, name: str) -> Page:
        page = self.browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda m: self.wrong.append(m.text) if "Content Security Policy" in m.text else None)
        page.goto(f"{self.site.url}/login/")
        page.fill("[name=username]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("button.main")
        until(page, "document.readyState === 'complete' && location.pathname !== '/login/'")
        return page


@pytest.fixture
def windows(browser: Browser, site: Box) -> Iterator[Windows]:
    windows = Windows(browser, site)
    yield windows
    for context in browser.contexts:
        context.close()
    assert not windows.wrong, windows.wrong


def make_project(manager: Page) -> str:
    """A project of two labels, by the form; its address."""
    manager.click("text=Make the first one")
    manager.fill("[name=name]", "Town square")
    manager.fill("[name=instructions]", "Draw every person.")
    manager.fill("[name=label] >> nth=0", "person")
    manager.fill("[name=attributes] >> nth=0", "pose*: standing, walking")
    manager.click("[data-add]")
    manager.fill("[name=label] >> nth=1", "car")
    manager.click("main button.main")
    until(manager, "document.querySelector('h1').textContent === 'Town square'")
    return manager.url


def invite(manager: Page, guest: Page, role: str) -> None:
    manager.select_option("[data-invite] select", role)
    manager.click("[data-invite] button")
    until(manager, "document.querySelector('[data-link-made] code')")
    guest.goto(manager.locator("[data-link-made] code").inner_text())
    manager.evaluate("() => document.querySelector('[data-link-made]').replaceChildren()")
    guest.click("main button.main")
    until(guest, "!location.pathname.startsWith('/invites/')")


def bring_video(client: Page, video: Path) -> None:
    """Upload, wait, launch: two workers per task, and a person looks at each."""
    client.set_input_files("input[type=file][multiple]", str(video))
    until(client, "document.querySelector('[data-video] .state-word')?.textContent === 'ready'", 40)
    assert "not evenly spaced" in client.locator("[data-video] details").text_content()
    add_gold(client, video.parent)
    client.click("[data-nest=policy] summary")
    few = {"redundancy": "2", "max_redundancy": "2", "agreement_floor": "1", "gain_floor": "0.05", "gold_share": "0"}
    for name, value in few.items():
        client.fill(f"[name={name}]", value)
    client.fill("[name=segment_frames]", "400")
    client.uncheck("[name=adaptive]")
    client.click("[data-nest=policy] button.main")
    until(client, "document.querySelector('[data-batch]')")


def add_gold(client: Page, folder: Path) -> None:
    """A file that is wrong is refused with where and why; the mended one is listed."""
    keyframe = {"frame": 3, "points": [60, 40, 10, 150]}
    for x2, said in ((10, "/tracks/0/keyframes/0/points"), (120, "frames 0 to 10: 1 track")):
        keyframe["points"][2] = x2
        file = folder / "gold.json"
        file.write_text(json.dumps({"tracks": [{"id": "1", "label": "person", "keyframes": [keyframe]}]}))
        client.fill("[data-gold] [name=stop]", "10")
        client.set_input_files("[data-gold] [name=file]", str(file))
        client.click("[data-gold] button")
        until(client, f"document.querySelector('main').textContent.includes('{said}')")


def draw(page: Page, shift: float) -> list:
    """Two objects over sixty frames with mouse and keys; what the store then holds."""
    until(page, "window.trackweave && window.trackweave.frame() === 0", 40)
    page.keyboard.press("r")
    drag(page, (60 + shift, 40), (120 + shift, 150))
    show(page, 59)
    drag(page, (90 + shift, 95), (150 + shift, 105))
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    show(page, 0)
    page.keyboard.press("n")
    show(page, 59)
    for key in ["Shift+D", "d", "Shift+W", "Shift+L", "p"]:
        page.keyboard.press(key)
    saved(page)
    return page.evaluate("() => window.trackweave.store.all()")


def claim(worker: Page) -> None:
    """Ask for a task until there is one: the first clip is still being made."""
    for _ in range(40):
        worker.click("[data-claim]")
        until(worker, "location.pathname !== '/work/' || !document.querySelector('[data-nothing]').hidden")
        if not worker.url.endswith("/work/"):
            return
        worker.wait_for_timeout(1000)
    raise AssertionError("there was no task")


def work(worker: Page, shift: float) -> None:
    """Claim, draw, submit; what is stored is what was drawn."""
    claim(worker)
    seat = worker.url.rstrip("/").split("/")[-1]
    drawn = draw(worker, shift)
    assert [len(track["keyframes"]) for track in drawn] == [2, 2]
    submit(worker)
    until(worker, "location.search === '?done=1'")
    stored = worker.evaluate(f"async () => (await fetch('/api/v1/assignments/{seat}/')).json()")
    assert stored["status"] == "submitted"
    assert stored["tracks"] == drawn


@pytest.mark.db
@pytest.mark.timeout(600)
def test_the_story_of_a_video(windows: Windows, site: Box, films: dict) -> None:
    manager, client, reviewer = (windows.of(name) for name in ("mona", "clara", "rita"))
    address = make_project(manager)
    manager.goto(address + "live/")
    invite(manager, client, "client")
    invite(manager, reviewer, "reviewer")
    client.goto(address)
    bring_video(client, films["uneven"][0])
    until(manager, "document.querySelector('[data-link]').textContent === 'live'")
    manager.evaluate("() => { window.stillHere = true; }")

    for name, shift in (("wanda", 0), ("willi", 6)):
        work(windows.of(name), shift)
    until(manager, "document.querySelector('[data-figure=submissions]').textContent === '2'")
    until(manager, "document.querySelectorAll('[data-worker]').length === 2")
    assert manager.evaluate("() => window.stillHere") is True

    until(manager, "document.querySelector('[data-figure=\"tasks.in_review\"]').textContent === '1'", 30)
    reviewer.goto(f"{site.url}/review/")
    reviewer.click("text=Look")
    until(reviewer, "window.trackweave && window.trackweave.frame() === 0")
    assert reviewer.locator("[data-layers] input").count() == 2
    reviewer.check("[data-layers] input >> nth=0")
    tracks = reviewer.evaluate("() => window.trackweave.store.all()")
    assert sorted(track["label"] for track in tracks) == ["car", "person"]
    reviewer.click("[data-accept]")
    until(reviewer, "location.pathname === '/review/'")
    until(manager, "document.querySelector('[data-figure=\"segments.accepted\"]').textContent === '1 of 1'")
    assert manager.inner_text("[data-figure='redundancy.mean']") == "2.00"
    assert "they disagree 1" in manager.inner_text("[data-chart=why]")
    assert "as many as are allowed had submitted 1" in manager.inner_text("[data-chart=withheld]")

    client.reload()
    client.select_option("select[name=format]", "mot")
    client.click("text=Make an export")
    until(client, "document.querySelector('[data-export] a')", 30)
    with client.expect_download() as download:
        client.click("[data-export] a")
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as file:
        lines = file.read(next(name for name in file.namelist() if name.endswith("gt.txt"))).decode().splitlines()
    assert len(lines) == 2 * 340


@pytest.mark.db
@pytest.mark.timeout(600)
def test_a_worker_who_goes_on_in_another_browser_loses_nothing(windows: Windows, films: dict) -> None:
    manager = windows.of("mona")
    make_project(manager)
    bring_video(manager, films["uneven"][0])
    first, second = windows.of("wanda"), windows.of("wanda")
    claim(first)
    seen = "window.trackweave && window.trackweave.frame() === 0 && window.trackweave.store.all().length"
    until(first, f"{seen} === 0", 40)
    first.keyboard.press("n")
    saved(first)
    second.goto(first.url)
    until(second, f"{seen} === 1", 40)
    first.keyboard.press("n")
    saved(first)
    # The second browser knows nothing of that, and is told before anything of it is overwritten.
    second.keyboard.press("n")
    second.keyboard.press("n")
    until(second, "document.querySelector('[data-saved]').dataset.state === 'behind'")
    assert "worked on in another browser" in second.inner_text("[data-fatal]")
    second.keyboard.press("n")
    second.click("[data-take-over]")
    until(second, f"{seen} === 2", 40)
    second.click("[data-aside-show]")
    assert second.evaluate("() => window.trackweave.store.all().length") == 3
    saved(second)
    # Now the first one is behind: it neither saves nor submits over the other's work.
    first.keyboard.press("Control+Enter")
    first.click("dialog[open] button.main")
    until(first, "!document.querySelector('[data-take-over]').hidden")
    submit(second)
    until(second, "location.search === '?done=1'")
    stored = second.evaluate("async (seat) => (await fetch(`/api/v1${seat}`)).json()", seat_of(first))
    assert (stored["status"], len(stored["tracks"])) == ("submitted", 3)


def seat_of(worker: Page) -> str:
    return f"/assignments/{worker.url.rstrip('/').split('/')[-1]}/"
