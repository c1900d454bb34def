from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotation import storing, tidying
from annotation.jobs import want_clearing
from annotation.models import Job
from tests import cast

pytestmark = pytest.mark.django_db


def age(name: str, days: float) -> None:
    then = time.time() - days * 24 * 3600
    os.utime(default_storage.path(name), (then, then))


def test_only_old_files_that_no_row_names_are_cleared_away() -> None:
    video = cast.video(cast.project())
    orphan, young = (storing.keep(ContentFile(body), "exports").name for body in (b"an orphan", b"a young one"))
    elsewhere = default_storage.save("elsewhere/of/others", ContentFile(b"not ours to judge"))
    for name in (video.file, orphan, elsewhere):
        age(name, 1.1)
    try:
        assert orphan in tidying.clear_orphans()
        assert [default_storage.exists(n) for n in (orphan, young, video.file, elsewhere)] == [False, True, True, True]
    finally:
        age(video.file, 0)  # other tests' videos are the same file
        default_storage.delete(elsewhere)
        default_storage.delete(young)


def test_what_is_stored_once_more_is_young_again(tmp_path: Path) -> None:
    name = storing.keep(ContentFile(b"twice"), "exports").name
    age(name, 3)
    assert storing.keep(ContentFile(b"twice"), "exports").name == name
    assert name not in tidying.clear_orphans() and default_storage.exists(name)
    default_storage.delete(name)


def test_the_storage_is_looked_through_once_a_day() -> None:
    want_clearing()
    cast.work_off()
    want_clearing()
    assert list(Job.objects.filter(kind="clear_orphans").values_list("status", flat=True)) == ["done"]
