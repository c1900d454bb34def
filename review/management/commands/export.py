from __future__ import annotations

import hashlib
import os
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from annotation import defining, queue
from annotation.core.problems import Invalid
from annotation.errors import Problem
from annotation.formats.registry import FORMATS
from annotation.models import Project
from review import exporting, releasing
from review.composing import label_names
from review.core.selection import MEDIA, PICTURES, Selection, parse_selection
from review.lifecycle import WorkStatus
from review.models import Export, Release

LOOK_S = 0.2
SELECTING = ("labels", "min_confidence", "min_support", "frame_step", "media", "pictures")
CHUNK = 1 << 20


class Command(BaseCommand):
    help = "Releases what is decided of a project, and writes it to a file. Prints the path, the release and its hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="id or unique name")
        parser.add_argument("--format", required=True, choices=sorted(FORMATS))
        parser.add_argument("--out", required=True, type=Path, help="a file, or a folder that is there already")
        parser.add_argument("--labels", nargs="+", metavar="LABEL", help="tracks with one of these only")
        parser.add_argument("--min-confidence", type=float, metavar="SHARE", help="tracks that are as sure as this")
        parser.add_argument("--min-support", type=int, metavar="N", help="boxes on which N submissions agree")
        parser.add_argument("--frame-step", type=int, metavar="N", help="every Nth frame only")
        parser.add_argument("--media", choices=MEDIA, help="what lies beside: pictures of the frames, or clips")
        parser.add_argument("--pictures", choices=sorted(PICTURES), help="the kind of pictures, for --media frames")

    def handle(self, *args: Any, project: str, format: str, out: Path, **options: Any) -> None:
        folder = out if out.is_dir() else out.parent
        if not folder.is_dir():
            raise CommandError(f"there is no folder {folder}")
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
            try:
                found = defining.find_project(project)
                selection = parse_selection({name: options[name] for name in SELECTING}, label_names(found))
                made = _made(found, format, selection, progress)
            except Invalid as invalid:
                said = (f"--{e.pointer[1:].replace('_', '-')}: {e.message}" for e in invalid.errors)
                raise CommandError("; ".join(said)) from None
            except Problem as problem:
                raise CommandError(problem.detail) from None
            path = out / exporting.file_name(made) if out.is_dir() else out
            _copy(made, path, progress)
        self.stdout.write(f"{path} release {made.release.number} sha256 {made.sha256}")


def _made(project: Project, format: str, selection: Selection, progress: Progress) -> Export:
    """The export of this moment's release, once it is ready. Jobs are done here unless a job worker was first."""
    with transaction.atomic():
        release = releasing.release(project=project, by=project.owner)
        made = exporting.export(release=release, format=format, video=None, by=project.owner, selection=selection)
    _await(release, f"build_release:{release.pk}", progress, f"Release {release.number}: stitching")
    _await(made, f"write_export:{made.pk}", progress, f"Writing {format}")
    return made


def _await(row: Release | Export, key: str, progress: Progress, what: str) -> None:
    shown = progress.add_task(what, total=None)
    row.refresh_from_db()
    while row.status == WorkStatus.BUILDING:
        if not queue.run(key):
            progress.update(shown, total=1, completed=row.progress)  # a job worker is at it
            time.sleep(LOOK_S)
        row.refresh_from_db()
    if row.status == WorkStatus.FAILED:
        raise CommandError(f"{what} failed: {row.reason}")
    progress.update(shown, total=1, completed=1)


def _copy(made: Export, path: Path, progress: Progress) -> None:
    """Under another name beside `path` first, so that there is the whole file or what was there before."""
    shown = progress.add_task(f"Copying to {path.name}", total=made.bytes)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    digest = hashlib.sha256()
    try:
        with default_storage.open(made.file, "rb") as source, os.fdopen(handle, "wb") as target:
            while piece := source.read(CHUNK):
                digest.update(piece)
                target.write(piece)
                progress.update(shown, advance=len(piece))
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() != made.sha256:
            raise CommandError("the stored file is damaged: its hash is not the one that was noted when it was written")
        os.chmod(draft, 0o666 & ~_umask())
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
