"""Copies on this machine: bounded, shared by processes, never deleted while they are used."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import shutil
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from annotation.file_cache import Damaged, FileCache

BODY = b"x" * 1000


def key_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fill(cache: FileCache, *contents: bytes) -> None:
    for content in contents:
        with cache.held(key_of(content), content.__len__, lambda content=content: io.BytesIO(content)) as path:
            assert path.read_bytes() == content


def names(cache: FileCache) -> set[str]:
    return {path.name for path in cache.folder.iterdir()}


def test_the_copy_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 2500)
    one, two, three = (bytes([n]) * 1000 for n in (1, 2, 3))
    fill(cache, one, two)
    os.utime(tmp_path / key_of(one), (1, 1))
    os.utime(tmp_path / key_of(two), (2, 2))
    fill(cache, one)  # used again
    fill(cache, three)
    assert names(cache) == {key_of(one), key_of(three)}


def test_a_copy_in_use_stays(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1500)
    one, two = (bytes([n]) * 1000 for n in (1, 2))
    with cache.held(key_of(one), one.__len__, lambda: io.BytesIO(one)) as path:
        fill(cache, two)
        assert path.read_bytes() == one
    fill(cache, b"3" * 1000)
    assert names(cache) == {key_of(b"3" * 1000)}


def test_a_file_larger_than_the_bound_is_copied_all_the_same(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 10)
    fill(cache, BODY)
    fill(cache, BODY)


def test_on_a_disk_that_is_fuller_than_the_bound_says_old_copies_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FileCache(tmp_path / "cache", 1_000_000)
    one, two = (bytes([n]) * 1000 for n in (1, 2))
    fill(cache, one)
    usage = shutil.disk_usage(tmp_path)._replace(free=400)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    fill(cache, two)
    assert names(cache) == {key_of(two)}


def test_what_is_on_its_way_counts_already(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 2500)
    one, two, three = (bytes([n]) * 1000 for n in (1, 2, 3))
    fill(cache, one)

    def source() -> BinaryIO:
        fill(cache, three)  # meanwhile
        return io.BytesIO(two)

    with cache.held(key_of(two), two.__len__, source):
        assert names(cache) == {key_of(two), key_of(three)}


def test_what_arrives_damaged_is_not_kept(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 10_000)
    with pytest.raises(Damaged), cache.held(key_of(BODY), BODY.__len__, lambda: io.BytesIO(BODY[:-1])):
        pass
    with pytest.raises(Damaged), cache.held(f"{key_of(BODY)}.x", BODY.__len__, lambda: io.BytesIO(BODY[:-1])):
        pass
    assert names(cache) == set()
    fill(cache, BODY)


def test_a_draft_that_a_killed_process_left_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / f"{key_of(BODY)}.draft").write_bytes(b"half of some" * 500)
    cache = FileCache(tmp_path, 10_000)
    fill(cache, BODY)
    assert names(cache) == {key_of(BODY)}


class Slow(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.2)
        return super().read(size)


def _use(folder: Path, tally: Path) -> None:
    cache = FileCache(folder, 1500)

    def source() -> BinaryIO:
        with tally.open("a") as file:
            file.write("x")
        return Slow(BODY)

    for round in range(3):
        with cache.held(key_of(BODY), BODY.__len__, source) as path:
            assert path.read_bytes() == BODY
        other = b"%d" % round * 900
        with cache.held(key_of(other), other.__len__, lambda other=other: io.BytesIO(other)) as path:
            assert path.read_bytes() == other


def test_many_processes_share_one_small_cache(tmp_path: Path) -> None:
    folder, tally = tmp_path / "cache", tmp_path / "tally"
    processes = [multiprocessing.get_context("fork").Process(target=_use, args=(folder, tally)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    FileCache(folder, 1500).make_room(0)  # what was in use when room was made is free by now
    assert tally.read_text() and sum(path.stat().st_size for path in folder.iterdir()) <= 1500


def test_of_those_who_want_one_file_at_once_one_fetches_it(tmp_path: Path) -> None:
    folder, tally = tmp_path / "cache", tmp_path / "tally"
    processes = [multiprocessing.get_context("fork").Process(target=_once, args=(folder, tally)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4 and tally.read_text() == "x"


def _once(folder: Path, tally: Path) -> None:
    def source() -> BinaryIO:
        with tally.open("a") as file:
            file.write("x")
        return Slow(BODY)

    with FileCache(folder, 10_000).held(key_of(BODY), BODY.__len__, source) as path:
        assert path.read_bytes() == BODY
