"""What the client asks once, how it tells of refusals, and where it finds the site."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from trackweave_client import ApiError, Client, Failed, NotConfigured, Unreachable, cli, settings, watching

from tests.client.conftest import LABELS
from tests.client.proxy import Plan, Proxy
from tests.story.box import Box

pytestmark = pytest.mark.timeout(900)

MADE_S = "made through a swallowed answer"


def test_a_post_whose_answer_is_lost_has_one_effect(box: Box, connect: Any, client: Client) -> None:
    with Proxy(box.url, Plan(down=1)) as proxy:
        made = connect(proxy.url).make_project(MADE_S, LABELS)
    assert [p["id"] for p in client.projects() if p["name"] == MADE_S] == [made["id"]]
    first, second = (passed.heads("Idempotency-Key") for passed in proxy.passed)
    assert first == second and len(first) == 1


def test_a_site_that_is_away_is_said_after_a_few_attempts(connect: Any) -> None:
    waits: list[float] = []
    with pytest.raises(Unreachable, match="does not answer"):
        connect("http://127.0.0.1:9", sleep=waits.append).project("any")
    assert len(waits) == 5 and waits[0] < waits[2] < waits[4]


def test_a_refusal_names_the_places(client: Client) -> None:
    with pytest.raises(ApiError) as error:
        client.make_project("no", [{"name": ""}, {"name": "person", "shape": "cloud"}])
    assert error.value.status == 400 and len(error.value.errors) == 2
    assert all(f"  {pointer}: {message}" in str(error.value) for pointer, message in error.value.errors)
    assert {pointer for pointer, _ in error.value.errors} == {"/labels/0/name", "/labels/1/shape"}


@pytest.mark.parametrize(
    "policy", ['{"redundancy": 1e999}', '{"quorum": NaN}', '{"currency": "\\ud800"}', "{", "[" * 9000]
)
def test_a_policy_that_cannot_be_sent_is_refused_in_words(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--url", "http://127.0.0.1:9", "--token", "t", "launch", "any", "--policy", policy])
    assert "argument --policy: is no JSON that can be sent: " in capsys.readouterr().err


def test_the_command_line_tells_refusals_and_goes_through(
    box: Box, token: str, project: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRACKWEAVE_URL", box.url)
    monkeypatch.setenv("TRACKWEAVE_TOKEN", token)
    assert cli.main(["projects"]) == 0 and project in capsys.readouterr().out
    assert cli.main(["launch", project, "--policy", '{"redundancy": 0}']) == 1
    assert "/policy/redundancy: " in capsys.readouterr().err
    assert cli.main(["watch", project, "--once"]) == 0
    assert "0 of 0 segments accepted" in capsys.readouterr().out
    assert cli.main(["watch", "nothing of this name"]) == 1
    assert "404" in capsys.readouterr().err


def test_an_export_comes_home_by_one_command(
    box: Box, token: str, exported: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "home.zip"
    how = ["--url", box.url, "--token", token]
    assert cli.main([*how, "export", "exported", "--format", "mot", "--out", str(out)]) == 0
    assert exported["sha256"] in capsys.readouterr().out and out.stat().st_size == exported["bytes"]
    assert cli.main([*how, "watch", "exported"]) == 0
    assert "1 of 1 segments accepted" in capsys.readouterr().out


def test_the_site_is_found_in_arguments_environment_and_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('url = "https://file.example.org/"\ntoken = "from-file"\n')
    path.chmod(0o600)
    file = {"TRACKWEAVE_CONFIG": str(path)}
    assert settings.read(environ=file) == settings.Settings("https://file.example.org", "from-file")
    both = file | {"TRACKWEAVE_TOKEN": "from-environment"}
    assert settings.read(environ=both).token == "from-environment"
    assert settings.read("http://arguments:1", "given", both) == settings.Settings("http://arguments:1", "given")


def test_what_is_missing_or_open_to_others_is_said(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    environ = {"TRACKWEAVE_CONFIG": str(path)}
    with pytest.raises(NotConfigured, match="TRACKWEAVE_URL is not set"):
        settings.read(environ=environ)
    path.write_text('url = "https://example.org"\ntoken = "secret"\n')
    path.chmod(0o644)
    with pytest.raises(NotConfigured, match="chmod 600"):
        settings.read(environ=environ)
    path.write_text("url = nonsense")
    with pytest.raises(NotConfigured, match="cannot be read"):
        settings.read(environ=environ)
    with pytest.raises(NotConfigured, match="no address"):
        settings.read("example.org", "x", environ)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://example.org:x", "http://example.org:99999", "http://a\n", "http://:1"]
)
def test_an_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(NotConfigured, match="no address of a site"):
        settings.read(url, "x", {})


@pytest.mark.parametrize("end", ["\n", " ", "\u00e9"])
def test_a_token_that_cannot_be_sent_is_said_at_once_and_not_shown(end: str) -> None:
    with pytest.raises(NotConfigured, match="the token has") as error:
        settings.read("https://example.org", "secret" + end, {})
    assert "secret" not in str(error.value)


@pytest.fixture
def stranger() -> Iterator[str]:
    """A web server that is not the site: it answers a page, or leads elsewhere."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301 if "/projects/" in self.path else 200)
            self.send_header("Location", f"https://labels.example.org{self.path}")
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>log in</title>")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_who_answers_in_the_sites_place_is_said(stranger: str, connect: Any) -> None:
    with pytest.raises(Failed, match="answered text/html instead of JSON"):
        connect(stranger).video("any")
    with pytest.raises(ApiError, match="the site is at https://labels.example.org/api/v1/projects/"):
        connect(stranger).project("any")


@pytest.mark.parametrize("name", ["Who?", "#1", "?", "a/b", "%2F", "../me"])
def test_a_project_whose_name_is_none_is_not_found(client: Client, name: str) -> None:
    with pytest.raises(ApiError, match="404"):
        client.project(name)


def test_watching_ends_where_every_batch_came_to_nothing(client: Client, project: str, tmp_path: Path) -> None:
    (tmp_path / "any.mp4").write_bytes(b"no video")
    client.upload(project, tmp_path / "any.mp4")
    batch = client.launch(project)["id"]
    client.transport.post(f"/api/v1/batches/{batch}/cancel/")
    looked: list[float] = []

    def look(seconds: float) -> None:
        looked.append(seconds)
        assert len(looked) < 5, "it looks again and again"

    client.transport.sleep = look
    assert not watching.watch(client, project, Console(file=StringIO()))


def test_no_videos_are_not_all_videos(client: Client, project: str, tmp_path: Path) -> None:
    (tmp_path / "any.mp4").write_bytes(b"no video")
    client.upload(project, tmp_path / "any.mp4")
    with pytest.raises(ApiError, match="/videos: must be a list of ids"):
        client.launch(project, [])
