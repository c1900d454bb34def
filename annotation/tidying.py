"""Files that no row names: what a crash between the storing of a file and the commit of its row left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Now

from annotation.models import KeptFile

#: What is younger may belong to a transaction that is still under way.
AGE = timedelta(days=1)
AT_ONCE = 500


def clear_orphans() -> list[str]:
    """Delete the files of this site that were noted over a day ago and that no row names; their names.

    The storage itself is not looked through: what this database knows nothing of is not its own to delete. It may be
    new, a copy, or restored from an older day, and the files another's.
    """
    return [name for names in _groups() for name in sorted(set(names) - _named(names)) if _clear(name)]


def _groups() -> Iterator[list[str]]:
    """The names of all files that may be old enough, some at a time."""
    last = ""
    while names := list(
        KeptFile.objects.filter(name__gt=last, kept_at__lt=Now() - AGE)
        .order_by("name")
        .values_list("name", flat=True)[:AT_ONCE]
    ):
        yield names
        last = names[-1]


def _clear(name: str) -> bool:
    """The note goes first, and holds up whoever stores the file once more until the file is gone too."""
    with transaction.atomic():
        if not KeptFile.objects.filter(name=name, kept_at__lt=Now() - AGE).delete()[0]:
            return False
        default_storage.delete(name)
    return True


def _named(names: list[str]) -> set[str]:
    """Those that a row of any table has as its `file`."""
    named: set[str] = set()
    for model in apps.get_models():
        if any(field.name == "file" for field in model._meta.concrete_fields):
            named |= set(model._default_manager.filter(file__in=names).values_list("file", flat=True))
    return named
