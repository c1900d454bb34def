"""`manage.py demo`: the main job end to end, and a table of what came of it."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from annotation.core.problems import Invalid
from annotation.core.tracks import fill
from annotation.migrating import migrate
from annotation.models import Project, Video
from config.demo import material, people, pictures, report
from config.demo.story import DemoFailed, Story, out_folder
from crowd.models import Batch
from review.assembling import Whole
from review.models import Export, Stitch


class Command(BaseCommand):
    help = "Runs the main job end to end with simulated workers, and shows what came of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--video", type=Path, help="a video of one's own; needs --truth")
        parser.add_argument("--truth", type=Path, help="its ground truth in MOT form")
        parser.add_argument("--workers", type=int, default=5, help="simulated workers, the last one a spammer")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--port", type=int, default=8000, help="where --serve serves")
        parser.add_argument("--serve", action=BooleanOptionalAction, default=sys.stdout.isatty())

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["video"] is None) != (options["truth"] is None):
            raise CommandError("--video and --truth go together: the simulated workers draw from the truth")
        if options["workers"] < 2:
            raise CommandError("--workers: at least two, for there to be agreement")
        console = Console(width=None if sys.stdout.isatty() else 110)
        migrate()
        folder = out_folder()
        chosen = _choose(options["video"], options["truth"], folder, options["seed"])
        crowd = people.gather(workers=options["workers"], seed=options["seed"])
        with _progress(console) as progress:
            story = Story(chosen, crowd, progress, options["seed"])
            try:
                project, video, batch, export = story.run()
            except DemoFailed as error:
                raise CommandError(str(error)) from error
        _show(console, chosen, story, project, video, batch, export, folder)
        if options["serve"]:
            story.leave_work()
            report.logins(console, crowd.passwords, options["port"])
            call_command("serve", port=options["port"])


def _choose(video: Path | None, truth: Path | None, folder: Path, seed: int) -> material.Material:
    try:
        return material.choose(video, truth, folder, seed)
    except (Invalid, OSError, ValueError) as error:
        raise CommandError(f"--truth: {error}") from error


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<40}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _show(
    console: Console,
    chosen: material.Material,
    story: Story,
    project: Project,
    video: Video,
    batch: Batch,
    export: Export,
    folder: Path,
) -> None:
    """The tables, the export beside the pictures, and where they lie."""
    stitch = Stitch.objects.select_related("video").get(pk=export.release.content["videos"][video.pk])
    whole, frames = Whole(stitch), video.frame_count or 0
    tracks = whole.tracks(list(whole.objects), 0, frames)
    report.people(console, project)
    report.quality(console, chosen.truth, tracks, batch, frames)
    sheet = folder / f"{project.pk}.png"
    pictures.contact_sheet(video, fill(tracks.tracks, 0, frames), sheet)
    target = folder / f"{project.pk}-mot.zip"
    with default_storage.open(export.file) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out)
    console.print(f"export    {target}", soft_wrap=True)
    console.print(f"pictures  {sheet}", soft_wrap=True)
    console.print("took      " + ", ".join(f"{name} {s:.0f} s" for name, s in story.spent.items()), soft_wrap=True)
