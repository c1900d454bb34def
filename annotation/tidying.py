"""Files that no row names: what a crash between the storing of a file and the commit of its row left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.core.files.storage import default_storage
from django.utils import timezone

#: What is younger may belong to a transaction that is still under way.
AGE = timedelta(days=1)
FOLDERS = ("videos", "clips", "exports", "uploads", "drafts")


def clear_orphans() -> list[str]:
    """Delete the files older than a day that no row names; their names.

    A file that is stored once more is touched first (see `storing.keep`), so it is young again before its row is there.
    """
    gone = []
    for names in _groups():
        old = [name for name in names if _is_old(name)]
        for name in sorted(set(old) - _named(old)):
            if _is_old(name):
                default_storage.delete(name)
                gone.append(name)
    return gone


def _groups() -> Iterator[list[str]]:
    """The names of all files (see `storing.keep`), those of one subfolder at a time."""
    for path in [f"{folder}/{prefix}" for folder in FOLDERS for prefix in _listed(folder)[0]]:
        yield [f"{path}/{name}" for name in _listed(path)[1]]


def _listed(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def _is_old(name: str) -> bool:
    try:
        return default_storage.get_modified_time(name) < timezone.now() - AGE
    except FileNotFoundError:
        return False


def _named(names: list[str]) -> set[str]:
    """Those that a row of any table has as its `file`."""
    named: set[str] = set()
    for model in apps.get_models():
        if any(field.name == "file" for field in model._meta.concrete_fields):
            named |= set(model._default_manager.filter(file__in=names).values_list("file", flat=True))
    return named
