from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from annotation import defining, ingesting, queue, storing
from annotation.errors import Problem
from annotation.lifecycle import VideoStatus
from annotation.models import Project, Video

OVER = (VideoStatus.READY, VideoStatus.REJECTED)
LOOK_S = 0.5


class Command(BaseCommand):
    help = "Registers videos from disk. Prints an id per file; with --wait, once each is ready or rejected."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--project", required=True, help="id or unique name")
        parser.add_argument("--wait", action="store_true", help="until each video is ready or rejected")

    def handle(self, *args: Any, files: list[Path], project: str, wait: bool, **options: Any) -> None:
        missing = [str(path) for path in files if not path.is_file()]
        if missing:
            raise CommandError(f"no such file: {', '.join(missing)}")
        try:
            found = defining.find_project(project)
        except Problem as problem:
            raise CommandError(problem.detail) from None
        console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            videos = [self._register(path, found) for path in progress.track(files, description="Registering")]
            if wait:
                indexing = progress.track(videos, description="Indexing")
                videos = [_awaited(video) for video in indexing]
        self._report(videos)

    def _register(self, path: Path, project: Project) -> Video:
        stored = storing.keep(path, "videos")
        name = ingesting.name_of_file(path.name)
        with transaction.atomic():
            return ingesting.register(project=project, file=stored, name=name, by=project.owner)

    def _report(self, videos: list[Video]) -> None:
        for video in videos:
            frames = f" {video.frame_count} frames" if video.frame_count else ""
            self.stdout.write(f"{video.pk} {video.status}{frames} {video.name}")
            for warning in video.warnings:
                self.stderr.write(f"  {video.name}: {warning['message']}")
        rejected = [f"{video.name}: {video.reason}" for video in videos if video.status == VideoStatus.REJECTED]
        if rejected:
            raise CommandError("\n".join(["not every video can be used:", *rejected]))


def _awaited(video: Video) -> Video:
    """The video once it is ready or rejected. Its job is done here if no job worker was first."""
    while True:
        queue.run(f"index_video:{video.pk}")
        video.refresh_from_db()
        if video.status in OVER:
            return video
        time.sleep(LOOK_S)
