from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Job, Video
from tests import cast

pytestmark = pytest.mark.django_db


def ingest(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("ingest", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def test_files_are_registered_for_a_project_by_name() -> None:
    project = cast.project()
    lines = ingest(cast.video_file(40), cast.video_file(30), "--project", "Crossing")
    videos = Video.objects.filter(project=project).order_by("created_at", "pk")
    assert sorted(line.split()[:2] for line in lines) == sorted([v.pk, "uploaded"] for v in videos)
    assert Job.objects.filter(kind="index_video").count() == 2


def test_waiting_needs_no_job_worker() -> None:
    project = cast.project()
    [line] = ingest(cast.video_file(40), "--project", project.pk, "--wait")
    video = Video.objects.get()
    assert line.startswith(f"{video.pk} ready 40 frames") and video.uploaded_by == project.owner


def test_a_file_that_cannot_be_used_fails_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video at all")
    with pytest.raises(CommandError, match="notes.mp4: This is a text file"):
        ingest(tmp_path / "notes.mp4", "--project", cast.project().pk, "--wait")


def test_what_is_missing_is_named_and_nothing_is_registered(tmp_path: Path) -> None:
    project = cast.project()
    with pytest.raises(CommandError, match="no such file: .*missing.mp4"):
        ingest(cast.video_file(40), tmp_path / "missing.mp4", "--project", project.pk)
    with pytest.raises(CommandError, match="no project 'Nothing'"):
        ingest(cast.video_file(40), "--project", "Nothing")
    assert not Video.objects.exists()
