from __future__ import annotations

import hashlib
import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage, default_storage

from annotation import storing
from annotation.picture_cache import PictureCache

pytestmark = pytest.mark.django_db


def content_of(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def test_a_file_is_named_by_its_content_and_stored_once(tmp_path: Path) -> None:
    content = os.urandom(5000)
    (tmp_path / "a").write_bytes(content)
    first = storing.keep(tmp_path / "a", "tests")
    second = storing.keep(io.BytesIO(content), "tests")
    digest = hashlib.sha256(content).hexdigest()
    assert first == second == storing.Stored(f"tests/{digest[:2]}/{digest}", 5000, digest)
    assert content_of(first.name) == content
    assert default_storage.listdir(f"tests/{digest[:2]}")[1] == [digest]


def test_what_was_half_written_is_never_taken_for_the_whole() -> None:
    content = os.urandom(5000)
    whole = storing.keep(io.BytesIO(content), "tests")
    default_storage.delete(whole.name)
    default_storage.save(whole.name, io.BytesIO(content[:2000]))
    again = storing.keep(io.BytesIO(content), "tests")
    assert again.name != whole.name and again.sha256 == whole.sha256
    assert content_of(again.name) == content and content_of(whole.name) == content[:2000]


def test_a_stored_file_is_a_path_even_where_the_storage_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "default_storage", FarAway())
    stored = storing.keep(io.BytesIO(b"what no other test keeps"), "tests")
    with storing.local_path(stored.name) as path:
        assert path.read_bytes() == b"what no other test keeps"
    assert path.is_file()  # a copy stays in the bounded cache, for whoever asks next


class FarAway:
    """A storage whose files have no paths here."""

    def __init__(self) -> None:
        self.inner = InMemoryStorage()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def path(self, name: str) -> str:
        raise NotImplementedError


def make(size: int) -> bytes:
    return os.urandom(size)


def test_a_picture_is_made_once(tmp_path: Path) -> None:
    cache, made = PictureCache(tmp_path), []
    for _ in range(3):
        data = cache.get("ab12.png", lambda: made.append(1) or b"picture")
    assert data == b"picture" and made == [1]


def test_the_cache_stays_within_its_bound_and_keeps_what_is_used(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, max_bytes=10_000, share=0.1)
    past = time.time() - 1000
    for i in range(40):
        cache.get(f"{i:02}.png", lambda: make(500))
        os.utime(tmp_path / f"{i:02}" / f"{i:02}.png", (past + i, past + i))
        cache.get("00.png", lambda: b"made again")
    kept = {path.name: path.stat().st_size for path in tmp_path.glob("*/*.png")}
    assert sum(kept.values()) <= 10_000 + 1_000
    assert kept["00.png"] == 500 and "39.png" in kept and "01.png" not in kept


def test_a_cache_that_cannot_be_written_still_answers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert PictureCache(tmp_path / "file").get("ab.png", lambda: b"picture") == b"picture"


def test_an_error_while_making_is_not_kept(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.get("ab.png", lambda: 1 // 0)  # type: ignore[arg-type, return-value]
    assert cache.get("ab.png", lambda: b"picture") == b"picture"
