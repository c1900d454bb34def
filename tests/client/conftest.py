"""One site, served by a process of its own, for all tests of the client; and a project with a ready export in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from trackweave_client import Client

from annotation.media.barcodes import write_barcode_video
from tests.story.box import Box, until

LABELS = [{"name": "person"}]


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = Box(tmp_path_factory.mktemp("client"))
    try:
        yield made.serve(workers=1)
    finally:
        made.stop()


@pytest.fixture(scope="session")
def token(box: Box) -> str:
    return box.manage("adduser", "alice", "--role", "client").split()[-1]


def quick(seconds: float) -> None:
    """Tests do not wait between attempts."""


@pytest.fixture
def connect(token: str, tmp_path: Path) -> Iterator[Any]:
    """Clients of Alice's at an address, over one folder of notes."""
    made: list[Client] = []

    def connect(url: str, **how: Any) -> Client:
        made.append(Client(url, token, state=tmp_path / "state", **({"sleep": quick} | how)))
        return made[-1]

    yield connect
    for client in made:
        client.transport.close()


@pytest.fixture
def client(box: Box, connect: Any) -> Client:
    return connect(box.url)


@pytest.fixture
def project(client: Client, request: pytest.FixtureRequest) -> str:
    return client.make_project(request.node.name, LABELS)["id"]


@pytest.fixture(scope="session")
def exported(box: Box, token: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A ready export, of tracks that were brought along: nobody has to draw."""
    path = tmp_path_factory.mktemp("filmed") / "street.mp4"
    write_barcode_video(path, 40)
    with Client(box.url, token, state=path.parent) as client:
        project = client.make_project("exported", LABELS)["id"]
        video = client.wait_for_video(client.upload(project, path)["id"])["id"]
        until(lambda: _bring_tracks(box.url, token, project, video), "the video to settle", 240)
        return client.wait_for_export(client.export(project, "mot")["id"])


def _bring_tracks(url: str, token: str, project: str, video: str) -> bool:
    dice = random.Random(7)
    places = [
        (frame, track, dice.uniform(0, 60), dice.uniform(0, 30)) for frame in range(1, 41) for track in range(1, 60)
    ]
    lines = "".join(f"{frame},{track},{x:.2f},{y:.2f},20.5,20.25,1,1,1\n" for frame, track, x, y in places)
    answer = httpx.post(
        f"{url}/api/v1/projects/{project}/imports/",
        headers={"Authorization": f"Token {token}"},
        data={"video": video, "format": "mot", "as": "tracks"},
        files={"file": ("gt.txt", "".join(lines).encode())},
        timeout=120,
    )
    assert answer.status_code in (201, 409), answer.text
    return answer.status_code == 201
