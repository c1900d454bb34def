from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from annotation import ingesting, jobs, settling, storing
from annotation.errors import Invalid
from annotation.lifecycle import VIDEO_MOVES, VideoStatus
from annotation.media.errors import LimitReached, Rejected
from annotation.media.frame_map import FrameMap
from annotation.models import FrameMapRow, Job, Video
from annotation.signals import video_ready
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> Any:
    """The videos that were told of, as (settled frames, frames) of each notice."""
    heard: list[tuple[int, int]] = []

    def hear(video: Video, **_: object) -> None:
        heard.append((video.settled_frames, video.frame_count))

    video_ready.connect(hear)
    yield heard
    video_ready.disconnect(hear)


def registered(frames: int = 40, **how: Any) -> Video:
    project = cast.project()
    file = cast.video_file(frames, **how)
    return ingesting.register(project=project, file=file, name="street.mp4", by=project.owner)


def test_a_registered_video_waits_for_its_job_and_becomes_ready(news: list) -> None:
    video = registered()
    assert video.status == VideoStatus.UPLOADED
    assert Job.objects.filter(kind="index_video", subject=video.pk).exists()
    cast.work_off()
    video.refresh_from_db()
    assert (video.status, video.frame_count, video.width, video.height, video.fps) == ("ready", 40, 96, 64, 25.0)
    assert len(settling.read_frame_map(video)) == 40
    assert settling.read_frame_map(video).sha256 == video.frame_map_sha256
    assert [frames for _, frames in news] == [40]


def test_indexing_twice_changes_nothing_and_tells_nothing(news: list) -> None:
    video = registered()
    ingesting.index(video.pk)
    before = Video.objects.filter(pk=video.pk).values().get()
    ingesting.index(video.pk)
    assert Video.objects.filter(pk=video.pk).values().get() == before
    assert len(news) == 1


def test_an_index_that_died_half_way_goes_on() -> None:
    video = registered()
    Video.objects.filter(pk=video.pk).update(status=VideoStatus.INDEXING)
    ingesting.index(video.pk)
    video.refresh_from_db()
    assert video.status == VideoStatus.READY


def test_what_is_no_video_is_rejected_with_a_reason_to_act_on(tmp_path: Any) -> None:
    project = cast.project()
    (tmp_path / "a.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    video = ingesting.register(project=project, file=tmp_path / "a.mp4", name="a.mp4", by=project.owner)
    ingesting.index(video.pk)
    video.refresh_from_db()
    assert video.status == VideoStatus.REJECTED
    assert "playlist" in video.reason and str(tmp_path) not in video.reason


def test_a_child_that_dies_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    video, tries, real = registered(), [], ingesting.sandboxed_index

    def dies_first(path: Any) -> Any:
        tries.append(path)
        if len(tries) == 1:
            raise LimitReached("out of memory", "memory")
        return real(path)

    monkeypatch.setattr(ingesting, "sandboxed_index", dies_first)
    ingesting.index(video.pk)
    video.refresh_from_db()
    assert video.status == VideoStatus.READY and len(tries) == 2


def test_a_file_that_kills_every_child_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(path: Any) -> Any:
        raise LimitReached("needs more memory than allowed", "memory")

    video = registered()
    monkeypatch.setattr(ingesting, "sandboxed_index", dies)
    ingesting.index(video.pk)
    video.refresh_from_db()
    assert (video.status, video.reason) == (VideoStatus.REJECTED, "needs more memory than allowed")


def test_giving_up_on_the_job_rejects_the_video_but_never_a_ready_one() -> None:
    video = registered()
    ingesting.reject(video.pk, "OSError: /secret/place")
    video.refresh_from_db()
    assert video.status == VideoStatus.REJECTED and "/secret" not in video.reason
    ready = cast.video(video.project)
    ingesting.reject(ready.pk, "late")
    ready.refresh_from_db()
    assert ready.status == VideoStatus.READY


def test_rejected_and_ready_are_the_end() -> None:
    assert VIDEO_MOVES[VideoStatus.REJECTED] == VIDEO_MOVES[VideoStatus.READY] == ()
    video = registered()
    Video.objects.filter(pk=video.pk).update(status=VideoStatus.REJECTED, reason="no")
    ingesting.index(video.pk)
    video.refresh_from_db()
    assert video.status == VideoStatus.REJECTED


def test_a_rolled_back_registration_leaves_neither_row_nor_job() -> None:
    project = cast.project()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ingesting.register(project=project, file=cast.video_file(40), name="a.mp4", by=None)
        raise ZeroDivisionError
    assert not Video.objects.exists() and not Job.objects.filter(kind="index_video").exists()


@pytest.mark.parametrize("name", ["", " a", "a\x00b", "a\nb", "../a", "a/b", "a\\b", ".", "..", "x" * 201])
def test_names_that_would_hurt_later_are_refused(name: str) -> None:
    project = cast.project()
    stored = storing.Stored("videos/none", 1, "0" * 64)
    with pytest.raises(Invalid) as refused:
        ingesting.register(project=project, file=stored, name=name, by=None)
    assert refused.value.errors[0]["pointer"] == "/name"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("street.mp4", "street.mp4"),
        ("Straße — 通り 🎬.mov", "Straße — 通り 🎬.mov"),
        ("a\x00b\n.mp4", "ab.mp4"),
        ("C:\\films\\a.avi", "C:_films_a.avi"),
        ("..", "video"),
        ("   ", "video"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_files_own_name_becomes_a_name_of_ours(file: str, name: str) -> None:
    assert ingesting.name_of_file(file) == name
    assert ingesting.video_name_problem(name) is None


def test_the_decode_pass_settles_a_video_to_its_end_and_tells_of_it(news: list) -> None:
    video = cast.video(cast.project(), 60, settled=0)
    ingesting.want_verify(video)
    cast.work_off()
    video.refresh_from_db()
    assert (video.settled_frames, video.frame_count) == (60, 60)
    assert settling.read_frame_map(video).settled == 60
    assert news and news[-1] == (60, 60)
    told = len(news)
    ingesting.verify(video.pk)
    assert len(news) == told


def test_a_settled_video_wants_no_verification() -> None:
    ingesting.want_verify(cast.video(cast.project()))
    assert not Job.objects.filter(kind="verify_video").exists()


class Passes:
    """Stands for `sandboxed_settle`: each pass reports some stretches and then ends as it is told to."""

    def __init__(self, *passes: tuple[list[int], Exception | None]) -> None:
        self.passes, self.began_at = list(passes), []

    def __call__(self, path: Any, frame_map: FrameMap, on_settled: Any) -> FrameMap:
        self.began_at.append(frame_map.settled)
        stretches, error = self.passes.pop(0)
        for settled in stretches:
            frame_map = replace(frame_map, settled=settled)
            on_settled(frame_map)
        if error:
            raise error
        return frame_map


CRASH = LimitReached("the decoder crashes", "crash")


def test_each_stretch_is_committed_and_a_new_pass_goes_on_from_there(
    monkeypatch: pytest.MonkeyPatch, news: list
) -> None:
    video = cast.video(cast.project(), 60, settled=0)
    passes = Passes(([10, 20], CRASH), ([30], CRASH), ([60], None))
    monkeypatch.setattr(ingesting, "sandboxed_settle", passes)
    ingesting.verify(video.pk)
    assert passes.began_at == [0, 20, 30]
    assert [settled for settled, _ in news] == [10, 20, 30, 60]


@pytest.mark.parametrize("error", [CRASH, Rejected("it is gone"), None])
def test_a_video_ends_where_it_cannot_be_read_on(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch, news: list
) -> None:
    video = cast.video(cast.project(), 60, settled=0)
    monkeypatch.setattr(ingesting, "sandboxed_settle", Passes(([25], error), *[([], error)] * 3))
    ingesting.verify(video.pk)
    video.refresh_from_db()
    frame_map = settling.read_frame_map(video)
    assert (video.settled_frames, video.frame_count, len(frame_map), frame_map.settled) == (25, 25, 25, 25)
    assert [w["code"] for w in video.warnings] == ["unreadable_from"] and "frame 25" in video.warnings[0]["message"]
    assert video.frame_map_sha256 == frame_map.sha256 and news[-1] == (25, 25)


def test_a_video_of_which_nothing_can_be_read_keeps_its_frames_as_undecodable(monkeypatch: pytest.MonkeyPatch) -> None:
    video = cast.video(cast.project(), 60, settled=0)
    monkeypatch.setattr(ingesting, "sandboxed_settle", Passes(*[([], CRASH)] * 3))
    ingesting.verify(video.pk)
    video.refresh_from_db()
    assert (video.status, video.settled_frames, video.frame_count) == (VideoStatus.READY, 60, 60)
    assert settling.read_frame_map(video).undecodable == tuple(range(60))
    assert [w["code"] for w in video.warnings] == ["undecodable_frames", "unreadable_from"]


def test_a_map_that_shrinks_behind_the_frontier_keeps_what_was_settled() -> None:
    video = cast.video(cast.project(), 60, settled=30)
    before = settling.read_frame_map(video)
    shrunk = replace(before.without([35, 40]), settled=50)
    settling.commit_stretch(video.pk, 30, shrunk)
    video.refresh_from_db()
    assert (video.settled_frames, video.frame_count) == (50, 58)
    after = settling.read_frame_map(video)
    assert after.times[:30].tolist() == before.times[:30].tolist()
    assert video.frame_map_sha256 == after.sha256 != before.sha256


def test_of_two_passes_over_one_video_only_the_first_is_written() -> None:
    video = cast.video(cast.project(), 60, settled=0)
    frame_map = settling.read_frame_map(video)
    settling.commit_stretch(video.pk, 0, replace(frame_map, settled=40))
    with pytest.raises(settling.AlreadySettled):
        settling.commit_stretch(video.pk, 0, replace(frame_map.without([50]), settled=20))
    video.refresh_from_db()
    assert (video.settled_frames, video.frame_count) == (40, 60)
    assert FrameMap.unpack(bytes(FrameMapRow.objects.get(video=video).payload)).settled == 40


def test_the_sweep_wants_a_video_again_whose_job_was_lost() -> None:
    lost, fresh = registered(), registered()
    Job.objects.all().delete()
    Video.objects.filter(pk=lost.pk).update(created_at=Now() - timedelta(minutes=6))
    jobs.want_lost_indexing()
    assert list(Job.objects.values_list("subject", flat=True)) == [lost.pk]
    assert fresh.status == VideoStatus.UPLOADED


def test_the_sweep_clears_what_killed_processes_left_a_day_ago() -> None:
    scratch: Path = settings.FILE_UPLOAD_TEMP_DIR
    old, new = scratch / "clip-old", scratch / "upload-new"
    old.mkdir()
    (old / "clip.mp4").write_bytes(b"half")
    new.write_bytes(b"under way")
    os.utime(old, (0, time.time() - 2 * jobs.SCRATCH_S))
    jobs.clear_scratch()
    assert not old.exists() and new.exists()
    new.unlink()


@pytest.mark.parametrize("damage", ["flipped", "cut off"])
def test_a_damaged_video_is_settled_to_an_end_and_says_so(damage: str, tmp_path: Path) -> None:
    """Through the real decoder: whatever is broken, frames keep their numbers and the pass comes to an end."""
    content = bytearray(cast.video_file(120, "mkv", gop=12).read_bytes())
    middle = len(content) // 2
    if damage == "flipped":
        content[middle : middle + 200] = bytes(byte ^ 0xFF for byte in content[middle : middle + 200])
    else:
        del content[middle:]
    (tmp_path / "damaged.mkv").write_bytes(content)
    project = cast.project()
    video = ingesting.register(project=project, file=tmp_path / "damaged.mkv", name="damaged.mkv", by=None)
    ingesting.index(video.pk)
    ingesting.verify(video.pk)
    video.refresh_from_db()
    assert video.status == VideoStatus.READY
    assert video.settled_frames == video.frame_count == len(settling.read_frame_map(video))
    assert 40 < video.frame_count <= 120
    assert video.frame_count < 120 or "undecodable_frames" in [w["code"] for w in video.warnings]
