"""Files in a bucket, through a real server: kept by content, read in pieces, given out by links, cleared away."""

from __future__ import annotations

import hashlib
import random
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from django.test import RequestFactory

from annotation import bucket as bucket_module
from annotation import storing, tidying
from annotation.bucket import Bucket
from annotation.serving import serve_file
from config import checking, environment
from tests import cast, servers, store

pytestmark = pytest.mark.django_db

LARGE = random.Random(3).randbytes(9 << 20)  # more than two blocks


def objects(bucket: Bucket) -> list[str]:
    found = store.client(servers.store_url()).list_objects_v2(Bucket=bucket.bucket_name)
    return [each["Key"] for each in found.get("Contents", ())]


def test_files_are_named_by_their_content_and_stored_once(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(LARGE)
    digest = hashlib.sha256(LARGE).hexdigest()
    first, again = storing.keep(path, "videos"), storing.keep(ContentFile(LARGE), "videos", sha256=digest)
    assert first == again == storing.Stored(f"videos/{digest[:2]}/{digest}", len(LARGE), digest)
    assert objects(bucket) == [f"some/prefix/{first.name}"]
    assert bucket.client._endpoint.host.startswith("http://127.0.0.1")


def test_any_piece_of_a_file_can_be_read(bucket: Bucket) -> None:
    name = storing.write("tests/large", LARGE)
    with bucket.open(name) as file:
        for start, length in ((0, 10), (5, 4 << 20), (9 << 20, 5), (len(LARGE) - 3, 10), (0, 1), (1, len(LARGE))):
            file.seek(start)
            assert file.read(length) == LARGE[start : start + length]
    assert storing.read(name) == LARGE


def test_what_breaks_while_it_is_read_is_asked_for_again(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    name = storing.write("tests/large", LARGE)
    real, broken = bucket_module._Reader._read, []

    def read(self: Any, wanted: int) -> bytes:
        if len(broken) < 2:
            broken.append(self.at)
            raise OSError("the connection is gone")
        return real(self, wanted)

    monkeypatch.setattr(bucket_module._Reader, "_read", read)
    assert storing.read(name) == LARGE and len(broken) == 2


def test_what_is_not_there_is_not_found(bucket: Bucket) -> None:
    assert not bucket.exists("videos/none")
    for ask in (storing.read, bucket.size):
        with pytest.raises(FileNotFoundError):
            ask("videos/none")
    bucket.delete("videos/none")


def test_a_store_that_cannot_be_reached_is_away_and_a_mistake_of_ours_is_not(bucket: Bucket) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        lost = Bucket(bucket_name="lost", endpoint_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
    with pytest.raises(BotoCoreError) as refused:
        lost.look()
    store.client(servers.store_url()).delete_bucket(Bucket=bucket.bucket_name)
    with pytest.raises(ClientError) as gone:
        bucket.look()
    assert [storing.is_away(e) for e in (refused.value, gone.value, TypeError("x"))] == [True, True, False]


def test_a_program_that_needs_a_path_gets_a_copy_once_for_each_viewer(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = storing.keep(ContentFile(LARGE), "videos")
    with storing.local_path(stored.name) as path:
        assert path.read_bytes() == LARGE
    with storing.local_path(stored.name, viewer="seat") as own:
        assert own != path and own.read_bytes() == LARGE
    monkeypatch.setattr(bucket_module._Reader, "_read", None)  # nothing is fetched any more
    with storing.local_path(stored.name) as again:
        assert again == path and again.read_bytes() == LARGE


def served(name: str, headers: dict[str, str] | None = None, **how: Any) -> Any:
    request = RequestFactory().get("/", headers=headers or {})
    return serve_file(request, name, etag="e", bytes=len(LARGE), content_type="video/mp4", **how)


def test_a_clip_is_streamed_from_our_own_origin_by_ranges(bucket: Bucket) -> None:
    name = storing.write("tests/large", LARGE)
    answer = served(name, {"Range": "bytes=4194000-4195000"})
    assert (answer.status_code, answer["ETag"]) == (206, '"e"')
    assert b"".join(answer.streaming_content) == LARGE[4194000:4195001]
    assert served(name, {"If-None-Match": '"e"'}).status_code == 304


def test_a_download_is_sent_to_the_store_for_some_minutes(bucket: Bucket) -> None:
    name = storing.write("tests/large", LARGE)
    answer = served(name, download_as="Straße 1.zip")
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    assert "X-Amz-Expires=300" in urlsplit(answer["Location"]).query
    there = httpx.get(answer["Location"], headers={"Range": "bytes=100-199"})
    assert (there.status_code, there.content) == (206, LARGE[100:200])
    assert there.headers["Content-Type"] == "video/mp4" and "Stra%C3%9Fe" in there.headers["Content-Disposition"]
    bare = answer["Location"].partition("?")[0]
    assert str(len(LARGE)) not in bare and name in bare


def test_without_links_a_download_goes_through_us(address: str, settings: Any, tmp_path: Path) -> None:
    from tests.storage.conftest import use

    use(f"{address}&links=off", settings, tmp_path)
    answer = served(storing.write("tests/large", LARGE), {"Range": "bytes=0-9"}, download_as="a.zip")
    assert answer.status_code == 206 and b"".join(answer.streaming_content) == LARGE[:10]


def test_what_no_row_names_is_cleared_away_from_the_bucket(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    named = cast.video(cast.project())
    storing.keep(cast.video_file(60), "videos")
    names = {storing.keep(ContentFile(b"an orphan"), "exports").name, storing.write("drafts/a/part", b"x")}
    of_others = bucket.save("videos/ab/of-others", ContentFile(b"whose note is in another database"))
    assert tidying.clear_orphans() == []
    monkeypatch.setattr(tidying, "AGE", timedelta(seconds=-5))  # as if it was tomorrow
    assert set(tidying.clear_orphans()) == names
    assert set(objects(bucket)) == {f"some/prefix/{name}" for name in (named.file, of_others)}


def test_the_doctor_tells_whether_the_bucket_can_be_used(address: str, bucket: Bucket, settings: Any) -> None:
    settings.ENVIRONMENT = environment.read({"STORAGE_URL": address})
    looks = [checking._bucket, checking._written]
    assert [checking.look("bucket", at, "").ok for at in looks] == [True, True] and not objects(bucket)
    store.client(servers.store_url()).delete_bucket(Bucket=bucket.bucket_name)
    assert [checking.look("bucket", at, "").ok for at in looks] == [False, False]
