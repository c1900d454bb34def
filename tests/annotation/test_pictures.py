from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from rest_framework.test import APIClient

from annotation import clipping, ingesting, picturing
from annotation.media.barcodes import read_barcode
from annotation.media.errors import Killed, LimitReached
from annotation.models import FrameMapRow, Segment, Video
from annotation.settling import read_frame_map
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def frame(client: APIClient, video: Video, n: object, **how: object):
    return client.get(f"/api/v1/videos/{video.pk}/frames/{n}/", how.pop("query", {}), **how)


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize(("as_", "content_type"), picturing.CONTENT_TYPES.items())
def test_frame_n_is_frame_n_in_every_form(as_: str, content_type: str) -> None:
    video, alice = cast.video(cast.project()), cast.client("Alice")
    for n in (0, 31, 13, 59):
        answer = frame(alice, video, n, query={"as": as_})
        assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
        shown = pixels(answer.content)
        assert shown.shape == (64, 96, 3) and read_barcode(shown) == n


def test_frame_n_is_frame_n_of_an_uneven_video_with_reordered_frames() -> None:
    times = [0, 40, 50, 130, 170, 300, 310, 320, 500, 640, 650, 700]
    path = cast.video_file(12, "mkv", times=tuple(times), time_base=Fraction(1, 1000), b_frames=2)
    video = ingesting.register(project=cast.project(), file=path, name="uneven.mkv", by=None)
    cast.work_off()
    video.refresh_from_db()
    assert video.variable_frame_rate and "variable_frame_rate" in [w["code"] for w in video.warnings]
    alice = cast.client("Alice")
    assert [read_barcode(pixels(frame(alice, video, n).content)) for n in range(12)] == list(range(12))
    assert alice.get(f"/api/v1/videos/{video.pk}/frame-map/").json()["times_s"] == [t / 1000 for t in times]


def test_a_width_scales_down_and_never_up() -> None:
    video, alice = cast.video(cast.project()), cast.client("Alice")
    assert pixels(frame(alice, video, 7, query={"width": 48}).content).shape == (32, 48, 3)
    whole = frame(alice, video, 7)
    larger = frame(alice, video, 7, query={"width": 5000})
    assert larger.content == whole.content and larger["ETag"] == whole["ETag"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"as": "gif"}, "/as"),
        ({"as": ""}, "/as"),
        ({"as": "png\x00"}, "/as"),
        ({"width": "0"}, "/width"),
        ({"width": "-5"}, "/width"),
        ({"width": "wide"}, "/width"),
        ({"width": "9" * 5000}, "/width"),
        ({"width": "٣"}, "/width"),
    ],
)
def test_what_makes_no_sense_is_400_with_its_place(query: dict, pointer: str) -> None:
    answer = frame(cast.client("Alice"), cast.video(cast.project()), 0, query=query)
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("n", [60, 61, 10**9, 2**63, 10**100, "9" * 399])
def test_past_the_end_is_404(n: object) -> None:
    answer = frame(cast.client("Alice"), cast.video(cast.project()), n)
    assert answer.status_code == 404 and answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("n", ["-1", "1.5", "abc", "9" * 5000, "1e3", "%00"])
def test_what_is_no_frame_number_is_404(n: str) -> None:
    assert frame(cast.client("Alice"), cast.video(cast.project()), n).status_code == 404


def test_a_frame_that_cannot_be_decoded_is_422_and_its_neighbours_are_there() -> None:
    video, alice = cast.video(cast.project()), cast.client("Alice")
    damaged = replace(read_frame_map(video), undecodable=(20,))
    FrameMapRow.objects.filter(video=video).update(payload=damaged.pack())
    Video.objects.filter(pk=video.pk).update(frame_map_sha256=damaged.sha256)
    answer = frame(alice, video, 20)
    assert answer.status_code == 422 and answer.json()["type"].endswith("frame-undecodable")
    assert read_barcode(pixels(frame(alice, video, 21).content)) == 21
    assert alice.get(f"/api/v1/videos/{video.pk}/frame-map/").json()["undecodable"] == [20]


def test_a_video_that_is_not_ready_has_no_frames_yet() -> None:
    project = cast.project()
    video = ingesting.register(project=project, file=cast.video_file(40), name="a.mp4", by=None)
    for address in (f"frames/{0}", "frame-map"):
        answer = cast.client("Alice").get(f"/api/v1/videos/{video.pk}/{address}/")
        assert answer.status_code == 409 and answer.json()["type"].endswith("video-not-ready")
    Video.objects.filter(pk=video.pk).update(status="rejected", reason="It is a PDF document.")
    answer = frame(cast.client("Alice"), video, 0)
    assert answer.status_code == 409 and "PDF" in answer.json()["detail"]


@pytest.mark.parametrize("accept", ["application/json", "text/html", "nonsense", "", "image/webp;q=1, */*;q=0"])
def test_the_accept_header_changes_nothing(accept: str) -> None:
    answer = frame(cast.client("Alice"), cast.video(cast.project()), 3, headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")


def test_who_has_the_picture_gets_304_and_nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    video, alice = cast.video(cast.project()), cast.client("Alice")
    first = frame(alice, video, 5)

    def decodes(*_: object, **__: object) -> bytes:
        raise picturing.FrameNotShown("nothing may be decoded")

    monkeypatch.setattr(picturing.PictureCache, "get", decodes)
    for known in (first["ETag"], f"W/{first['ETag']}", f'"other", {first["ETag"]}', "*"):
        again = frame(alice, video, 5, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert frame(alice, video, 5, headers={"If-None-Match": '"other"'}).status_code == 422


@pytest.mark.parametrize("width", [1, 2, 15])
def test_a_picture_is_as_narrow_as_it_was_asked_for(width: int) -> None:
    answer = frame(cast.client("Alice"), cast.video(cast.project()), 3, query={"width": width})
    assert pixels(answer.content).shape == (max(1, round(64 * width / 96)), width, 3)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LimitReached("It took too much.", "time"), 503),
        (LimitReached("It took too much.", "memory"), 422),
        (LimitReached("It took too much.", "crash"), 422),
        (Killed("It was killed."), 503),
    ],
)
def test_a_frame_for_which_there_was_no_time_or_memory_may_be_asked_for_again(
    error: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> bytes:
        raise error

    monkeypatch.setattr(picturing.PicturePool, "picture", busy)
    answer = frame(cast.client("Alice"), cast.video(cast.project()), 17, query={"width": 31})
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


def test_a_frame_that_may_still_move_is_asked_for_anew() -> None:
    video, alice = cast.video(cast.project(), settled=30), cast.client("Alice")
    assert "max-age" in frame(alice, video, 29)["Cache-Control"]
    assert frame(alice, video, 30)["Cache-Control"] == "private, no-cache"


def test_another_frame_form_or_width_has_another_etag() -> None:
    video, alice = cast.video(cast.project()), cast.client("Alice")
    queries = [(5, {}), (6, {}), (5, {"as": "jpeg"}), (5, {"width": 48})]
    assert len({frame(alice, video, n, query=query)["ETag"] for n, query in queries}) == 4


def test_nobody_without_the_project_sees_a_frame() -> None:
    video = cast.video(cast.project())
    for who, status in (("Rita", 200), ("Mona", 200), ("Ada", 200), ("Eve", 404), ("Wanda", 404), ("Max", 404)):
        assert frame(cast.client(who), video, 0).status_code == status, who
    assert frame(cast.client(), video, 0).status_code == 401


def cut_one(video: Video) -> Segment:
    cut = clipping.cut_video(video=video, segment_frames=30, overlap_frames=6)
    return cut.segments.order_by("index")[1]


def test_a_clips_picture_is_asked_for_by_the_frame_of_the_video() -> None:
    segment = cut_one(cast.video(cast.project()))
    clipping.make_clip(segment.pk)
    for n in (segment.start, segment.start + 11, segment.stop - 1):
        assert read_barcode(pixels(picturing.clip_picture(segment, n).read())) == n
    for n in (segment.start - 1, segment.stop, 0):
        with pytest.raises(picturing.Missing):
            picturing.clip_picture(segment, n)
