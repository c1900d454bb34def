from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models.functions import Now

from annotation import clipping, storing
from annotation.lifecycle import JobStatus
from annotation.models import Clip, Job
from config import checking
from config.sqlite.base import DatabaseWrapper
from tests import cast

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def doctor(*given: str) -> str:
    out = io.StringIO()
    try:
        call_command("doctor", *given, stdout=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def test_a_sound_installation_is_well() -> None:
    assert "all is well" in doctor()


def test_jobs_that_nobody_does_are_told() -> None:
    Job.objects.create(kind="k", subject="s", queued_key="k:s", not_before=Now() - timedelta(hours=1))
    assert "WRONG queue" in doctor()


def test_jobs_that_were_given_up_are_told_with_their_reason() -> None:
    Job.objects.create(kind="k", subject="s", status=JobStatus.QUARANTINED, reason="it was poison")
    assert "it was poison" in doctor()


def test_a_secret_that_others_may_read_is_told(settings, tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("x")
    (tmp_path / "secret_key").chmod(0o644)
    settings.DATA_DIR = tmp_path
    settings.ENVIRONMENT = checking.settings.ENVIRONMENT.__class__(**{**vars(settings.ENVIRONMENT), "secret_key": None})
    assert "WRONG secrets" in doctor()


def test_a_database_that_others_may_read_is_told(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = tmp_path / "trackweave.sqlite3"
    made = DatabaseWrapper({**connections["default"].settings_dict, "NAME": str(name), "OPTIONS": {}}, "other")
    made.connect()
    monkeypatch.setattr(checking, "connection", made)
    assert checking._tables() == f"{name}, its owner's alone" and name.stat().st_mode & 0o777 == 0o600
    made.close()
    name.chmod(0o644)
    made.connect()  # one that is there is taken as it is
    with pytest.raises(checking.Wrong, match="mode 644"):
        checking._tables()
    made.close()


def test_debugging_in_the_open_is_told(settings) -> None:
    settings.DEBUG = True
    assert "WRONG address" in doctor()


def test_files_that_cannot_be_written_are_told(settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.MEDIA_ROOT = str(tmp_path / "file" / "folder")
    assert "WRONG storage" in doctor()


def test_a_redis_that_answers_and_one_that_does_not(settings, redis_url: str) -> None:
    values = vars(settings.ENVIRONMENT)
    settings.ENVIRONMENT = type(settings.ENVIRONMENT)(**{**values, "redis_url": redis_url})
    assert "ok    redis" in doctor()
    settings.ENVIRONMENT = type(settings.ENVIRONMENT)(**{**values, "redis_url": "unix:///nowhere.sock"})
    assert "WRONG redis" in doctor()


def test_every_file_that_is_missing_is_told(own_files: Path) -> None:
    video = cast.video(cast.project())
    segments = list(clipping.cut_video(video=video, segment_frames=20, overlap_frames=5).segments.order_by("index"))
    for segment in segments:
        stored = storing.keep(ContentFile(b"clip %d" % segment.index), "clips")
        Clip.objects.filter(pk=cast.clip(segment).pk).update(file=stored.name)
    assert f"ok    every file: {len(segments) + 1} are in the storage" in doctor("--files")
    lost = Clip.objects.get(segment=segments[1]).file
    for name in (video.file, lost):
        default_storage.delete(name)
    told = doctor("--files")
    assert f"missing: {video.file} of video {video.pk}" in told and f"missing: {lost} of clip {segments[1].pk}" in told
    assert told.count("missing:") == 2 and f"2 of {len(segments) + 1} are not in the storage" in told
    assert "missing" not in doctor()
