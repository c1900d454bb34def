"""Downloads through a real server: broken, gone on with, damaged."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from trackweave_client import ChecksumMismatch, Client, Unreachable

from tests.client.proxy import Plan, Proxy, heads
from tests.story.box import Box

pytestmark = pytest.mark.timeout(900)

CUT = 20_000


def test_a_download_that_breaks_goes_on_in_another_process(
    box: Box, connect: Any, exported: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "tracks.zip"
    with Proxy(box.url, Plan(down=CUT)) as proxy, pytest.raises(Unreachable):
        connect(proxy.url, attempts=1).download(exported["id"], path)
    part = tmp_path / "tracks.zip.part"
    here = part.stat().st_size
    assert CUT / 2 < here < CUT < exported["bytes"] and not path.exists()
    with Proxy(box.url) as proxy:
        assert connect(proxy.url).download(exported["id"], path) == path
    assert heads(proxy.passed, "Range") == [f"bytes={here}-"] and heads(proxy.passed, "If-Range")
    assert sum(len(each.down) for each in proxy.passed) < exported["bytes"] - here + 8192
    assert hashlib.sha256(path.read_bytes()).hexdigest() == exported["sha256"]
    assert zipfile.ZipFile(path).testzip() is None and sorted(p.name for p in tmp_path.glob("tracks*")) == [path.name]


def test_a_download_that_breaks_goes_on_by_itself(
    box: Box, connect: Any, exported: dict[str, Any], tmp_path: Path
) -> None:
    with Proxy(box.url, Plan(down=CUT), Plan(down=4000)) as proxy:
        path = connect(proxy.url).download(exported["id"], tmp_path / "a.zip")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == exported["sha256"] and len(proxy.passed) >= 3


def partial(exported: dict[str, Any], path: Path, content: bytes, **other: Any) -> None:
    path.with_name(f"{path.name}.part").write_bytes(content)
    said = {"export": exported["id"], "sha256": exported["sha256"], "bytes": exported["bytes"], "etag": ""} | other
    path.with_name(f"{path.name}.part.json").write_text(json.dumps(said))


def test_what_arrived_damaged_is_thrown_away_and_told(client: Client, exported: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    partial(exported, path, b"x" * 100)
    with pytest.raises(ChecksumMismatch, match="arrived damaged") as error:
        client.download(exported["id"], path)
    assert error.value.expected == exported["sha256"] and not list(tmp_path.glob("a.zip*"))
    client.download(exported["id"], path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == exported["sha256"]


@pytest.mark.parametrize("other", [{"sha256": "0" * 64}, {"etag": '"another"'}, {"bytes": 7}])
def test_a_part_of_another_file_is_not_gone_on_with(
    client: Client, exported: dict[str, Any], tmp_path: Path, other: dict[str, Any]
) -> None:
    path = tmp_path / "a.zip"
    partial(exported, path, b"x" * 100, **other)
    client.download(exported["id"], path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == exported["sha256"]
