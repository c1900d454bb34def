from __future__ import annotations

import errno
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.http import HttpResponse
from rest_framework.test import APIClient

from annotation import ingesting, settling, storing
from annotation.models import IdempotencyKey, Job, Project, Video
from tests import cast

pytestmark = pytest.mark.django_db


def upload(
    client: APIClient, project: Project, content: bytes | None = None, file: str = "a.mp4", **how
) -> HttpResponse:
    content = cast.video_file(40).read_bytes() if content is None else content
    body = {"file": SimpleUploadedFile(file, content)} | how.pop("data", {})
    return client.post(f"/api/v1/projects/{project.pk}/videos/", body, format="multipart", **how)


def test_an_uploaded_video_becomes_ready_and_is_listed() -> None:
    project, alice = cast.project(), cast.client("Alice")
    answer = upload(alice, project)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["status"], made["name"], made["project"], made["reason"]) == ("uploaded", "a.mp4", project.pk, "")
    assert made["sha256"] in default_storage.path(Video.objects.get().file)
    cast.work_off()
    ready = alice.get(f"/api/v1/videos/{made['id']}/").json()
    assert (ready["status"], ready["frame_count"], ready["width"], ready["fps"]) == ("ready", 40, 96, 25.0)
    assert ready["variable_frame_rate"] is False and ready["duration_s"] == pytest.approx(1.6)
    listed = alice.get(f"/api/v1/projects/{project.pk}/videos/").json()
    assert listed == {"next": None, "previous": None, "results": [ready]}


def test_the_lists_pages_hold_every_video_once_in_the_order_of_their_coming() -> None:
    project, alice = cast.project(), cast.client("Alice")
    made = [upload(alice, project, data={"name": f"{i}.mp4"}).json()["id"] for i in range(5)]
    seen, url = [], f"/api/v1/projects/{project.pk}/videos/?page_size=2"
    while url:
        page = alice.get(url).json()
        assert len(page["results"]) <= 2
        seen += [video["id"] for video in page["results"]]
        url = page["next"]
    assert seen == made


def test_the_same_file_twice_is_two_videos_over_one_stored_file() -> None:
    project, alice = cast.project(), cast.client("Alice")
    first, second = upload(alice, project).json(), upload(alice, project).json()
    assert first["id"] != second["id"] and first["sha256"] == second["sha256"]
    assert len({video.file for video in Video.objects.all()}) == 1


def test_a_retried_upload_is_one_video() -> None:
    project, alice = cast.project(), cast.client("Alice")
    first = upload(alice, project, headers={"Idempotency-Key": "k1"})
    again = upload(alice, project, headers={"Idempotency-Key": "k1"})
    assert again.status_code == 201 and again.json() == first.json() and again["Idempotent-Replay"] == "true"
    assert Video.objects.count() == 1 and Job.objects.filter(kind="index_video").count() == 1


def test_a_key_with_another_file_is_422() -> None:
    project, alice = cast.project(), cast.client("Alice")
    upload(alice, project, headers={"Idempotency-Key": "k1"})
    other = upload(alice, project, cast.video_file(30).read_bytes(), headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422 and Video.objects.count() == 1


def test_a_refused_upload_does_not_use_up_its_key() -> None:
    project, alice = cast.project(), cast.client("Alice")
    refused = upload(alice, project, data={"name": "a/b"}, headers={"Idempotency-Key": "k1"})
    assert refused.status_code == 400 and not IdempotencyKey.objects.exists()
    assert upload(alice, project, headers={"Idempotency-Key": "k1"}).status_code == 201


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"name": "../../etc/passwd"}, "/name"),
        ({"name": ".."}, "/name"),
        ({"name": "a\\b"}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "a\x1bb"}, "/name"),
        ({"file": ""}, "/file"),
        ({"file": "not a file"}, "/file"),
    ],
)
def test_a_bad_upload_is_400_with_its_place_and_leaves_nothing(
    data: dict, pointer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[object] = []
    monkeypatch.setattr("annotation.storing.keep", lambda *given: stored.append(given))
    answer = upload(cast.client("Alice"), cast.project(), data=data)
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Video.objects.exists() and not stored


def test_an_empty_file_is_refused_at_once() -> None:
    answer = upload(cast.client("Alice"), cast.project(), b"")
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/file"


@pytest.mark.parametrize("body", [{}, {"name": "a"}])
def test_an_upload_without_a_file_is_400(body: dict) -> None:
    project = cast.project()
    answer = cast.client("Alice").post(f"/api/v1/projects/{project.pk}/videos/", body, format="multipart")
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/file"


def test_an_upload_that_is_no_multipart_is_415() -> None:
    project = cast.project()
    answer = cast.client("Alice").post(f"/api/v1/projects/{project.pk}/videos/", {"file": "x"}, format="json")
    assert answer.status_code == 415 and answer["Content-Type"] == "application/problem+json"


def test_a_broken_multipart_is_400() -> None:
    project = cast.project()
    answer = cast.client("Alice").generic(
        "POST", f"/api/v1/projects/{project.pk}/videos/", b"--x\r\nnonsense", "multipart/form-data; boundary=x"
    )
    assert answer.status_code == 400
    without = cast.client("Alice").generic(
        "POST", f"/api/v1/projects/{project.pk}/videos/", b"abc", "multipart/form-data"
    )
    assert without.status_code == 400


@pytest.mark.parametrize(
    "file", ["Straße — 通り 🎬.mp4", "%2e%2e%2f.mp4", "<img src=x onerror=alert(1)>.mp4", "'; --.mp4"]
)
def test_odd_names_are_kept_as_they_are(file: str) -> None:
    answer = upload(cast.client("Alice"), cast.project(), file=file)
    assert answer.status_code == 201 and answer.json()["name"] == file
    assert file not in Video.objects.get().file


def test_a_files_own_path_is_never_used() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../../tmp/evil.mp4"\r\n'
        b"Content-Type: video/mp4\r\n\r\n" + cast.video_file(40).read_bytes() + b"\r\n--x--\r\n"
    )
    project = cast.project()
    address = f"/api/v1/projects/{project.pk}/videos/"
    answer = cast.client("Alice").generic("POST", address, body, "multipart/form-data; boundary=x")
    assert answer.status_code == 201 and answer.json()["name"] == "evil.mp4"
    assert Path(default_storage.path(Video.objects.get().file)).is_relative_to(default_storage.location)


def test_a_large_file_goes_over_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = TemporaryUploadedFile.chunks
    monkeypatch.setattr(TemporaryUploadedFile, "chunks", lambda self, *a: seen.append(type(self)) or real(self, *a))
    content = cast.video_file(40).read_bytes() + bytes(3 * 2**20)
    answer = upload(cast.client("Alice"), cast.project(), content)
    assert answer.status_code == 201 and answer.json()["bytes"] == len(content) and seen
    with default_storage.open(Video.objects.get().file) as file:
        assert file.read() == content


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("Alice", 201),
        ("Mona", 201),
        ("Ada", 201),
        ("Rita", 403),
        ("Eve", 404),
        ("Max", 404),
        ("Wanda", 404),
        (None, 401),
    ],
)
def test_who_may_upload(who: str | None, status: int) -> None:
    project = cast.project()
    assert upload(cast.client(who), project).status_code == status
    assert Video.objects.count() == (status == 201)


def test_nothing_is_stored_for_who_may_not_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    def stores(*_: object) -> None:
        raise AssertionError("the file was stored")

    monkeypatch.setattr("annotation.storing.keep", stores)
    assert upload(cast.client("Eve"), cast.project()).status_code == 404


@pytest.mark.parametrize("address", ["", "frames/0/", "frame-map/"])
def test_another_clients_video_is_404_exactly_like_none(address: str) -> None:
    video, eve = cast.video(cast.project()), cast.client("Eve")
    theirs = eve.get(f"/api/v1/videos/{video.pk}/{address}")
    none = eve.get(f"/api/v1/videos/aaaaaaaaaaaaaaaa/{address}")
    assert (theirs.status_code, theirs.content) == (404, none.content)
    assert sorted(theirs.headers.items()) == sorted(none.headers.items())


@pytest.mark.parametrize("odd", ["%00", "a%00b", "..", "%2e%2e", "x" * 3000, "ü", "'", "1 OR 1=1", "%F0%9F%8E%AC"])
def test_odd_ids_are_404(odd: str) -> None:
    alice = cast.client("Alice")
    for address in (f"videos/{odd}/", f"videos/{odd}/frame-map/", f"projects/{odd}/videos/"):
        assert alice.get(f"/api/v1/{address}").status_code == 404


def test_an_upload_over_a_stored_file_that_was_cut_off_is_whole() -> None:
    project, alice = cast.project(), cast.client("Alice")
    content = cast.video_file(40).read_bytes() + b"another"
    upload(alice, project, content)
    torn = Video.objects.get().file
    default_storage.delete(torn)
    default_storage.save(torn, BytesIO(content[:100]))
    upload(alice, project, content)
    newest = Video.objects.order_by("-created_at").first()
    with default_storage.open(newest.file) as file:
        assert file.read() == content


def test_the_frame_map_says_when_every_frame_is_shown() -> None:
    video = cast.video(cast.project(), settled=20)
    body = cast.client("Alice").get(f"/api/v1/videos/{video.pk}/frame-map/").json()
    assert body["sha256"] == video.frame_map_sha256 and body["undecodable"] == []
    assert (body["frame_count"], body["settled_frames"], len(body["times"])) == (60, 20, 60)
    ticks, per_second = body["time_base"]
    assert body["times_s"] == [t * ticks / per_second for t in body["times"]] == [n / 25 for n in range(60)]


def test_who_has_the_frame_map_gets_304_until_more_of_it_is_settled() -> None:
    video, alice = cast.video(cast.project(), settled=20), cast.client("Alice")
    address = f"/api/v1/videos/{video.pk}/frame-map/"
    first = alice.get(address)
    assert first["Cache-Control"] == "private, no-cache"
    assert alice.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    settling.commit_stretch(video.pk, 20, replace(settling.read_frame_map(video), settled=40))
    assert alice.get(address, headers={"If-None-Match": first["ETag"]}).json()["settled_frames"] == 40


def test_an_upload_that_finds_the_disk_full_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    project = cast.project()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/place")

    monkeypatch.setattr(storing, "keep", full)
    answer = upload(cast.client("Alice"), project)
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:trackweave:no-room")
    assert "secret" not in answer.content.decode() and not Video.objects.exists()


def test_a_second_copy_of_a_file_says_so_before_anybody_pays_for_it_twice() -> None:
    project = cast.project()
    names = {"street.mp4": 40, "square.mp4": 41, "again.mp4": 40}
    made = {
        name: ingesting.register(project=project, file=cast.video_file(frames), name=name, by=project.owner)
        for name, frames in names.items()
    }
    elsewhere = cast.project(name="Harbour")
    made["elsewhere"] = ingesting.register(
        project=elsewhere, file=cast.video_file(40), name="street.mp4", by=project.owner
    )
    for video in made.values():
        ingesting.index(video.pk)
        video.refresh_from_db()
    said = {name: [w["message"] for w in v.warnings if w["code"] == "same_file"] for name, v in made.items()}
    words = "This project has the same file as street.mp4. Launched both, it is labelled, and paid for, twice."
    assert said == dict.fromkeys(said, []) | {"again.mp4": [words]}
