"""The main job from a file to an export, step by step, with every floor real and the crowd simulated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from rich.progress import Progress, TaskID

from annotation import defining, ingesting
from annotation.core.clipping import clip_to
from annotation.lifecycle import VideoStatus
from annotation.models import Project, Video
from config import children
from config.demo.crowd import Crowd, is_over
from config.demo.material import LABEL, Material
from config.demo.people import People, invite_staff
from config.management.commands.serve import job_worker
from crowd import completing, publishing, seeding
from crowd.core.policies import Policy
from crowd.models import Batch
from crowd.models import Policy as PolicyRow
from review import deciding, exporting, releasing
from review.errors import AlreadyDecided
from review.lifecycle import ConsensusStatus, WorkStatus
from review.models import Consensus, Export

JOB_WORKERS = 2
PATIENCE_S = 600.0
REWARD_MICROS = 250_000


class DemoFailed(Exception):
    """A step of the demo did not come to its end."""


@dataclass
class Story:
    """What the steps need and leave behind."""

    material: Material
    people: People
    progress: Progress
    seed: int
    spent: dict[str, float] = field(default_factory=dict)

    def run(self) -> tuple[Project, Video, Batch, Export]:
        with _job_workers():
            project = self._project()
            video = self._ingest(project)
            batch = self._launch(project, video)
            self._crowd(project, batch)
            export = self._export(project)
        return project, video, batch, export

    @contextmanager
    def _step(self, name: str, total: float | None = None) -> Iterator[TaskID]:
        began = time.monotonic()
        bar = self.progress.add_task(name, total=total)
        yield bar
        end = self.progress.tasks[bar].total or 1
        self.progress.update(bar, total=end, completed=end)
        self.spent[name] = time.monotonic() - began

    def leave_work(self) -> Project:
        """The same video once more, launched and left alone: something to claim for whoever logs in."""
        project = self._project("your turn")
        client = self.people.users["alice"]
        with transaction.atomic():
            video = ingesting.register(project=project, file=self.material.video, name=self.material.name, by=client)
            policy = Policy(**PolicyRow.objects.get(project=project).values)
            publishing.open_batch(project=project, videos=[video], policy=policy, by=client)
        return project

    def _project(self, named: str = "demo") -> Project:
        taken = Project.objects.filter(name__startswith=named).count()
        name = f"{named} {taken + 1}" if taken else named
        policy = Policy(reward_micros=REWARD_MICROS, segment_frames=150, overlap_frames=20)
        with transaction.atomic():
            project = defining.create_project(
                owner=self.people.users["alice"],
                name=name,
                instructions="Draw a box around every person who is in the picture, for as long as they are.",
                labels=[{"name": LABEL, "color": "#2080c0"}],
            )
            PolicyRow.objects.create(project=project, version=1, values=policy.to_json())
            invite_staff(project, self.people)
        return project

    def _ingest(self, project: Project) -> Video:
        with self._step("register and index the video"):
            with transaction.atomic():
                video = ingesting.register(
                    project=project, file=self.material.video, name=self.material.name, by=self.people.users["alice"]
                )
            wait_for(lambda: _status(video) in (VideoStatus.READY, VideoStatus.REJECTED), "the index")
            video.refresh_from_db()
            if video.status == VideoStatus.REJECTED:
                raise DemoFailed(f"The video was rejected: {video.reason}")
        return video

    def _launch(self, project: Project, video: Video) -> Batch:
        client = self.people.users["alice"]
        policy = Policy(**PolicyRow.objects.get(project=project).values)
        with self._step("gold and launch"), transaction.atomic():
            known = clip_to(self.material.truth, 0, min(policy.segment_frames * 2, video.frame_count or 0))
            seeding.post_gold(project=project, video=video, tracks=known, by=client)
            return publishing.open_batch(project=project, videos=[video], policy=policy, by=client)

    def _crowd(self, project: Project, batch: Batch) -> None:
        with self._step("the crowd claims, draws and submits", total=None) as bar:
            crowd = Crowd(
                project=project,
                batch=batch,
                truth=self.material.truth,
                seed=self.seed,
                on_submitted=lambda _: self.progress.advance(bar),
            )
            threads = crowd.work({n: (self.people.users[n], brain) for n, brain in self.people.workers.items()})
            try:
                wait_for(lambda: self._review(batch) or is_over(batch), "the batch", crowd.errors)
            finally:
                crowd.over.set()
                _join(threads)

    def _review(self, batch: Batch) -> bool:
        """The reviewer accepts what waits for a person; never the end of waiting by itself.

        One more worker who cannot come is not waited for as elsewhere: here everybody who works is known.
        """
        for task_id in completing.asked_in_vain(batch, after=timedelta(seconds=1)):
            with transaction.atomic():
                deciding.stop_asking(task_id=task_id)
        waiting = Consensus.objects.filter(batch=batch, status=ConsensusStatus.PENDING, task__status="in_review")
        for consensus in waiting:
            # One that was made anew or decided meanwhile is looked at again.
            with suppress(AlreadyDecided), transaction.atomic():
                deciding.accept(consensus=consensus, by=self.people.users["rita"])
        return False

    def _export(self, project: Project) -> Export:
        client = self.people.users["alice"]
        with self._step("stitch, release, export"):
            with transaction.atomic():
                release = releasing.release(project=project, by=client)
                export = exporting.export(release=release, format="mot", video=None, by=client)
            wait_for(lambda: _made(export), "the export")
            export.refresh_from_db()
            if export.status == WorkStatus.FAILED:
                raise DemoFailed(f"The export failed: {export.reason}")
        return export


def _status(video: Video) -> str:
    video.refresh_from_db(fields=["status"])
    return video.status


def _made(export: Export) -> bool:
    export.refresh_from_db(fields=["status"])
    return export.status != WorkStatus.BUILDING


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(timeout=10)


@contextmanager
def _job_workers() -> Iterator[None]:
    """Job workers as `serve` has them, for as long as the story goes."""
    processes = [job_worker(number) for number in range(1, JOB_WORKERS + 1)]
    try:
        for child in processes:
            child.start()
        yield
    finally:
        children.stop(processes, 8)


def wait_for(done: Callable[[], bool], what: str, errors: list[Exception] | None = None) -> None:
    """Look until it is done. DemoFailed after a long while, or at once with the first of `errors`."""
    until = time.monotonic() + PATIENCE_S
    while not done():
        if errors:
            raise DemoFailed(f"A simulated worker failed: {errors[0]!r}") from errors[0]
        if time.monotonic() > until:
            raise DemoFailed(f"Waited {PATIENCE_S:.0f} s for {what} in vain; see the log above.")
        time.sleep(0.2)


def out_folder() -> Path:
    folder = settings.DATA_DIR / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
