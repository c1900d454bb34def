"""A release written to a file in one format, in parts: whoever comes after a crash goes on where it stands."""

from __future__ import annotations

import fcntl
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from annotation import storing
from annotation.formats.drafts import Draft
from annotation.formats.registry import FORMATS
from annotation.lifecycle import Event
from annotation.mirroring import Mirror
from annotation.models import User, Video
from annotation.notifying import announce
from annotation.queue import want
from review.assembling import EVERYTHING
from review.composing import content_of
from review.core.selection import Selection
from review.lifecycle import WorkStatus
from review.models import Export, Release

# What was begun by another version of the writers, or of the packer, is begun anew: it might make other bytes.
WRITER = f"parts 6, zlib {zlib.ZLIB_RUNTIME_VERSION}"
TOLD_EVERY_S = 1.0
BUSY_S = 5.0
DRAFTS = "export-"


def export(
    *, release: Release, format: str, video: Video | None, by: User | None, selection: Selection = EVERYTHING
) -> Export:
    """An export of a release; one that was made, or is being made, is found again. A failed one is tried anew."""
    what = {"release": release, "format": format, "video": video, "selection_sha256": selection.digest()}
    try:
        with transaction.atomic():
            made = Export.objects.create(**what, selection=selection.to_json(), created_by=by)
    except IntegrityError:
        made = Export.objects.get(**what)
    if made.status == WorkStatus.FAILED:
        Export.objects.filter(pk=made.pk, status=WorkStatus.FAILED).update(status=WorkStatus.BUILDING, reason="")
        made.refresh_from_db()
    if made.status == WorkStatus.BUILDING:
        want("write_export", made.pk)
    return made


def write_export(*, export_id: str) -> None:
    """Write the file, then the row that names it. Safe to die anywhere and to run twice: the bytes are the same."""
    row = Export.objects.select_related("release__project", "video").get(pk=export_id)
    if row.status != WorkStatus.BUILDING:
        return
    if row.release.status == WorkStatus.FAILED:
        fail_export(export_id=export_id, reason=f"The release could not be built: {row.release.reason}")
        return
    if row.release.status != WorkStatus.READY:
        want("build_release", row.release_id)
        want("write_export", export_id, delay_s=0.5)
        return
    with _draft_of(export_id) as folder:
        if folder is None:
            want("write_export", export_id, delay_s=BUSY_S)
            return
        stored = storing.keep(_written(row, folder), "exports")
        with transaction.atomic():
            if Export.objects.filter(pk=export_id, status=WorkStatus.BUILDING).update(
                status=WorkStatus.READY, file=stored.name, sha256=stored.sha256, bytes=stored.bytes, progress=1.0
            ):
                _announce(row, Event.EXPORT_READY, sha256=stored.sha256)
        if storing.is_elsewhere():
            Mirror(folder, export_id).drop()
        shutil.rmtree(folder)


def _written(row: Export, folder: Path) -> Path:
    """The file, from where its draft stands. Rows are read part by part, and no transaction is open meanwhile."""
    draft = _begun(row, folder)
    selection = Selection.from_json(row.selection)
    with (
        content_of(row.release, row.video, format=row.format, selection=selection) as content,
        draft.file("file", draft.length) as out,
    ):
        phases = FORMATS[row.format].phases(content)
        FORMATS[row.format].write(out, content, draft=draft, told=_teller(row.pk, phases))
    return folder / "file"


def _begun(row: Export, folder: Path) -> Draft:
    """The draft as it stands: on this host, or where another one got further and the store has it."""
    identity = f"{row.pk} {row.release.sha256} {WRITER}"
    if not storing.is_elsewhere():
        return Draft(folder, identity)
    mirror = Mirror(folder, row.pk)
    mirror.pull(identity)
    return Draft(folder, identity, noted=mirror.push)


def _teller(export_id: str, phases: list[str]) -> Callable[[str, float], None]:
    """Writes how much is done into the row, once a second."""
    told_at = time.monotonic()

    def tell(phase: str, share: float) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= TOLD_EVERY_S:
            told_at = time.monotonic()
            done = (phases.index(phase) + share) / len(phases)
            Export.objects.filter(pk=export_id, status=WorkStatus.BUILDING).update(progress=min(done, 0.99))

    return tell


@contextmanager
def _draft_of(export_id: str) -> Iterator[Path | None]:
    """The folder of an export's draft on this host, for one process alone; None where another has it."""
    folder = _drafts() / f"{DRAFTS}{export_id}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.with_suffix(".lock")).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        folder.mkdir(exist_ok=True)
        yield folder


def _drafts() -> Path:
    return settings.DATA_DIR / "scratch"


def forget_drafts() -> None:
    """Drafts on this host of exports that nobody writes any more."""
    building = set(Export.objects.filter(status=WorkStatus.BUILDING).values_list("pk", flat=True))
    for path in _drafts().glob(f"{DRAFTS}*"):
        export_id = path.name.removeprefix(DRAFTS).removesuffix(".lock")
        if export_id in building:
            continue
        with _draft_of(export_id) as folder:
            if folder is not None:
                shutil.rmtree(folder)
                path.with_suffix(".lock").unlink(missing_ok=True)


def file_name(row: Export) -> str:
    """What an export's file is called where somebody takes it home; nothing in it leads out of a folder."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", row.release.project.name).lstrip(".") or "project"
    return f"{name}-{row.release.number}-{row.format}.{FORMATS[row.format].extension}"


def fail_export(*, export_id: str, reason: str) -> None:
    building = Export.objects.filter(pk=export_id, status=WorkStatus.BUILDING)
    with transaction.atomic():
        if building.update(status=WorkStatus.FAILED, reason=reason):
            _announce(Export.objects.select_related("release").get(pk=export_id), Event.EXPORT_FAILED, reason=reason)


def _announce(row: Export, event: Event, **data: Any) -> None:
    data = {"export": row.pk, "release": row.release_id, "format": row.format, **data}
    announce(project_id=row.release.project_id, event=event, **data)
