"""Files that no row names, which a crash between the storing and the commit left behind, and files that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, groupby

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now

from annotation.models import KeptFile

#: What is younger may belong to a transaction that is still under way.
AGE = timedelta(days=1)
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Missing:
    """A row, by its kind and id, whose file is not there."""

    kind: str
    id: str
    file: str


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
    found = (model._default_manager.filter(file__in=names).values_list("file", flat=True) for model in _with_files())
    return set(chain.from_iterable(found))


def missing_files(told: Callable[[], object] = lambda: None) -> Iterator[Missing]:
    """The files that rows name and the storage has not; `told` is called for each that is looked for."""
    for model in _with_files():
        kind = str(model._meta.verbose_name)
        rows = model._default_manager.exclude(file="").order_by("file").values_list("file", "pk")
        for folder, some in groupby(rows.iterator(), key=lambda row: row[0].rpartition("/")[0]):
            yield from _lost(kind, some, _listed(folder), told)


def _lost(kind: str, rows: Iterable[tuple[str, str]], there: set[str], told: Callable[[], object]) -> Iterator[Missing]:
    for name, pk in rows:
        told()
        if name.rpartition("/")[2] not in there:
            yield Missing(kind, str(pk), name)


def count_files() -> int:
    """How many files rows name."""
    return sum(model._default_manager.exclude(file="").count() for model in _with_files())


def _listed(folder: str) -> set[str]:
    try:
        return set(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return set()


def _with_files() -> list[type[Model]]:
    return [m for m in apps.get_models() if any(field.name == "file" for field in m._meta.concrete_fields)]
