from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from annotation.lifecycle import JobStatus
from annotation.models import Job
from config import checking

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def doctor() -> str:
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out)
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
