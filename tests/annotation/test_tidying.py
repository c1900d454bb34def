from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from annotation import storing, tidying
from annotation.jobs import want_clearing
from annotation.models import Job, KeptFile
from tests import cast

pytestmark = pytest.mark.django_db


def age(name: str, days: float) -> None:
    assert KeptFile.objects.filter(name=name).update(kept_at=Now() - timedelta(days=days)) == 1


def test_only_old_files_that_no_row_names_are_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "AT_ONCE", 2)  # so that it takes several looks
    video = cast.video(cast.project())
    orphans = [storing.keep(ContentFile(b"orphan %d" % i), "exports").name for i in range(4)]
    part, young = storing.write("uploads/a/part", b"a part"), storing.keep(ContentFile(b"a young one"), "exports").name
    for name in (video.file, part, *orphans):
        age(name, 1.1)
    assert set(tidying.clear_orphans()) == {*orphans, part}
    assert not any(map(default_storage.exists, (*orphans, part)))
    assert default_storage.exists(young) and default_storage.exists(video.file)
    assert set(KeptFile.objects.values_list("name", flat=True)) == {young, video.file}
    storing.drop(young)


def test_files_that_this_database_knows_nothing_of_are_left_alone() -> None:
    """It may be new, and see a storage that is in use; or restored, and older than the files are."""
    later = storing.keep(ContentFile(b"stored after the backup"), "videos").name
    KeptFile.objects.all().delete()
    others = [
        later,
        *(default_storage.save(f"{folder}/ab/of-others", ContentFile(b"x")) for folder in ("clips", "drafts")),
    ]
    for name in others:
        os.utime(default_storage.path(name), (0, 0))
    assert tidying.clear_orphans() == []
    assert all(map(default_storage.exists, others))
    for name in others:
        default_storage.delete(name)


def test_what_is_stored_once_more_is_young_again() -> None:
    name = storing.keep(ContentFile(b"twice"), "exports").name
    age(name, 3)
    assert storing.keep(ContentFile(b"twice"), "exports").name == name
    assert name not in tidying.clear_orphans() and default_storage.exists(name)
    storing.drop(name)


def test_a_file_beside_a_name_that_is_taken_is_known_too() -> None:
    name = storing.write("exports/ab/taken", b"one")
    beside = storing.write("exports/ab/taken", b"another")
    for each in (name, beside):
        age(each, 2)
    assert beside != name and set(tidying.clear_orphans()) == {name, beside}


def test_a_file_that_is_gone_already_is_forgotten() -> None:
    name = storing.keep(ContentFile(b"gone"), "exports").name
    age(name, 2)
    default_storage.delete(name)
    assert tidying.clear_orphans() == [name] and tidying.clear_orphans() == []


def test_the_storage_is_looked_through_once_a_day() -> None:
    want_clearing()
    cast.work_off()
    want_clearing()
    assert list(Job.objects.filter(kind="clear_orphans").values_list("status", flat=True)) == ["done"]
