"""All that is kept about a person, as files: whatever row names them, found through the models and not by a list."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BinaryField, Field, ForeignKey, Model

from annotation import recording
from annotation.models import TrackSet, User
from crowd.models import Assignment, Draft, LateBody, PeerScore, Score, Transition

OURS = ("annotation", "crowd", "review")
#: Whose row it is; what somebody merely did to a row of somebody else's is told by its id alone.
OWN = {"user", "worker", "owner", "author", "uploaded_by"}
#: What opens doors is nobody's to take home.
SECRET = {"password", "key_sha256", "secret_sha256", "token", "secret", "alias_seed"}
#: Rows that hang on a person's assignments.
HANGING: tuple[type[Model], ...] = (Draft, LateBody, Score, PeerScore, Transition)


def disclose(*, user: User, out: Path) -> dict[str, int]:
    """Write a zip with a JSON file per kind of row, and `account.json`; how many rows of each kind there are."""
    counts: dict[str, int] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, "account", [_plain(user)])
        for name, rows in kept_about(user):
            found = list(rows)
            if found:
                counts[name] = len(found)
                _write(archive, name, found)
    return counts


def kept_about(user: User) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    for model, field in fields_of_people():
        name = f"{model._meta.model_name}-{field.name}"
        rows = model._default_manager.filter(**{field.name: user}).order_by("pk")
        if field.name in OWN:
            yield name, (_plain(row) for row in rows.iterator(chunk_size=500))
        else:
            yield name, ({"id": pk} for pk in rows.values_list("pk", flat=True))
    mine = Assignment.objects.filter(worker=user)
    for hanging in HANGING:
        rows = hanging._default_manager.filter(assignment__in=mine).order_by("pk")
        yield f"{hanging._meta.model_name}-of-assignments", (_plain(row) for row in rows.iterator(chunk_size=500))


def fields_of_people() -> list[tuple[type[Model], Field[Any, Any]]]:
    """Every column of ours that names a person."""
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    return [
        (model, field)
        for model in models
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is User
    ]


def _plain(row: Model) -> dict[str, Any]:
    shown = [f for f in row._meta.concrete_fields if f.name not in SECRET and not isinstance(f, BinaryField)]
    said = {field.attname: getattr(row, field.attname) for field in shown}
    return said | recording.load_json(row) if isinstance(row, TrackSet) else said


def _write(archive: zipfile.ZipFile, name: str, rows: list[dict[str, Any]]) -> None:
    archive.writestr(f"{name}.json", json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))
