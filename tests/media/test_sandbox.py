"""The child processes: what they may use, what they know, and that they end with their parent."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from annotation.media import child_work, sandbox
from annotation.media.errors import Killed, LimitReached, Rejected
from annotation.media.limits import MIB, Limits
from annotation.media.pictures import PICTURE_LIMITS
from annotation.media.sandbox import Child
from annotation.media.sandboxed import sandboxed_encode_clip, sandboxed_index, sandboxed_settle
from tests.media.traps import TRAPS

Files = Callable[[str], Path]
ROOT = Path(__file__).resolve().parents[2]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def _gone(pid: int, within_s: float = 10) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_the_same_answers_as_without_a_child(trap_file: Files, tmp_path: Path) -> None:
    path = trap_file("b_frames")
    told: list[int] = []
    found = sandboxed_index(path)
    assert (found.width, found.height, found.fps, found.codec) == (96, 64, 25.0, "H.264")
    settled = sandboxed_settle(path, replace(found.frame_map, settled=0), lambda newer: told.append(newer.settled))
    assert settled.sha256 == found.frame_map.sha256
    assert told and told == sorted(told) and told[-1] == settled.settled == TRAPS["b_frames"].count
    facts = sandboxed_encode_clip(path, settled, 5, 30, tmp_path / "c.mp4")
    assert len(facts.frame_times_s) == 25 and facts.bytes == (tmp_path / "c.mp4").stat().st_size


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(memory=330 * MIB), "memory"),
        (Limits(wall_s=0.0), "time"),
        (Limits(output_bytes=20_000), "output"),
    ],
)
def test_each_limit_ends_the_child_with_words_and_leaves_no_file(
    limits: Limits, limit: str, tmp_path: Path, shared: Path
) -> None:
    path = shared / "video" / "bigbuckbunny.mp4"
    frame_map = sandboxed_index(path).frame_map
    with pytest.raises(LimitReached) as reached:
        sandboxed_encode_clip(path, frame_map, 0, 60, tmp_path / "c.mp4", limits=limits)
    assert reached.value.limit == limit
    assert str(reached.value).endswith(".")
    assert not (tmp_path / "c.mp4").exists()


def test_a_child_that_burns_its_processor_time_is_ended(shared: Path, tmp_path: Path) -> None:
    path = shared / "video" / "bigbuckbunny.mp4"
    frame_map = sandboxed_index(path).frame_map
    with pytest.raises(LimitReached) as reached:
        sandboxed_encode_clip(path, frame_map, 0, 130, tmp_path / "c.mp4", quality="best", limits=Limits(cpu_s=1))
    assert reached.value.limit == "time"


def test_a_child_that_crashes_is_an_error_in_words(trap_file: Files) -> None:
    child = Child("pictures", {}, PICTURE_LIMITS, waited_for=False)
    os.kill(child.process.pid, 11)
    with pytest.raises(LimitReached, match="crash") as reached:
        child.answer(time.monotonic() + 20)
    assert reached.value.limit == "crash"
    child.kill()


def test_a_child_that_the_machine_kills_says_nothing_about_the_video() -> None:
    child = Child("pictures", {}, PICTURE_LIMITS, waited_for=False)
    os.kill(child.process.pid, 9)
    with pytest.raises(Killed, match="memory ran out"):
        child.answer(time.monotonic() + 20)
    child.kill()


def test_a_lost_file_is_not_the_videos_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sandboxed_index(tmp_path / "gone.mp4")


def test_a_full_disk_is_not_the_videos_fault() -> None:
    child = Child("pictures", {}, PICTURE_LIMITS, waited_for=False)
    said = child_work._error(OSError(errno.ENOSPC, "No space left on device"))
    raised = child._error(str(said["error"]), str(said["message"]))
    child.kill()
    assert isinstance(raised, OSError) and "No space left on device" in str(raised)


def test_a_refusal_comes_through_with_its_words(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(Rejected, match="The file is empty"):
        sandboxed_index(tmp_path / "empty.mp4")


@linux
def test_a_child_knows_no_secret_has_no_network_and_few_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "for nobody's eyes")
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    child = Child("pictures", {}, PICTURE_LIMITS, waited_for=False)
    try:
        told = Path(f"/proc/{child.process.pid}")
        environment = (told / "environ").read_bytes()
        assert b"for nobody" not in environment and b"postgres" not in environment
        assert b"-I" in (told / "cmdline").read_bytes().split(b"\0")
        limits = (told / "limits").read_text()
        assert str(PICTURE_LIMITS.memory) in limits and str(PICTURE_LIMITS.cpu_s) in limits
        assert "NoNewPrivs:\t1" in (told / "status").read_text()
        if not child.has_network:
            assert os.readlink(told / "ns" / "net") != os.readlink("/proc/self/ns/net")
    finally:
        child.kill()


PARENT = """
import json, sys, time
sys.path.insert(0, {root!r})
from annotation.media.limits import Limits
from annotation.media.pictures import PICTURE_LIMITS
from annotation.media.sandbox import Child
child = Child("pictures", {{}}, PICTURE_LIMITS, waited_for={waited_for})
print(json.dumps(child.process.pid), flush=True)
time.sleep(60)
"""


@linux
@pytest.mark.parametrize("waited_for", [True, False])
def test_children_end_when_their_parent_is_killed(waited_for: bool) -> None:
    code = PARENT.format(root=str(ROOT), waited_for=waited_for)
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = json.loads(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _gone(child)


@linux
def test_an_error_while_reporting_ends_the_child(trap_file: Files) -> None:
    class Cancelled(Exception):
        pass

    def cancel(_: object) -> None:
        raise Cancelled

    path = trap_file("b_frames")
    frame_map = replace(sandboxed_index(path).frame_map, settled=0)
    before = _children()
    with pytest.raises(Cancelled):
        sandboxed_settle(path, frame_map, cancel)
    assert _children() <= before


def _children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_what_a_child_prints_does_not_disturb_the_answers() -> None:
    assert sandbox.CHILD.is_file()
    assert "dup2(2, 1)" in sandbox.CHILD.read_text()
