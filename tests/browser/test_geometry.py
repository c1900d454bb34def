"""The scripts' arithmetic is the server's: the same boxes on the same frames, to the last bit."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from annotation.core.tracks import Tracks, fill, from_json
from tests.browser.fake import FakeServer

STATIC = Path(__file__).resolve().parents[2] / "static"
ORDER = [
    "dom",
    "geometry",
    "edits",
    "intervals",
    "store",
    "history",
    "player",
    "canvas",
    "marking",
    "commands",
    "tools",
    "rows",
    "timeline",
    "fields",
    "objects",
    "events",
    "keys",
    "problems",
    "layers",
]
FILL = """
async (tracks) => {
  const { fillTrack } = await import('/static/annotator/geometry.js');
  return tracks.map((t) => fillTrack(t, 0, 40).map((b) => b && [...b.points, b.occluded]));
}
"""


def random_track(rng: random.Random, number: int) -> dict:
    frames = sorted(rng.sample(range(40), rng.randint(1, 8)))
    keyframes = []
    for frame in frames:
        x, y = rng.uniform(-20, 300), rng.uniform(-20, 200)
        keyframe = {"frame": frame, "outside": rng.random() < 0.3, "occluded": rng.random() < 0.3}
        if not keyframe["outside"] or rng.random() < 0.5:
            keyframe["points"] = [x, y, x + rng.uniform(1, 90), y + rng.uniform(1, 90)]
        keyframes.append(keyframe)
    return {"id": str(number), "label": "person", "keyframes": keyframes}


def test_interpolation_is_the_servers_on_random_tracks(bench: Page) -> None:
    rng = random.Random(11)
    sent = [random_track(rng, i) for i in range(300)]
    found = bench.evaluate(FILL, sent)
    tracks: Tracks = from_json({"tracks": sent}, 0, 40)
    dense = fill(tracks.tracks, 0, 40)
    for i, frames in enumerate(found):
        assert [b is not None for b in frames] == dense.present[i].tolist()
        ours = np.array([b[:4] if b else [np.nan] * 4 for b in frames])
        np.testing.assert_array_equal(ours, dense.boxes[i])
        assert [bool(b and b[4]) for b in frames] == dense.occluded[i].tolist()


def test_a_change_and_its_undo_leave_the_tracks_as_they_were(bench: Page, served: FakeServer) -> None:
    """Random edits by the same commands that keys and buttons call, then undo to the start and redo to the end."""
    script = """
    (seed) => {
      const { commands, marking, store, history } = window.trackweave;
      let s = seed;
      const random = (n) => { s = (s * 1103515245 + 12345) % 2147483648; return s % n; };
      const states = [JSON.stringify(store.whole())];
      for (let i = 0; i < 400; i += 1) {
        const tracks = store.all();
        if (tracks.length) store.select(tracks[random(tracks.length)].id);
        [() => commands.add([random(200), random(90), 210 + random(50), 100 + random(60)]),
         () => commands.setBox([random(200), random(90), 210 + random(50), 100 + random(60)], null),
         commands.toggleOutside, commands.toggleOccluded, commands.pin, commands.dropKeyframe,
         () => random(3) === 0 && commands.remove(),
         () => store.selected && commands.setLabel(['person', 'car'][random(2)]),
         () => marking.begin(store.all()[random(4)]?.id ?? null), () => marking.selectNext(1),
         () => marking.setEnds({ first: 20 + random(40), last: 20 + random(40) })][random(11)]();
        const now = JSON.stringify(store.whole());
        if (now !== states[states.length - 1]) states.push(now);
      }
      const back = [];
      while (history.canUndo()) { history.undo(); back.push(JSON.stringify(store.whole())); }
      const on = [];
      while (history.canRedo()) { history.redo(); on.push(JSON.stringify(store.whole())); }
      const undone = back.filter((b, i) => i === 0 || b !== back[i - 1]);
      return [states.length, back[back.length - 1] === states[0], on[on.length - 1] === states[states.length - 1],
              new Set(undone).size >= new Set(states).size - 1];
    }
    """
    count, started, ended, all_seen = bench.evaluate(script, 5)
    assert count > 100
    assert (started, ended, all_seen) == (True, True, True)


@pytest.mark.parametrize("name", ORDER)
def test_a_module_imports_only_what_stands_left_of_it(name: str) -> None:
    source = (STATIC / "annotator" / f"{name}.js").read_text()
    imported = re.findall(r'from "\./(\w+)\.js"', source)
    assert set(imported) <= set(ORDER[: ORDER.index(name)])


def test_only_api_talks_to_the_server() -> None:
    for file in (STATIC / "annotator").glob("*.js"):
        if file.name != "api.js":
            assert not re.search(r"\bfetch\(|XMLHttpRequest|sendBeacon", file.read_text()), file.name


def test_no_script_is_longer_than_two_hundred_lines() -> None:
    sizes = {file.name: len(file.read_text().splitlines()) for file in STATIC.rglob("*.js")}
    assert {name: size for name, size in sizes.items() if size > 200} == {}
