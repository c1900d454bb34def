"""Uploads through a real server: broken, interrupted, gone on with."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from trackweave_client import ApiError, Client, Failed

from tests.client.proxy import Plan, Proxy, heads
from tests.story.box import PROJECT, Box, until

pytestmark = pytest.mark.timeout(900)

MIB = 1 << 20


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(random.Random(1).randbytes(3 * MIB))
    return path


def uploads(client: Client, project: str) -> list[dict[str, Any]]:
    return client.transport.get(f"/api/v1/projects/{project}/uploads/")["results"]


def test_an_upload_whose_connection_breaks_goes_on_where_the_site_stands(
    box: Box, connect: Any, project: str, film: Path
) -> None:
    told: list[int] = []
    # All that reached the site before the cut, but for what the requests' heads took and what a busy web server had not
    # handed on yet when the connection broke.
    most = 2 * MIB - 8192 - (320 << 10)

    def wait(seconds: float) -> None:
        """As long as the site takes to store what reached it, which a busy one does in several pieces."""
        until(lambda: uploads(connect(box.url), project)[0]["offset"] > most, "what was sent to be stored")

    with Proxy(box.url, Plan(up=2 * MIB)) as proxy:
        video = connect(proxy.url, sleep=wait).upload(project, film, told=lambda done, _: told.append(done))
    assert video["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest() and video["name"] == "film.mp4"
    # Where a piece was stored meanwhile, the site says so, and the client asks once more.
    stood = int(heads(proxy.passed[1:], "Upload-Offset")[-1])
    assert most < stood < 2 * MIB and stood in told
    assert [u["status"] for u in uploads(connect(box.url), project)] == ["done"]


def test_an_upload_outlives_its_web_server(box: Box, connect: Any, project: str, tmp_path: Path) -> None:
    """kill -9 of the web server in the middle of a request, twice: what it had taken is there, and the rest follows."""
    film = tmp_path / "film.mp4"
    film.write_bytes(random.Random(2).randbytes(40 * MIB))
    kills, sent, stood = [14 * MIB, 34 * MIB], [0], [0]

    def told(done: int, _: int) -> None:
        sent.append(done)
        if kills and done >= kills[0]:
            kills.pop(0)
            stood.append(until(lambda: past(stood[-1]), "more to be stored"))
            box.kill_child("config.web")

    def past(offset: int) -> int:
        now = uploads(connect(box.url), project)[0]["offset"]
        return now if now > offset else 0

    video = connect(box.url, sleep=time.sleep).upload(project, film, told=told)
    assert (video["bytes"], video["sha256"]) == (40 * MIB, hashlib.sha256(film.read_bytes()).hexdigest())
    gone_on = [after for before, after in pairwise(sent) if after < before]
    assert not kills and len(gone_on) == 2
    assert all(after >= before for before, after in zip(stood[1:], gone_on, strict=True))
    [done] = uploads(connect(box.url), project)
    assert (done["status"], done["offset"]) == ("done", 40 * MIB)


def command(*words: str, url: str, token: str, state: Path) -> subprocess.Popen[str]:
    environ = os.environ | {"PYTHONPATH": str(PROJECT / "client"), "XDG_STATE_HOME": str(state)}
    environ |= {"TRACKWEAVE_URL": url, "TRACKWEAVE_TOKEN": token}
    how: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Who was started in the background ignores Ctrl-C, and so would what it starts.
    how["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen([sys.executable, "-m", "trackweave_client", *words], env=environ, **how)


def test_after_ctrl_c_the_same_command_goes_on(
    box: Box, client: Client, token: str, project: str, film: Path, tmp_path: Path
) -> None:
    with Proxy(box.url, Plan(up_per_s=MIB / 32)) as proxy:
        how: dict[str, Any] = {"url": proxy.url, "token": token, "state": tmp_path}
        first = command("upload", project, str(film), **how)
        until(lambda: proxy.passed and len(proxy.passed[0].up) > MIB // 8, "some of the film to be sent")
        first.send_signal(signal.SIGINT)
        _, complaint = first.communicate(timeout=60)
        assert complaint.strip() == "trackweave: interrupted; the same command goes on from here"
        assert first.returncode == 130
        until(lambda: uploads(client, project)[0]["offset"], "what was sent to be stored")
        stood = uploads(client, project)[0]["offset"]
        again = command("upload", project, str(film), **how)
        said, complaint = again.communicate(timeout=120)
        assert again.returncode == 0, complaint
    # What was still on its way when we looked may have come since.
    assert 0 < stood <= int(heads(proxy.passed[1:], "Upload-Offset")[0]) < 3 * MIB
    [only] = uploads(client, project)
    assert only["status"] == "done" and only["video"] in said
    assert not list((tmp_path / "trackweave" / "uploads").iterdir())


def interrupt(client: Client, project: str, film: Path) -> dict[str, Any]:
    """Begin an upload and stop in its middle; the upload."""

    def told(done: int, _: int) -> None:
        if done > MIB:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.upload(project, film, told=told)
    [begun] = uploads(client, project)
    return begun


def test_a_file_that_changed_is_another_upload(client: Client, project: str, film: Path) -> None:
    interrupt(client, project, film)
    film.write_bytes(b"something else")
    assert client.upload(project, film)["bytes"] == 14
    assert sorted(u["status"] for u in uploads(client, project)) == ["done", "open"]


def test_an_upload_that_the_site_has_forgotten_begins_anew(client: Client, project: str, film: Path) -> None:
    begun = interrupt(client, project, film)
    client.transport.send("DELETE", begun["url"], headers={"Tus-Resumable": "1.0.0"})
    assert client.upload(project, film)["bytes"] == 3 * MIB
    assert sorted(u["status"] for u in uploads(client, project)) == ["done", "ended"]


def test_a_file_that_changes_on_the_way_is_no_video(
    client: Client, project: str, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackweave_client.uploading._sha256_of", lambda path: "0" * 64)
    with pytest.raises(ApiError) as error:
        client.upload(project, film)
    assert error.value.status == 422 and "SHA-256" in error.value.detail
    assert not list((client.state / "uploads").iterdir())


@pytest.mark.parametrize(
    ("name", "known_as"),
    [(b"caf\xe9.mp4", "caf?.mp4"), ("日本 \\ 🚦.mp4".encode(), "日本 _ 🚦.mp4"), (b"a\nb.mp4", "ab.mp4")],
)
def test_a_file_may_have_any_name(client: Client, project: str, tmp_path: Path, name: bytes, known_as: str) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"no video")
    assert client.upload(project, path)["name"] == known_as


def test_a_file_that_is_not_there_is_said(client: Client, project: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.upload(project, tmp_path / "none.mp4")


def test_a_video_that_cannot_be_read_is_rejected_in_words(client: Client, project: str, film: Path) -> None:
    video = client.upload(project, film)
    patient = Client(client.url, client.transport.http.headers["Authorization"].split()[1], state=client.state)
    with patient, pytest.raises(Failed, match="rejected: "):
        patient.wait_for_video(video["id"], every_s=0.2)
