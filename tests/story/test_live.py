"""The live figures over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from annotation.media.scenes import render_scene
from tests.story.box import Api, Box

LABELS = [{"name": "person"}]
WATCHERS = 100


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = Box(tmp_path_factory.mktemp("live")).serve(workers=1)
    made.tokens = made.add_people(1)  # type: ignore[attr-defined]
    yield made
    made.stop()


@pytest.fixture
def project(box: Box) -> str:
    return Api(box.url, tokens(box)["alice"]).post("/projects/", {"name": "Street", "labels": LABELS})["id"]


def tokens(box: Box) -> dict[str, str]:
    return box.tokens  # type: ignore[attr-defined]


def watch(box: Box, project: str, name: str | None = "alice", **headers: str) -> ClientConnection:
    if name is not None:
        headers["Authorization"] = f"Token {tokens(box)[name]}"
    address = box.url.replace("http", "ws", 1) + f"/ws/projects/{project}/"
    return connect(address, additional_headers=headers, open_timeout=30)


def refusal(connection: ClientConnection) -> int:
    with connection, pytest.raises(ConnectionClosed) as closed:
        connection.recv(timeout=30)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_snapshot_comes_at_once_and_is_what_progress_says(box: Box, project: str) -> None:
    with watch(box, project) as connection:
        snapshot = json.loads(connection.recv(timeout=30))
    said = Api(box.url, tokens(box)["alice"]).get(f"/projects/{project}/progress/")
    assert snapshot == {"seq": said["seq"], "progress": said}


def test_a_newer_snapshot_comes_when_something_changed_and_only_then(box: Box, project: str, tmp_path: Path) -> None:
    alice = Api(box.url, tokens(box)["alice"])
    with watch(box, project) as connection:
        first = json.loads(connection.recv(timeout=30))
        with pytest.raises(TimeoutError):
            connection.recv(timeout=2.5)
        launch(alice, project, tmp_path)
        newer = json.loads(connection.recv(timeout=60))
        assert newer["seq"] > first["seq"]
        while newer["progress"]["seats"]["open"] == 0:
            newer = json.loads(connection.recv(timeout=60))


def launch(alice: Api, project: str, folder: Path) -> None:
    path = folder / "scene.mp4"
    render_scene(path, frames=40, seed=1)
    with path.open("rb") as file:
        alice.post(f"/projects/{project}/videos/", None, 201, files={"file": file})
    alice.post(f"/projects/{project}/launch/", {"policy": {"segment_frames": 30, "overlap_frames": 5}})


def test_strangers_foreign_pages_and_workers_are_refused(box: Box, project: str) -> None:
    assert refusal(watch(box, project, None, Origin=box.url)) == 4401
    assert refusal(watch(box, project, None, Origin="https://evil.example")) == 4403
    assert refusal(watch(box, project, "alice", Origin="https://evil.example")) == 4403
    assert refusal(watch(box, project, "worker1")) == 4404
    assert refusal(watch(box, "nonsense")) == 4404


def test_many_watchers_get_the_same_snapshot_and_requests_are_answered_meanwhile(box: Box, project: str) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(watch(box, project)) for _ in range(WATCHERS)]
        assert len({str(c.recv(timeout=60)) for c in connections}) == 1
        assert httpx.get(f"{box.url}/health/ready", timeout=30).status_code == 200
