from __future__ import annotations

import time

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from annotation import clipping, ingesting
from annotation.media.sandboxed import sandboxed_index
from annotation.models import Clip, Cut, Segment, Video
from annotation.storing import local_path
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def segments_of(cut: Cut) -> list[tuple[int, int, int]]:
    return list(Segment.objects.filter(cut=cut).order_by("index").values_list("index", "start", "stop"))


def made(frames: int = 60) -> Clip:
    cut = clipping.cut_video(video=cast.video(cast.project(), frames), segment_frames=30, overlap_frames=6)
    return clipping.make_clip(cut.segments.order_by("index")[1].pk)


def read(clip: Clip) -> bytes:
    with default_storage.open(clip.file) as file:
        return file.read()


def test_a_video_is_cut_by_the_policys_rule() -> None:
    video = cast.video(cast.project())
    cut = clipping.cut_video(video=video, segment_frames=30, overlap_frames=6)
    assert segments_of(cut) == [(0, 0, 24), (1, 18, 42), (2, 36, 60)]
    assert set(Segment.objects.values_list("video", flat=True)) == {video.pk}


def test_a_video_that_is_not_ready_is_not_cut() -> None:
    video = cast.video(cast.project())
    Video.objects.filter(pk=video.pk).update(status="indexing")
    video.refresh_from_db()
    with pytest.raises(ingesting.NotReady):
        clipping.cut_video(video=video, segment_frames=30, overlap_frames=6)


def test_a_cut_follows_a_video_that_turns_out_shorter_and_keeps_the_settled_segments() -> None:
    video = cast.video(cast.project(), 60, settled=30)
    cut = clipping.cut_video(video=video, segment_frames=30, overlap_frames=6)
    kept = cut.segments.get(index=0).pk
    assert not clipping.recut(cut=cut)
    Video.objects.filter(pk=video.pk).update(frame_count=55)
    assert clipping.recut(cut=cut)
    assert segments_of(cut) == [(0, 0, 24), (1, 18, 40), (2, 34, 55)]
    assert cut.segments.get(index=0).pk == kept
    Video.objects.filter(pk=video.pk).update(frame_count=24)
    clipping.recut(cut=cut)
    assert segments_of(cut) == [(0, 0, 24)]
    assert not clipping.recut(cut=cut)


def test_a_clip_has_one_frame_per_frame_of_its_segment() -> None:
    clip = made()
    segment = clip.segment
    assert len(clip.frame_times_s) == segment.stop - segment.start and clip.frame_times_s[0] == 0
    with local_path(clip.file) as path:
        assert path.stat().st_size == clip.bytes
        found = sandboxed_index(path)
    assert (len(found.frame_map), found.width, found.height) == (24, clip.width, clip.height)


def test_making_a_clip_again_is_the_same_clip() -> None:
    clip = made()
    again = clipping.make_clip(clip.segment_id)
    assert (again.file, again.created_at) == (clip.file, clip.created_at)


def test_a_clip_whose_row_was_lost_is_made_again_over_its_file() -> None:
    clip = made()
    before = clip.file, clip.sha256
    Clip.objects.all().delete()
    again = clipping.make_clip(clip.segment_id)
    assert (again.file, again.sha256) == before


def test_whoever_makes_the_row_first_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = made()
    others = Clip.objects.get(pk=clip.pk)
    monkeypatch.setattr(clipping.Clip.objects, "filter", lambda **_: Clip.objects.none())
    assert clipping.make_clip(clip.segment_id).created_at == others.created_at


def test_a_clips_address_needs_no_login_and_says_nothing_but_the_segment() -> None:
    clip = made()
    url = clipping.clip_url(clip.segment)
    assert url == clipping.clip_url(clip.segment_id), "the same address all day, so that browsers keep the file"
    answer = Client().get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "video/mp4")
    body = answer.getvalue()
    assert body == read(clip) and int(answer["Content-Length"]) == len(body)
    assert "Set-Cookie" not in answer and answer["ETag"] == f'"{clip.sha256}"'


def test_an_address_outlives_a_week_and_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, now = made(), time.time()
    url = clipping.clip_url(clip.segment)
    monkeypatch.setattr(clipping.time, "time", lambda: now + clipping.GOOD_FOR_S)
    assert Client().get(url).status_code == 200
    monkeypatch.setattr(clipping.time, "time", lambda: now + clipping.GOOD_FOR_S + 2 * clipping.DAY_S)
    assert Client().get(url).status_code == 404


@pytest.mark.parametrize(
    "change", [lambda s: ("y" if s[0] == "x" else "x") + s[1:], lambda s: s[:-1], lambda s: s + "A", lambda s: s[:16]]
)
def test_an_address_that_is_not_ours_is_404(change) -> None:
    clip = made()
    signed = clipping.clip_url(clip.segment).removeprefix("/api/v1/clips/").rstrip("/")
    answer = Client().get(f"/api/v1/clips/{change(signed)}/")
    assert answer.status_code == 404 and answer["Content-Type"] == "application/problem+json"


def test_a_part_of_a_clip() -> None:
    clip = made()
    whole = read(clip)
    answer = Client().get(clipping.clip_url(clip.segment), headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.getvalue()) == (206, whole[10:20])
    assert answer["Content-Range"] == f"bytes 10-19/{len(whole)}"
    beyond = Client().get(clipping.clip_url(clip.segment), headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(whole)}")
    assert (beyond["Content-Type"], beyond.json()["status"]) == ("application/problem+json", 416)


@pytest.mark.parametrize("accept", ["application/json", "text/html", "nonsense", "image/*"])
def test_the_accept_header_changes_nothing(accept: str) -> None:
    answer = Client().get(clipping.clip_url(made().segment), headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "video/mp4")


def test_who_has_the_clip_gets_304() -> None:
    clip = made()
    answer = Client().get(clipping.clip_url(clip.segment), headers={"If-None-Match": f'"{clip.sha256}"'})
    assert answer.status_code == 304


def test_a_head_request_has_the_headers_and_no_body() -> None:
    clip = made()
    answer = Client().head(clipping.clip_url(clip.segment))
    assert (answer.status_code, answer["Content-Length"], answer.getvalue()) == (200, str(clip.bytes), b"")
