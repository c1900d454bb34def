"""The frame on the screen is the frame that the store says, by the barcode in its pixels."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import make_task, open_bench
from tests.browser.fake import FakeServer

# Reads the barcode off the visible canvas, cell by cell, as annotation.media.barcodes does.
READ = """
() => {
  const { canvas, store } = window.trackweave;
  const view = canvas.view();
  const ratio = window.devicePixelRatio;
  const context = canvas.element.getContext('2d');
  let code = 0;
  for (let i = 0; i < 24; i += 1) {
    const x = ((i % 6) + 0.5) * store.width / 6;
    const y = (Math.floor(i / 6) + 0.5) * store.height / 4;
    const [r] = context.getImageData((x * view.scale + view.x) * ratio, (y * view.scale + view.y) * ratio, 1, 1).data;
    if (r > 125) code += 2 ** i;
  }
  return Math.floor(code / 64);
}
"""
# While playing: at every picture of the screen, the number in the picture against the number in the store.
WATCH = """
(speed) => new Promise((done) => {
  const { player, store } = window.trackweave;
  const context = player.picture.getContext('2d');
  const seen = new Map();
  const look = () => {
    let code = 0;
    for (let i = 0; i < 24; i += 1) {
      const [r] = context.getImageData(((i % 6) + 0.5) * 320 / 6, (Math.floor(i / 6) + 0.5) * 48, 1, 1).data;
      if (r > 125) code += 2 ** i;
    }
    seen.set(store.shown, Math.floor(code / 64));
    if (store.playing && store.frame < 200) requestAnimationFrame(look);
    else { player.pause(); done([...seen]); }
  };
  player.setSpeed(speed);
  player.play().then(() => requestAnimationFrame(look));
})
"""
SHOW = f"""
async (frame) => {{
  await window.trackweave.player.show(frame);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [window.trackweave.frame(), ({READ})(), window.trackweave.proof.source];
}}
"""
STEP = SHOW.replace("player.show(frame)", "player.step(frame)")


@pytest.fixture(params=["even", "uneven"])
def film_bench(request: pytest.FixtureRequest, page: Page, films: dict, settings: object) -> Iterator[Page]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    server = FakeServer(make_task(films[request.param]))
    open_bench(page, server)
    yield page
    server.close()


def test_two_hundred_random_seeks_show_the_frame_asked_for(film_bench: Page) -> None:
    rng = random.Random(7)
    asked = [rng.randrange(20, 320) for _ in range(200)]
    found = [film_bench.evaluate(SHOW, n) for n in asked]
    assert [(n, n) for n in asked] == [(shown, pixels) for shown, pixels, _ in found]
    # The video itself did it, not the pictures of the server.
    assert sum(source == "video" for _, _, source in found) >= 195


def test_a_hundred_steps_on_and_back_show_each_frame(film_bench: Page) -> None:
    film_bench.evaluate(SHOW, 200)
    found = [film_bench.evaluate(STEP, by)[:2] for by in [1] * 50 + [-1] * 50]
    frames = [*range(201, 251), *range(249, 199, -1)]
    assert found == [[n, n] for n in frames]


@pytest.mark.parametrize("speed", [1, 2])
def test_while_playing_the_label_and_the_picture_are_one_frame(film_bench: Page, speed: float) -> None:
    seen = film_bench.evaluate(WATCH, speed)
    assert len(seen) > 20
    assert [[shown, pixels] for shown, pixels in seen if shown != pixels] == []
