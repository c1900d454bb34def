"""The machine work of the ground floor."""

from __future__ import annotations

import contextlib
import shutil
import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from annotation import guarding, idempotency, ingesting, notifying, receiving, tidying
from annotation.lifecycle import JobStatus, VideoStatus
from annotation.models import Job, Video
from annotation.queue import job, sweep, want

LOST_AFTER = timedelta(minutes=5)
SCRATCH_S = 24 * 3600


@job("index_video", given_up=ingesting.reject)
def index_video(video_id: str) -> None:
    ingesting.index(video_id)


@job("verify_video", given_up=ingesting.end_unreadable)
def verify_video(video_id: str) -> None:
    ingesting.verify(video_id)


@job("finish_upload", given_up=receiving.fail)
def finish_upload(upload_id: str) -> None:
    receiving.finish(upload_id=upload_id)


@job("deliver")
def deliver(delivery_id: str) -> None:
    notifying.deliver(delivery_id=delivery_id)


sweep(notifying.want_lost)
sweep(notifying.forget_old)
sweep(receiving.forget)


@sweep
def clear_scratch() -> None:
    """What killed processes left half written is of no use a day later."""
    for path in settings.FILE_UPLOAD_TEMP_DIR.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - SCRATCH_S:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@job("clear_orphans")
def clear_orphans(_: str) -> None:
    tidying.clear_orphans()


@sweep
def want_clearing() -> None:
    """Once a day the storage is looked through."""
    if not Job.objects.filter(kind="clear_orphans", wanted_at__gt=Now() - timedelta(days=1)).exists():
        with transaction.atomic():
            want("clear_orphans", "storage")


@sweep
def want_lost_indexing() -> None:
    """A video that is not indexed and has no job for it gets one."""
    unfinished = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.QUARANTINED)
    jobs = Job.objects.filter(kind="index_video", subject=OuterRef("pk"), status__in=unfinished)
    waiting = Video.objects.filter(status__in=(VideoStatus.UPLOADED, VideoStatus.INDEXING))
    for video_id in waiting.filter(~Exists(jobs), created_at__lt=Now() - LOST_AFTER).values_list("pk", flat=True)[:100]:
        with transaction.atomic():
            want("index_video", video_id)


sweep(idempotency.prune)
sweep(guarding.forget)
