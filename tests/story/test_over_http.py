"""From a video to merged tracks over HTTP alone, and the same while everything is being killed."""

from __future__ import annotations

import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from annotation.core.clipping import clip_to
from annotation.core.metrics import Metrics, compare
from annotation.core.tracks import Tracks, fill, to_json
from annotation.formats.mot import read_mot
from annotation.media.scenes import render_scene
from crowd.core.simulation import Worker
from crowd.simulating import Simulation, person
from tests import servers
from tests.story.box import Api, Box, until

LABEL = "person"
FRAMES = 200
POLICY = {"segment_frames": 60, "overlap_frames": 10, "lease_s": 60, "reward_micros": 1000}


@dataclass
class Material:
    """A video and what is truly in it."""

    path: Path
    truth: Tracks
    frames: int


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Material:
    path = tmp_path_factory.mktemp("scene") / "scene.mp4"
    return Material(path, labelled(render_scene(path, frames=FRAMES, seed=3)), FRAMES)


def labelled(tracks: Tracks) -> Tracks:
    return replace(tracks, tracks=tuple(replace(t, label=LABEL) for t in tracks.tracks))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path).serve()
    yield made
    made.stop()


class Story:
    """The steps of a client and a crowd."""

    def __init__(self, url: str, tokens: dict[str, str], material: Material) -> None:
        self.url, self.tokens, self.material = url, tokens, material
        self.alice, self.rita = Api(url, tokens["alice"]), Api(url, tokens["rita"])
        self.project: dict[str, Any] = {}

    def begin(self, **policy: Any) -> None:
        """A project, its video, gold over the first 60 frames, and the launch."""
        body = {"name": "Street", "labels": [{"name": LABEL}], "policy": POLICY | policy}
        self.project = self.alice.post("/projects/", body)
        self.at = f"/projects/{self.project['id']}"
        root = Api(self.url, self.tokens["root"])
        for name, role in (("rita", "reviewer"), ("mary", "manager")):
            root.post(f"{self.at}/members/", {"user": name, "role": role})
        with self.material.path.open("rb") as file:
            video = self.alice.post(f"{self.at}/videos/", None, 201, files={"file": file}, data={"name": "street"})
        self.video = video["id"]
        until(lambda: self.alice.get(f"/videos/{self.video}/")["status"] == "ready", "the index")
        gold = to_json(clip_to(self.material.truth, 0, 60))
        self.alice.post(f"{self.at}/gold/", {"video": self.video, "start": 0, "stop": 60, "tracks": gold["tracks"]})
        self.batch = self.alice.post(f"{self.at}/launch/", {})["id"]

    def crowd(self, brains: list[Worker | None], think_s: float = 0.0) -> Simulation:
        simulation = Simulation(self.material.truth, self.project["id"], patience_s=120, think_s=think_s)
        people = [
            person(f"worker{i + 1}", self.tokens[f"worker{i + 1}"], self.url, brain, seed=i)
            for i, brain in enumerate(brains)
        ]
        self.working = threading.Thread(target=self._work, args=(simulation, people), daemon=True)
        self.failure: list[Exception] = []
        self.working.start()
        return simulation

    def _work(self, simulation: Simulation, people: list[Any]) -> None:
        try:
            simulation.run(people)
        except Exception as error:  # noqa: BLE001  told by `finish`
            self.failure.append(error)

    def finish(self, simulation: Simulation) -> dict[str, Any]:
        """The reviewer accepts what is left to a person, until the batch is done."""

        def done() -> bool:
            assert not self.failure, self.failure
            for item in self.rita.get(f"{self.at}/consensus/?status=pending")["results"]:
                self.rita.post(f"/consensus/{item['id']}/accept/", {"version": item["version"]}, 200, 409)
            return self.alice.get(f"/batches/{self.batch}/")["status"] == "done"

        until(done, "the batch")
        simulation.stop.set()
        self.working.join(20)
        return self.alice.get(f"/batches/{self.batch}/")

    def export(self) -> Tracks:
        """A release and its MOT export, read back."""
        made = self.alice.post(f"{self.at}/exports/", {"format": "mot"})
        ready = until(lambda: self._ready(made["id"]), "the export")
        data = self.alice.raw(ready["url"])
        text = zipfile.ZipFile(BytesIO(data)).read("street/gt/gt.txt")
        return read_mot(text)

    def _ready(self, export: str) -> dict[str, Any] | None:
        body = self.alice.get(f"/exports/{export}/")
        assert body["status"] != "failed", body
        return body if body["status"] == "ready" else None

    def quality(self) -> Metrics:
        n = self.material.frames
        return compare(fill(self.material.truth.tracks, 0, n), fill(self.export().tracks, 0, n))


def is_the_truth(found: Metrics) -> bool:
    """Every box in its place. A walker of the scene leaves for longer than a segment and comes back elsewhere: nothing
    in the tracks says that it is the same one, so a single identity may be two."""
    return found.deta > 0.999 and found.missed == found.invented == 0 and found.switches <= 1


def test_perfect_workers_give_the_truth_back_over_http_alone(box: Box, scene: Material) -> None:
    story = Story(box.url, box.add_people(3), scene)
    story.begin()
    batch = story.finish(story.crowd([None, None, None]))
    assert batch["segments"]["accepted"] == batch["segments"]["total"]
    found = story.quality()
    assert is_the_truth(found)
    progress = story.alice.get(f"{story.at}/progress/")
    assert progress["frames"] == {"total": FRAMES, "accepted": FRAMES}
    assert progress["benchmark_score"]["mean"] == pytest.approx(1.0)


def test_a_real_video_with_a_careless_crowd_comes_out_better_than_its_workers(box: Box, shared: Path) -> None:
    truth = labelled(read_mot((shared / "mot15/PETS09-S2L1/gt.txt").read_bytes()))
    story = Story(box.url, box.add_people(5), Material(shared / "video/vtest.avi", truth, 795))
    story.begin(segment_frames=200, overlap_frames=20, redundancy=3, adaptive=False)
    brains: list[Worker | None] = [Worker(f"w{i}") for i in range(4)]
    story.finish(story.crowd([*brains, Worker("w4", spammer="random")]))
    found = story.quality()
    assert found.hota > 0.6 and found.idf1 > 0.75
    figures = {w["user"]: w for w in Api(box.url, story.tokens["mary"]).get(f"{story.at}/workers/")["results"]}
    assert figures["worker5"]["skill"]["mean"] < min(figures[f"worker{i}"]["skill"]["mean"] for i in range(1, 5))


def test_killing_the_server_its_workers_and_serve_itself_changes_nothing(tmp_path: Path, scene: Material) -> None:
    box = Box(tmp_path).serve()
    try:
        story = Story(box.url, box.add_people(3), scene)
        story.begin()
        simulation = story.crowd([None, None, None], think_s=0.5)
        for kind in ("config.web", "work", "serve", "work", "config.web"):
            time.sleep(1.5)
            if kind == "serve":
                port = int(box.url.rpartition(":")[2])
                box.kill()
                box.serve(port)
            else:
                box.kill_child(kind)
        story.finish(simulation)
        found = story.quality()
        assert is_the_truth(found)
    finally:
        box.stop()


@pytest.mark.long  # tests/storage/test_two_hosts.py shows the same with a bucket; here is a crowd on both
@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_boxes_share_one_postgresql_and_one_redis(
    tmp_path: Path, scene: Material, child_env: dict[str, str], redis_url: str
) -> None:
    servers.start_postgres()
    environ = {"DATABASE_URL": child_env["DATABASE_URL"], "REDIS_URL": redis_url}
    first = Box(tmp_path, **environ).serve(workers=1)
    second = Box(tmp_path, **environ).serve(workers=1)
    try:
        story = Story(first.url, first.add_people(4), scene)
        story.begin()
        rest = Simulation(scene.truth, story.project["id"], patience_s=60)
        people = [person(n, story.tokens[n], second.url, None, 9) for n in ("worker3", "worker4")]
        helper = threading.Thread(target=rest.run, args=(people,), daemon=True)
        helper.start()  # first: on a busy machine the crowd might leave them nothing
        simulation = story.crowd([None, None])
        story.url = second.url
        story.finish(simulation)
        rest.stop.set()
        helper.join(20)
        found = story.quality()
        assert is_the_truth(found)
        assert sum(p.submitted for p in people) > 0
    finally:
        first.stop()
        second.stop()
