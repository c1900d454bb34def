from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from annotation import ingesting
from annotation.models import Video
from tests import cast

pytestmark = pytest.mark.django_db


def test_a_process_that_answers_is_live(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}


def test_a_site_with_all_it_needs_is_ready(client: Client) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_site_without_its_tables_says_that_migrations_are_missing(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'crowd'")
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["missing"]) == (503, ["migrations"])


def test_a_site_whose_folder_of_files_is_not_mounted_is_not_ready(client: Client, own_files: Path) -> None:
    folder, elsewhere = own_files, own_files.with_name("not-mounted")
    video = ingesting.register(project=cast.project(), file=cast.video_file(5), name="street.mp4", by=None)
    assert client.get("/health/ready").json() == {"status": "ok"}
    folder.rename(elsewhere)
    try:
        response = client.get("/health/ready")
        assert (response.status_code, response.json()["missing"]) == (503, ["files"])
    finally:
        shutil.rmtree(folder)
        elsewhere.rename(folder)
    Video.objects.create(project=video.project, name="lost.mp4", file="videos/lost", bytes=1, sha256="0" * 64)
    assert client.get("/health/ready").json() == {"status": "ok"}, "one lost file keeps nobody from working"


def test_health_is_not_changed_by_a_post(client: Client) -> None:
    assert client.post("/health/live").status_code == 405
