"""Large files, which a child of its own reads within limits."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from annotation.core.packing import digest
from annotation.formats import reading
from annotation.formats.archives import InvalidFile
from annotation.formats.assembling import Target
from annotation.formats.choosing import Wanted
from annotation.formats.registry import FORMATS
from tests.formats.scenes import LABELS, VIDEO, content, scene, written

TARGET = Target(VIDEO.frame_count, VIDEO.width, VIDEO.height, LABELS)
WANTED = Wanted(VIDEO.name)


def read(format: str, data: bytes, target: Target = TARGET):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        return reading.read_file(format, file, WANTED, target)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL", 0)


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("format", sorted(FORMATS))
def test_a_child_reads_what_would_be_read_here(format: str) -> None:
    data = written(FORMATS[format].write, content(scene()))
    found = read(format, data)
    assert found.tracks and digest(found) == digest(reading.read_as(format, data, WANTED, TARGET))


@pytest.mark.usefixtures("apart")
def test_a_child_tells_what_is_wrong_and_where() -> None:
    with pytest.raises(InvalidFile) as told:
        read("mot", b"1,7,x,5,20,40,1,1,1\n2,7,5,5,20\n")
    assert [e.message.split(":")[0] for e in told.value.errors] == ["line 1", "line 2"]


def test_a_file_that_takes_more_memory_than_it_may_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes that unpack to millions of boxes."""
    lines = b"".join(b"%d,1,10,10,20,20,1,1,1\n" % frame for frame in range(1, 500_000))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/gt/gt.txt", lines)
    monkeypatch.setattr(reading, "MEMORY", 256 << 20)
    with pytest.raises(InvalidFile, match="more than 256 MiB of memory to read|more memory than there is"):
        read("mot", out.getvalue(), Target(500_000, 640, 480, LABELS))


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("os.kill(os.getpid(), 11)", "makes its reader crash"),
        ("os.kill(os.getpid(), 9)", "more than 4096 MiB of memory"),
        ("os.kill(os.getpid(), 24)", "more than 30 minutes"),
    ],
)
def test_a_child_that_dies_takes_nobody_along(
    does: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "child.py").write_text(f"import os\n{does}\n")
    monkeypatch.setattr(reading, "CHILD", tmp_path / "child.py")
    with pytest.raises(InvalidFile, match=says):
        read("mot", b"1")


@pytest.mark.usefixtures("apart")
def test_a_fault_of_ours_in_a_child_is_none_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text("import os, sys\nsys.exit(f'no {sorted(os.environ)}')\n")
    monkeypatch.setattr(reading, "CHILD", tmp_path / "child.py")
    monkeypatch.setitem(os.environ, "SECRET_KEY", "hush")
    with pytest.raises(RuntimeError, match="no ") as told:
        read("mot", b"1")
    assert "SECRET_KEY" not in str(told.value)


@pytest.mark.parametrize(("limit", "says"), [("MOST_TRACKS", "2 tracks; at most 1"), ("MOST_KEYFRAMES", "keyframes")])
def test_more_tracks_or_keyframes_than_are_read_are_refused(
    limit: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, limit, 1)
    with pytest.raises(InvalidFile, match=says):
        read("csv", written(FORMATS["csv"].write, content(scene())))
