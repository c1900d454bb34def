"""Two hosts that share nothing but a database, a Redis and a bucket: what one takes in, the other works on."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from trackweave_client import Client

from annotation.ids import new_id
from tests import cast, servers, store
from tests.story.box import Box, until

pytestmark = pytest.mark.timeout(900)
POLICY = {"segment_frames": 60, "overlap_frames": 0, "redundancy": 1, "max_redundancy": 1, "adaptive": False}
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[tuple[Box, Box]]:
    """The first one serves, the second one does the jobs as well. Both are ended, and their database with them."""
    servers.start_postgres()
    socket, name = servers.run_folder() / "postgres", f"hosts_{new_id()}"
    how = {"host": str(socket), "user": "trackweave", "dbname": "postgres", "autocommit": True}
    with psycopg.connect(**how) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    shared = {
        "DATABASE_URL": f"postgres://trackweave@/{name}?host={socket}",
        "REDIS_URL": servers.redis_url(),
        "STORAGE_URL": store.storage_url(servers.store_url(), f"hosts-{new_id()}"),
        "SECRET_KEY": "of two hosts: a key that is long enough and nobody else uses 0123456789",
    }
    boxes = []
    for host in ("one", "two"):
        (tmp_path / host).mkdir()
        boxes.append(Box(tmp_path / host, **shared))
    try:
        yield boxes[0].serve(workers=0), boxes[1].serve(workers=1)
    finally:
        for box in boxes:
            box.stop()
        with psycopg.connect(**how) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def get(box: Box, token: str, path: str, **how: Any) -> httpx.Response:
    headers = {"Authorization": f"Token {token}"} | how.pop("headers", {})
    while (answer := httpx.get(f"{box.url}{path}", headers=headers, timeout=120, **how)).status_code == 503:
        time.sleep(float(answer.headers["Retry-After"]))  # a busy machine
    assert answer.is_success or answer.is_redirect, answer.text
    return answer


def upload(one: Box, two: Box, client: Client, project: str, content: bytes) -> str:
    """Begun and half sent on one host, gone on with and made a video on the other."""
    begun = client.transport.send(
        "POST",
        f"/api/v1/projects/{project}/uploads/",
        headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": "filename YS5tcDQ="},
    )
    half, token = len(content) // 2, client.transport.http.headers["Authorization"]
    for box, at, piece in ((one, 0, content[:half]), (two, half, content[half:])):
        headers = TUS | {"Authorization": token, "Upload-Offset": str(at)}
        answer = httpx.patch(f"{box.url}{begun.headers['Location']}", content=piece, headers=headers, timeout=120)
        assert answer.status_code == 204, answer.text
    return answer.headers["Trackweave-Video"]


def work(one: Box, two: Box, token: str) -> None:
    """A seat claimed on one host, its clip and pictures from both, handed in on the other."""
    headers = {"Authorization": f"Token {token}"}

    def claimed() -> dict[str, Any] | None:
        answer = httpx.post(f"{one.url}/api/v1/assignments/claim/", json={}, headers=headers, timeout=120)
        return answer.json() if answer.status_code == 201 else None

    seat = until(claimed, "a task to open")
    clips = [get(box, token, seat["clip"]["url"], headers={"Range": "bytes=0-99"}) for box in (one, two)]
    assert clips[0].content == clips[1].content and {c.status_code for c in clips} == {206}
    pictures = [get(box, token, f"/api/v1/assignments/{seat['id']}/frames/7/?as=png") for box in (one, two)]
    assert pictures[0].content == pictures[1].content and pictures[0].content.startswith(b"\x89PNG")
    frames = [{"frame": frame, "points": [5.25, 5, 45, 45.5 + frame / 8]} for frame in (0, 30)]
    body = {"token": seat["token"], "tracks": [{"id": "a", "label": "person", "keyframes": frames}]}
    answer = httpx.post(f"{two.url}/api/v1/assignments/{seat['id']}/submit/", json=body, headers=headers, timeout=120)
    assert answer.status_code == 200, answer.text


def test_two_hosts_share_nothing_but_database_redis_and_bucket(hosts: tuple[Box, Box], tmp_path: Path) -> None:
    one, two = hosts
    people = one.add_people(workers=1)
    first, second = (Client(box.url, people["alice"], state=tmp_path / "state") for box in hosts)
    with first, second:
        project = first.make_project("shared", [{"name": "person"}], policy=POLICY)["id"]
        content = cast.video_file(60).read_bytes()
        video = upload(one, two, first, project, content)
        assert first.wait_for_video(video)["sha256"] == hashlib.sha256(content).hexdigest()
        pictures = [get(box, people["alice"], f"/api/v1/videos/{video}/frames/41/?as=png") for box in hosts]
        assert pictures[0].content == pictures[1].content
        first.launch(project)
        work(one, two, people["worker1"])
        until(lambda: second.progress(project)["segments"]["accepted"] == 1, "the segment to be accepted")
        export = second.wait_for_export(first.export(project, "mot")["id"])
        link = get(one, people["alice"], export["url"])
        assert link.status_code == 302 and one.environ["STORAGE_URL"].split("@")[1][:12] in link.headers["Location"]
        paths = [client.download(export["id"], tmp_path / f"{n}.zip") for n, client in enumerate((first, second))]
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths} == {export["sha256"]}
    lines = zipfile.ZipFile(paths[0]).read("a.mp4/gt/gt.txt").decode().splitlines()
    assert len(lines) == 60 and lines[0].startswith("1,1,5.25,5.00,39.75,40.5")
    assert "written, read and deleted" in one.manage("doctor")
    for box in hosts:
        assert not (box.folder / "data" / "files").exists() and not list((box.folder / "data").glob("videos*"))
