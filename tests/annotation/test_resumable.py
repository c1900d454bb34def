"""Resumable uploads, tus 1.0.0: what each request is answered, and what is there afterwards."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.http import HttpResponse, UnreadablePostError
from rest_framework.test import APIClient

from annotation import receiving, storing
from annotation.core.problems import Invalid
from annotation.core.resumable import MAX_BYTES, parse_metadata
from annotation.lifecycle import UploadStatus
from annotation.models import Job, Project, Upload, UploadPart, Video
from config.pieces import PIECE_BYTES
from tests import cast

pytestmark = pytest.mark.django_db
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def begin(client: APIClient, project: Project, length: object, **how: Any) -> HttpResponse:
    said = {"Upload-Length": str(length), "Upload-Metadata": metadata(**(how.pop("said", {"filename": "a.mp4"})))}
    return client.post(f"/api/v1/projects/{project.pk}/uploads/", headers=TUS | said | how.pop("headers", {}), **how)


def send(client: APIClient, url: str, at: object, content: bytes, **how: Any) -> HttpResponse:
    headers = TUS | {"Upload-Offset": str(at)} | how.pop("headers", {})
    return client.patch(url, content, content_type=how.pop("content_type", BYTES), headers=headers)


def offset(client: APIClient, url: str) -> int:
    answer = client.head(url, headers=TUS)
    assert (answer.status_code, answer["Cache-Control"], answer["Tus-Resumable"]) == (200, "no-store", "1.0.0")
    return int(answer["Upload-Offset"])


@pytest.fixture
def alice() -> APIClient:
    return cast.client("Alice")


def begun(alice: APIClient, length: int, **how: Any) -> str:
    answer = begin(alice, cast.project(), length, **how)
    assert answer.status_code == 201, answer.content
    return answer["Location"]


def stored_parts() -> set[str]:
    """The files of this test's uploads; what other tests left behind is not its concern."""
    folders = [f"uploads/{pk}" for pk in Upload.objects.values_list("pk", flat=True)]
    return {f"{f}/{name}" for f in folders if default_storage.exists(f) for name in default_storage.listdir(f)[1]}


def test_a_file_in_three_parts_becomes_the_video_that_it_would_be_in_one(alice: APIClient) -> None:
    content = cast.video_file(40).read_bytes()
    url = begun(alice, len(content), said={"filename": "dir/street.mp4", "sha256": hashlib.sha256(content).hexdigest()})
    cuts = [0, 1000, len(content) // 2, len(content)]
    for at, stop in zip(cuts, cuts[1:], strict=False):
        assert offset(alice, url) == at and not Video.objects.exists()
        answer = send(alice, url, at, content[at:stop])
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(stop)) and answer["Upload-Expires"]
    video = Video.objects.get(pk=answer["Trackweave-Video"])
    assert (video.name, video.bytes, video.sha256) == (
        "dir_street.mp4",
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    told = alice.get(url).json()
    assert (told["status"], told["video"], told["offset"]) == ("done", video.pk, len(content))
    cast.work_off()
    video.refresh_from_db()
    assert video.status == "ready" and Video.objects.count() == 1
    assert not UploadPart.objects.exists() and not stored_parts()


def test_what_is_spoken_is_told_to_anybody() -> None:
    answer = cast.client(None).options(f"/api/v1/projects/{cast.project().pk}/uploads/")
    assert answer.status_code == 204
    assert (answer["Tus-Version"], answer["Tus-Resumable"]) == ("1.0.0", "1.0.0")
    assert answer["Tus-Extension"].split(",") == ["creation", "expiration", "termination"]
    assert int(answer["Tus-Max-Size"]) == MAX_BYTES


@pytest.mark.parametrize("version", ["0.2.2", "", None])
def test_another_version_is_412_and_does_nothing(alice: APIClient, version: str | None) -> None:
    url = begun(alice, 9)
    spoken = {} if version is None else {"Tus-Resumable": version}
    headers = {"Upload-Length": "9", "Upload-Metadata": metadata(filename="a.mp4"), "Upload-Offset": "0"} | spoken
    project = f"/api/v1/projects/{cast.project().pk}/uploads/"
    answers = [
        alice.post(project, headers=headers),
        alice.patch(url, b"abc", content_type=BYTES, headers=headers),
        alice.head(url, headers=headers),
        alice.delete(url, headers=headers),
    ]
    assert [(a.status_code, a["Tus-Version"]) for a in answers] == [(412, "1.0.0")] * 4
    assert Upload.objects.count() == 1 and offset(alice, url) == 0


@pytest.mark.parametrize(
    ("length", "said", "status", "pointer"),
    [
        (0, {"filename": "a"}, 400, "/Upload-Length"),
        ("-1", {"filename": "a"}, 400, "/Upload-Length"),
        ("many", {"filename": "a"}, 400, "/Upload-Length"),
        (9, {}, 400, "/Upload-Metadata"),
        (9, {"name": "a/b"}, 400, "/Upload-Metadata"),
        (9, {"filename": "a", "sha256": "abc"}, 400, "/Upload-Metadata"),
        (MAX_BYTES + 1, {"filename": "a"}, 413, None),
    ],
)
def test_what_cannot_be_begun(alice: APIClient, length: object, said: dict, status: int, pointer: str | None) -> None:
    answer = begin(alice, cast.project(), length, said=said)
    assert answer.status_code == status and not Upload.objects.exists()
    assert [e["pointer"] for e in answer.json()["errors"]] == ([pointer] if pointer else [])


def test_an_upload_for_which_there_is_no_room_is_507(alice: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(alice, 1000)
    monkeypatch.setattr(storing, "room", lambda: receiving.RESERVE_BYTES + 4000)
    assert begin(alice, cast.project(), 1000).status_code == 201
    assert begin(alice, cast.project(), 1000).status_code == 507


def test_beginning_twice_with_one_key_is_one_upload_at_one_place(alice: APIClient) -> None:
    project, key = cast.project(), {"Idempotency-Key": "k"}
    first, again = (begin(alice, project, 9, headers=key) for _ in range(2))
    assert (again.status_code, again["Location"]) == (201, first["Location"])
    assert begin(alice, project, 10, headers=key).status_code == 422
    assert Upload.objects.count() == 1


def test_a_part_for_another_place_is_409_and_tells_the_right_one(alice: APIClient) -> None:
    url = begun(alice, 9)
    send(alice, url, 0, b"abc")
    for at in (0, 2, 4):
        answer = send(alice, url, at, b"xyz")
        assert (answer.status_code, answer["Upload-Offset"]) == (409, "3")
    assert offset(alice, url) == 3


def test_of_two_that_send_at_once_one_wins_and_the_other_leaves_nothing(alice: APIClient) -> None:
    url = begun(alice, 6)
    late = Upload.objects.get()
    assert send(alice, url, 0, b"abc").status_code == 204
    pieces = iter([b"xyz", b""])
    with pytest.raises(receiving.WrongOffset):  # it looked before the other one wrote
        receiving.receive(upload=late, at=0, read=lambda _: next(pieces))
    assert [storing.read(name) for name in stored_parts()] == [b"abc"]
    assert UploadPart.objects.count() == 1


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/json", "multipart/form-data"])
def test_a_part_of_another_type_is_415(alice: APIClient, content_type: str) -> None:
    url = begun(alice, 9)
    assert send(alice, url, 0, b"{}", content_type=content_type).status_code == 415
    assert offset(alice, url) == 0


def test_more_than_was_announced_is_413_and_nothing_of_it_is_kept(alice: APIClient) -> None:
    url = begun(alice, 5)
    assert send(alice, url, 0, b"abcdef").status_code == 413
    assert offset(alice, url) == 0 and not stored_parts()


@pytest.mark.parametrize("at", ["", "-1", "1.5", "9" * 40])
def test_an_offset_that_is_none_is_400(alice: APIClient, at: str) -> None:
    assert send(alice, begun(alice, 9), at, b"abc").status_code == 400


def test_what_came_before_the_connection_broke_is_kept(alice: APIClient) -> None:
    begun(alice, 9)
    pieces = iter([b"ab", b"cd", UnreadablePostError("gone")])

    def read(_: int) -> bytes:
        piece = next(pieces)
        if isinstance(piece, bytes):
            return piece
        raise piece

    with pytest.raises(UnreadablePostError):
        receiving.receive(upload=Upload.objects.get(), at=0, read=read)
    assert Upload.objects.get().offset == 4 and storing.read(UploadPart.objects.get().file) == b"abcd"


def test_a_piece_of_a_long_body_is_one_part(alice: APIClient) -> None:
    piece = PIECE_BYTES + (320 << 10)  # the message that filled it was not cut
    begun(alice, 3 * piece)
    body = io.BytesIO(bytes(piece))
    assert receiving.receive(upload=Upload.objects.get(), at=0, read=body.read) == piece
    assert UploadPart.objects.count() == 1


def test_content_that_is_not_what_was_announced_is_422_and_no_video(alice: APIClient) -> None:
    url = begun(alice, 3, said={"filename": "a.mp4", "sha256": hashlib.sha256(b"abd").hexdigest()})
    answer = send(alice, url, 0, b"abc")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:trackweave:other-content")
    assert alice.get(url).json()["status"] == "failed" and not Video.objects.exists()
    assert alice.head(url, headers=TUS).status_code == 410


def test_an_upload_that_is_ended_is_gone_with_its_parts(
    alice: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    url = begun(alice, 9)
    send(alice, url, 0, b"abc")
    with django_capture_on_commit_callbacks(execute=True):
        assert alice.delete(url, headers=TUS).status_code == 204
    assert not stored_parts()
    answers = [alice.head(url, headers=TUS), send(alice, url, 3, b"d"), alice.delete(url, headers=TUS)]
    assert [a.status_code for a in answers] == [410, 410, 410]


def test_who_sends_on_to_what_was_ended_meanwhile_is_told_why(alice: APIClient) -> None:
    url = begun(alice, 6)
    late = Upload.objects.get()
    assert alice.delete(url, headers=TUS).status_code == 204
    pieces = iter([b"abc", b""])
    with pytest.raises(receiving.UploadGone, match="It was ended."):
        receiving.receive(upload=late, at=0, read=lambda _: next(pieces))
    assert not stored_parts()


def test_a_video_is_not_ended(alice: APIClient) -> None:
    url = begun(alice, 3)
    send(alice, url, 0, b"abc")
    assert alice.delete(url, headers=TUS).status_code == 409 and Video.objects.count() == 1


def test_a_day_without_a_byte_ends_it(alice: APIClient) -> None:
    url = begun(alice, 9)
    send(alice, url, 0, b"abc")
    receiving.forget()
    assert offset(alice, url) == 3
    Upload.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert send(alice, url, 3, b"d").status_code == 410  # also before anybody swept
    receiving.forget()
    assert alice.head(url, headers=TUS).status_code == 410 and not stored_parts()
    Upload.objects.update(expires_at=Now() - timedelta(days=8))
    receiving.forget()
    assert alice.head(url, headers=TUS).status_code == 404


def test_a_host_that_dies_before_the_video_is_made_leaves_it_to_a_job(
    alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(alice, 3)
    with monkeypatch.context() as patch:
        patch.setattr(receiving, "finish", lambda upload_id: None)
        assert "Trackweave-Video" not in send(alice, url, 0, b"abc").headers
    assert not Video.objects.exists()
    Job.objects.filter(kind="finish_upload").update(not_before=Now())
    cast.work_off()
    assert alice.get(url).json()["video"] == Video.objects.get().pk


def test_a_sender_who_missed_the_answer_is_told_the_video_again(alice: APIClient) -> None:
    url = begun(alice, 3)
    first = send(alice, url, 0, b"abc")["Trackweave-Video"]
    assert alice.head(url, headers=TUS)["Trackweave-Video"] == first
    again = send(alice, url, 3, b"")
    assert (again.status_code, again["Trackweave-Video"], Video.objects.count()) == (204, first, 1)


def test_two_who_finish_at_once_make_one_video(alice: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(alice, 3)
    real = storing.keep

    def keep(*given: Any, **how: Any) -> storing.Stored:
        monkeypatch.setattr(storing, "keep", real)
        receiving.finish(upload_id=Upload.objects.get().pk)  # the other one, in between
        return real(*given, **how)

    monkeypatch.setattr(storing, "keep", keep)
    assert send(alice, receiving.upload_url(Upload.objects.get()), 0, b"abc").status_code == 204
    assert Video.objects.count() == 1 and Upload.objects.get().status == UploadStatus.DONE


@pytest.mark.parametrize("text", ["filename YQ==,filename YQ==", "a !", "a /w==", ",", "a AA=="])
def test_metadata_that_cannot_be_read(text: str) -> None:
    with pytest.raises(Invalid):
        parse_metadata(text)
