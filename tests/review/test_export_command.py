from __future__ import annotations

import hashlib
import zipfile
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Job, Project
from review.models import Export
from tests.review import stage
from tests.review.test_results import download, labelled

pytestmark = pytest.mark.django_db


def shell(project: str, out: Path, format: str = "mot") -> str:
    said = StringIO()
    call_command("export", project, "--format", format, "--out", str(out), stdout=said)
    return said.getvalue()


def test_a_project_is_released_and_written_without_any_job_worker(tmp_path: Path) -> None:
    batch = labelled(frames=38)
    path = tmp_path / "labels.zip"
    said = shell("Crossing", path)
    assert Export.objects.get().sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert said.split() == [str(path), "release", "1", "sha256", Export.objects.get().sha256]
    assert zipfile.ZipFile(path).testzip() is None
    assert not Job.objects.filter(kind__in=["build_release", "write_export"]).exclude(status="done").exists()
    _, served = download(batch)
    assert served == path.read_bytes()


def test_a_folder_gets_a_file_of_its_own_name(tmp_path: Path) -> None:
    batch = labelled(frames=20)
    Project.objects.filter(pk=batch.project_id).update(name="../day/night")
    shell(batch.project_id, tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == "_day_night-1-mot.zip"


def test_a_file_that_was_there_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    labelled(frames=20)
    path = tmp_path / "labels.zip"
    path.write_bytes(b"old")
    shell("Crossing", path)
    assert path.read_bytes()[:2] == b"PK"
    before = path.read_bytes()
    Export.objects.update(sha256="0" * 64)
    with pytest.raises(CommandError, match="damaged"):
        shell("Crossing", path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["labels.zip"]


def test_what_cannot_be_exported_is_said_plainly(tmp_path: Path) -> None:
    consensus = stage.disputed()
    with pytest.raises(CommandError, match="nothing to release"):
        shell(consensus.batch.project_id, tmp_path / "x.zip")
    with pytest.raises(CommandError, match="There is no project"):
        shell("nobody's", tmp_path / "x.zip")
    with pytest.raises(CommandError, match="no folder"):
        shell("Crossing", tmp_path / "missing" / "x.zip")
    assert list(tmp_path.iterdir()) == []
