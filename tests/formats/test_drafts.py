"""Exports that were cut short: whoever goes on with them gives the bytes that nobody cut."""

from __future__ import annotations

import io
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from annotation.core.tracks import Tracks, make_track
from annotation.formats import parting, regrouping
from annotation.formats.content import ClipFile, Content, Video, VideoTracks, rows_of
from annotation.formats.drafts import Draft
from annotation.formats.registry import FORMATS
from annotation.formats.zipping import OtherContent
from tests.formats.scenes import LABELS, scene, written


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda file: None)


class Killed(BaseException):
    pass


@contextmanager
def clip():
    yield io.BytesIO(b"\0\1\2 an mp4" * 50)


def alongside(read: list[int]) -> Content:
    """Two videos with pictures and clips; `read` hears from which frames on rows were asked for."""
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 100, (40, 2))
    other = Tracks(0, 40, (make_track("5", "car", range(40), np.concatenate([low, low + 5], axis=1)),))
    videos = [_alongside(scene(), "walk.mp4", read), _alongside(other, "other", read)]
    return Content(LABELS, videos, {"project": "p", "videos": ({"n": n} for n in range(2))})


def _alongside(tracks: Tracks, name: str, read: list[int]) -> VideoTracks:
    def parts(at: int):
        read.append(at)
        return rows_of(tracks, LABELS.names, at, part_frames=9)

    clips = (ClipFile(0, 20, clip), ClipFile(15, 40, clip))
    facts = Video(name, 40, 640, 480)
    return VideoTracks(facts, parts, tracks.intervals, {}, lambda f: None if f == 3 else b"jpeg %d" % f, clips)


def make(name: str, folder: Path, kill_at: int, read: list[int]) -> tuple[bytes | None, int]:
    """The bytes of one run, or None where it was killed, and how many parts it wrote."""
    draft = Draft(folder, "this", every_s=0)
    parts = 0

    def told(phase: str, share: float) -> None:
        nonlocal parts
        assert 0 <= share <= 1
        parts += 1
        if parts == kill_at:
            raise Killed

    with draft.file("file", draft.length) as out:
        try:
            FORMATS[name].write(out, alongside(read), draft=draft, told=told)
        except Killed:
            out.write(b"what a killed process left behind")
            return None, parts
    return (folder / "file").read_bytes(), parts


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_killed_at_every_part_an_export_goes_on_to_the_same_bytes(name, tmp_path, monkeypatch):
    monkeypatch.setattr(regrouping, "STRETCH", 5)
    monkeypatch.setattr(parting, "PICTURES", 7)
    whole = written(FORMATS[name].write, alongside([]))
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    made, runs, read = None, 0, []
    while made is None:
        made, _ = make(name, tmp_path, 1, read)  # every run writes one part, and dies
        runs += 1
    assert made == whole
    assert runs > (6 if name == "parquet" else 14)
    assert name == "parquet" or read.count(0) <= 3  # what was read is not read again


@pytest.mark.parametrize("kill_at", [2, 5, 9])
@pytest.mark.parametrize("name", ["coco", "json", "voc"])
def test_killed_once_anywhere_it_writes_only_what_is_left(name, kill_at, tmp_path):
    whole = written(FORMATS[name].write, alongside([]))
    _, before = make(name, tmp_path, kill_at, [])
    made, after = make(name, tmp_path, -1, [])
    (tmp_path / "anew").mkdir()
    _, all_parts = make(name, tmp_path / "anew", -1, [])
    assert made == whole and before + after == all_parts


def test_a_draft_of_other_content_is_begun_anew(tmp_path):
    make("mot", tmp_path, 3, [])
    assert Draft(tmp_path, "this").length > 0
    assert Draft(tmp_path, "that").length == 0
    (tmp_path / "journal.json").write_text('{"identity": "th')
    assert Draft(tmp_path, "this").length == 0


def test_a_draft_that_the_content_never_meets_is_no_file(tmp_path):
    make("mot", tmp_path, 3, [])
    with pytest.raises(OtherContent), (tmp_path / "file").open("r+b") as out:
        FORMATS["json"].write(out, alongside([]), draft=Draft(tmp_path, "this"))
