"""A real Chromium for all tests of this area, and a task to work on."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from annotation.media.barcodes import BarcodeVideo, write_barcode_video
from annotation.media.clipping import encode_clip
from annotation.media.indexing import index
from tests.browser.fake import FakeServer, Task
from tests.media.traps import H264, MS, uneven

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Without windows, tabs and their own pages first: the same engine at half the processor's time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
LABELS = [
    {
        "name": "person",
        "shape": "box",
        "color": "#e5484d",
        "attributes": [
            {"name": "sex", "kind": "select", "values": ["f", "m"], "mutable": False},
            {
                "name": "pose",
                "kind": "select",
                "values": ["standing", "walking"],
                "mutable": True,
                "default": "standing",
            },
            {"name": "alone", "kind": "boolean", "mutable": False, "default": True},
        ],
    },
    {"name": "car", "shape": "box", "color": None, "attributes": []},
]
INSTRUCTIONS = "Draw a tight box around every person and every car.\n\nA person who leaves the picture is outside."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no Chromium, and in CI nothing is skipped")
        pytest.skip("there is no Chromium on this machine")
    # Playwright's own loop runs in this thread, which Django would take for an async one.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script fails and nothing breaks the content policy."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if "Content Security Policy" in m.text else None)
    yield page
    assert not wrong, wrong


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path, object, tuple[float, ...]]]:
    """Barcode videos with B-frames, of an even and an uneven rate, and the clip of their frames [20, 320)."""
    folder = tmp_path_factory.mktemp("films")
    ways = {
        "even": BarcodeVideo("libx264", size=(320, 192), b_frames=3, gop=50, options=H264.options),
        "uneven": BarcodeVideo(
            "libx264", size=(320, 192), b_frames=3, gop=50, options=H264.options, times=uneven(340), time_base=MS
        ),
    }
    made = {}
    for name, how in ways.items():
        source, clip = folder / f"{name}.mp4", folder / f"{name}-clip.mp4"
        write_barcode_video(source, 340, how)
        frame_map = index(source).frame_map
        made[name] = (source, clip, frame_map, encode_clip(source, frame_map, 20, 320, clip).frame_times_s)
    return made


def make_task(film: tuple, **more: object) -> Task:
    source, clip, frame_map, times = film
    body = {
        "id": "seat1",
        "token": "t0",
        "status": "held",
        "project": {"id": "p1", "name": "Town square", "instructions": INSTRUCTIONS, "labels": LABELS},
        "segment": {"start": 20, "stop": 320, "width": 320, "height": 192},
        "clip": {"url": "/clip.mp4", "width": 320, "height": 192, "frame_times_s": list(times)},
        "frame_step": 1,
        "tracks": [],
        "intervals": [],
        "ghosts": [],
        "lease_until": (datetime.now(UTC) + timedelta(minutes=30)).isoformat(),
        "renewals_left": 3,
        "reward_micros": 120000,
        "currency": "EUR",
    } | more
    task = Task(clip, body, source, frame_map)
    task.gets["/api/v1/assignments/seat1/"] = body
    task.pages["/work/seat1/"] = ("work/task.html", {"assignment_id": "seat1"})
    task.pages["/work/"] = ("work/task.html", {"assignment_id": "none"})
    return task


@pytest.fixture
def served(films: dict, settings: object) -> Iterator[FakeServer]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    server = FakeServer(make_task(films["uneven"]))
    yield server
    server.close()


@pytest.fixture
def bench(page: Page, served: FakeServer) -> Page:
    """The worker's page, its first frame on the screen."""
    open_bench(page, served)
    return page


def open_bench(page: Page, served: FakeServer) -> None:
    page.goto(f"{served.url}/work/seat1/")
    until(page, "window.trackweave && window.trackweave.frame() === 20")


def track(number: str, x: float, **more: object) -> dict:
    keyframes = [
        {"frame": 20, "points": [x, 40, x + 60, 150], "outside": False, "occluded": False, "attributes": {}},
        {"frame": 200, "points": [x + 40, 40, x + 100, 150], "outside": False, "occluded": False, "attributes": {}},
    ]
    return {"id": number, "label": "person", "attributes": {}, "keyframes": keyframes, **more}


CONSENSUS = {
    "id": "c1",
    "status": "pending",
    "version": 3,
    "decisions": 1,
    "segment": {"start": 20, "stop": 320},
    "tracks": [track("1", 60, confidence=0.62, support=["a", "b"], disputes=[[80, 95], [150, 160]])],
    "intervals": [],
    "submissions": [
        {"id": "a", "worker": "amber-fox", "tracks": [track("7", 58)]},
        {"id": "b", "worker": "blue-owl", "tracks": [track("3", 66), track("4", 200)]},
    ],
}


@pytest.fixture
def reviewed(films: dict, settings: object) -> Iterator[FakeServer]:
    """A reviewer's page at /review/c1/, of two submissions and their consensus."""
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    task.gets["/api/v1/consensus/c1/"] = CONSENSUS | {"clip": task.body["clip"]}
    item = SimpleNamespace(
        pk="c1",
        status="pending",
        agreement=0.71,
        confidence=0.62,
        video_id="v1",
        video=SimpleNamespace(name="square.mp4", width=320, height=192),
        segment=SimpleNamespace(start=20, stop=320),
        task=SimpleNamespace(project_id="p1", project=SimpleNamespace(name="Town square")),
    )
    task.pages["/review/c1/"] = ("review/item.html", {"item": item, "next": None, "may_decide": True, "labels": LABELS})
    task.pages["/review/"] = ("404.html", {})
    server = FakeServer(task)
    yield server
    server.close()


def until(page: Page, expression: str, seconds: float = 15.0) -> object:
    """Wait until a JavaScript expression is true. Playwright's own way needs eval, which the content policy forbids."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # A page that is just being left has nothing to say.
        with contextlib.suppress(Error):
            if value := page.evaluate(f"() => ({expression})"):
                return value
        page.wait_for_timeout(30)
    raise AssertionError(f"not true within {seconds} s: {expression}")
