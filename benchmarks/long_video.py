"""A long video from upload to export over HTTP, as a client and a crowd have it: memory and seconds of every process.

    python -m benchmarks.long_video --work FOLDER [--minutes 180] [--redundancy 2] [--workers 2] [--formats mot coco …]

Real footage (vtest.avi of ../shared/data, 795 frames with true tracks) is looped at 320 × 240 and 25 frames a second
into FOLDER, once for each length: three hours are 270,000 frames, and 1,000 segments of 300 that share 30. Then
`manage.py serve` runs over a data directory of its own (SQLite), simulated workers claim, draw and submit (two for each
segment, or `--redundancy`), a reviewer accepts whatever they do not agree on, and what was accepted is stitched,
released and exported. Seconds are processor seconds; of jobs, wall seconds as their rows say, those of the first fifth
of each kind beside those of the last, so that costs that grow show.

With `--decided` there is no crowd: every segment is accepted as one simulated worker drew it, straight in the database,
for the figures of what comes after the crowd at full length. With `--bucket` files lie in an S3-compatible store
(moto's server, a process of its own that is not counted).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from annotation.core.tracks import Tracks
from benchmarks.looped_footage import FPS, LABEL, nearness, truth_on, video_of
from benchmarks.process_watch import Watch
from crowd.core.simulation import make_pool
from crowd.simulating import Person, Simulation
from tests import servers, store
from tests.story.box import Api, Box, until

POLICY = {"segment_frames": 300, "overlap_frames": 30, "lease_s": 600}
PATIENCE_S = 6 * 3600
ASK_AGAIN_S, REVIEW_S = 2.0, 10.0


class Plain(Api):
    """Without holding every answer against the schema: what is watched is the server."""

    def _check(self, method: str, path: str, answer: httpx.Response) -> None:
        pass


class Drawer(Person):
    """A simulated worker who looks at their own segment only: the truth of three hours is long."""

    def draw(self, truth: Tracks, assignment: dict[str, Any]) -> dict[str, Any]:
        segment = assignment["segment"]
        return super().draw(truth_on(segment["start"], segment["stop"]), assignment)


def say(*words: object, **how: Any) -> None:
    print(*words, flush=True, **how)


@dataclass
class Story:
    """The steps of a client, a crowd and a reviewer; each is watched and told of when it is over."""

    box: Box
    watch: Watch
    tokens: dict[str, str]
    path: Path
    frames: int
    redundancy: int = 2
    peak: float = 0.0
    accepted_by_hand: int = 0
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alice, self.rita = (Plain(self.box.url, self.tokens[name]) for name in ("alice", "rita"))

    def step(self, name: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        seconds, mib = self.watch.stage(work)
        self.peak = max(self.peak, *mib.values())
        spent = ", ".join(f"{kind} {s:.1f}" for kind, s in seconds.most_common() if s >= 0.05)
        most = ", ".join(f"{kind} {m:.0f}" for kind, m in sorted(mib.items(), key=lambda one: -one[1]))
        wall = time.monotonic() - began
        say(f"{name:<22}{seconds.total():9.1f} s of processor ({spent}); {wall:.0f} s of wall; peak MiB: {most}")

    def upload(self) -> None:
        policy = POLICY | {"redundancy": self.redundancy, "max_redundancy": self.redundancy}
        project = {"name": "Long", "labels": [{"name": LABEL}], "policy": policy}
        self.project = self.alice.post("/projects/", project)["id"]
        self.at = f"/projects/{self.project}"
        root = Plain(self.box.url, self.tokens["root"])
        root.post(f"{self.at}/members/", {"user": "rita", "role": "reviewer"})
        with self.path.open("rb") as file:
            video = self.alice.post(f"{self.at}/videos/", None, 201, files={"file": file}, data={"name": "long"})
        self.video = video["id"]

    def index(self) -> None:
        until(lambda: self.alice.get(f"/videos/{self.video}/")["status"] == "ready", "the index", PATIENCE_S)

    def launch(self) -> None:
        self.batch = self.alice.post(f"{self.at}/launch/", {})["id"]
        until(lambda: self.alice.get(f"/batches/{self.batch}/")["status"] == "open", "an open task", PATIENCE_S)

    def work(self, seed: int) -> None:
        """The crowd and the reviewer, until every segment is accepted."""
        people = sorted(name for name in self.tokens if name.startswith("worker"))
        brains = make_pool(len(people), np.random.default_rng(seed), spammers=0.0)
        crowd = [
            self._drawer(name, brain, seed + i) for i, (name, brain) in enumerate(zip(people, brains, strict=True))
        ]
        simulation = Simulation(Tracks(0, self.frames), self.project, PATIENCE_S, ASK_AGAIN_S)
        thread = threading.Thread(target=self._career, args=(simulation, crowd), daemon=True)
        thread.start()
        told = 0.0
        before, seconds = 0, self.watch.seconds()
        while (batch := self._reviewed())["status"] != "done":
            assert not self.failures, self.failures
            time.sleep(REVIEW_S)
            if time.monotonic() - told > 120:
                told, done, now = time.monotonic(), batch["segments"]["accepted"], self.watch.seconds()
                each = (now - seconds).total() / max(1, done - before)
                say(f"    {time.strftime('%H:%M')} {done} of {batch['segments']['total']} segments, {each:.2f} s each")
                before, seconds = done, now
        simulation.stop.set()
        thread.join(60)
        say(f"    {sum(p.submitted for p in crowd)} submissions, {self.accepted_by_hand} accepted by the reviewer")

    def decide(self, seed: int) -> None:
        rows(self.box, "decide", self.video, str(seed))

    def stitched(self) -> None:
        """Whoever asks for the tracks first finds the stitch, or makes it."""
        self.alice.get(f"/videos/{self.video}/tracks/?start=0&stop=10")

    def _drawer(self, name: str, brain: Any, seed: int) -> Drawer:
        headers = {"Authorization": f"Token {self.tokens[name]}"}
        http = httpx.Client(base_url=self.box.url, headers=headers, timeout=120)
        return Drawer(name, http, brain, np.random.default_rng(seed))

    def _career(self, simulation: Simulation, crowd: list[Person]) -> None:
        try:
            simulation.run(crowd)
        except Exception as error:  # noqa: BLE001  told by whoever waits
            self.failures.append(error)

    def _reviewed(self) -> dict[str, Any]:
        """The batch, after whatever waits for a person was accepted."""
        for item in self.rita.get(f"{self.at}/consensus/?status=pending")["results"]:
            self.rita.post(f"/consensus/{item['id']}/accept/", {"version": item["version"]}, 200, 409)
            self.accepted_by_hand += 1
        return self.alice.get(f"/batches/{self.batch}/")

    def look(self) -> None:
        """What people look at meanwhile and afterwards, each twice: the first may have to read a new stitch."""
        for path in (
            f"{self.at}/progress/",
            f"{self.at}/consensus/?status=accepted",
            f"{self.at}/joins/?status=doubtful",
            f"/videos/{self.video}/tracks/?start={self.frames // 2}&stop={self.frames // 2 + 100}",
            f"/videos/{self.video}/",
        ):
            times = []
            for _ in range(2):
                began = time.monotonic()
                self.alice.get(path)
                times.append(1000 * (time.monotonic() - began))
            shown = path.replace(self.project, "…").replace(self.video, "…")
            say(f"    {shown:<50} {times[0]:8.0f} ms, then {times[1]:.0f}")

    def release(self) -> None:
        self.made = self.alice.post(f"{self.at}/releases/")["id"]
        self._ready(f"/releases/{self.made}/")

    def export(self, format: str) -> None:
        made = self.alice.post(f"{self.at}/exports/", {"format": format, "release": self.made})
        self.url = self._ready(f"/exports/{made['id']}/")["url"]

    def _ready(self, path: str) -> dict[str, Any]:
        def built() -> dict[str, Any] | None:
            body = self.alice.get(path)
            assert body["status"] != "failed", body
            return body if body["status"] == "ready" else None

        return until(built, path, PATIENCE_S)

    def download(self, to: Path) -> None:
        how: dict[str, Any] = {"headers": self.alice.headers, "timeout": 120, "follow_redirects": True}
        with httpx.stream("GET", f"{self.box.url}{self.url}", **how) as answer:
            answer.raise_for_status()
            with to.open("wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)


def rows(box: Box, *words: str) -> str:
    """What `long_video_rows` prints over the server's database."""
    command = [sys.executable, "-m", "benchmarks.long_video_rows", *words]
    environ = {**os.environ, **box.environ}
    return subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout


def tell_jobs(box: Box) -> None:
    """Wall seconds by kind of job, the first fifth of each beside the last; stitches and what they computed."""
    jobs, stitches, joins = json.loads(rows(box, "figures"))
    by_kind: dict[str, list[float]] = {}
    for kind, took, _, _ in jobs:
        by_kind.setdefault(kind, []).append(took)
    say(f"\n{'job':<20}{'times':>7}{'wall, s':>10}{'first fifth, ms':>17}{'last fifth, ms':>16}{'longest, ms':>13}")
    for kind, took in sorted(by_kind.items(), key=lambda one: -sum(one[1])):
        fifth = max(1, len(took) // 5)
        first, last = 1000 * float(np.median(took[:fifth])), 1000 * float(np.median(took[-fifth:]))
        say(f"{kind:<20}{len(took):>7}{sum(took):>10.1f}{first:>17.0f}{last:>16.0f}{1000 * max(took):>13.0f}")
    bad = Counter((kind, status) for kind, _, status, tries in jobs if status != "done" or tries > 1)
    say("not done, or tried more than once:", dict(bad) or "none")
    if stitches:
        computed, size = sum(n for n, _ in stitches), stitches[-1][1]
        say(f"{len(stitches)} stitches, {computed} borders computed, the last is {size:,} bytes; {joins} joins asked")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="where the video and the server's data go")
    parser.add_argument("--minutes", type=float, default=180)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--redundancy", type=int, default=2, help="simulated workers for each segment")
    parser.add_argument("--workers", type=int, default=2, help="job workers of the server")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--formats", nargs="+", default=["mot", "coco", "parquet"])
    parser.add_argument(
        "--decided", action="store_true", help="no crowd: every segment is accepted as one worker drew it"
    )
    parser.add_argument("--bucket", action="store_true", help="files lie in a store elsewhere")
    parser.add_argument("--run", type=Path, help="a folder that an earlier run left: its tables and people are there")
    parser.add_argument("--keep", action="store_true", help="leave the server's data where they are")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    frames = round(arguments.minutes * 60 * FPS)
    path = video_of(arguments.work, frames)
    say(f"{frames:,} frames, {path.stat().st_size / 2**20:.0f} MiB")
    folder = arguments.run or Path(tempfile.mkdtemp(prefix="run-", dir=arguments.work))
    elsewhere = {"STORAGE_URL": store.storage_url(servers.store_url(), "long")} if arguments.bucket else {}
    box = Box(folder, **elsewhere).serve(workers=arguments.workers)
    try:
        assert box.process is not None
        with Watch(box.process.pid) as watch:
            story = Story(box, watch, box.add_people(arguments.people), path, frames, arguments.redundancy)
            tell(story, arguments.seed, arguments.formats, crowd=not arguments.decided)
        tell_jobs(box)
    finally:
        end(box)
        servers.stop_all()
        if not arguments.keep:
            shutil.rmtree(folder)


def end(box: Box) -> None:
    """As a person ends it; on a machine that does much else it takes its time."""
    assert box.process is not None
    box.process.terminate()
    box.process.wait(120)
    box.stop()


def tell(story: Story, seed: int, formats: list[str], *, crowd: bool) -> None:
    story.step("upload", story.upload)
    story.step("index", story.index)
    if crowd:
        story.step("launch", story.launch)
        story.step("crowd and review", lambda: story.work(seed))
    else:
        story.step("decided", lambda: story.decide(seed))
        story.step("first stitch", story.stitched)
    story.step("what people look at", story.look)
    story.step("release", story.release)
    for format in formats:
        story.step(f"export {format}", lambda format=format: story.export(format))
        file = story.box.folder / f"export.{format}"
        story.step(f"download {format}", lambda file=file: story.download(file))
        say(f"    {file.stat().st_size / 2**20:.1f} MiB")
        if format == "mot":
            say(*(f"    {line}\n" for line in nearness(file, story.frames)), sep="", end="")
    say(
        f"the most memory of any process: {story.peak:.0f} MiB   {'met' if story.peak < 1000 else 'MISSED'}: under 1 GB"
    )


if __name__ == "__main__":
    main()
