"""Tracks that were finished elsewhere: a batch that was done before it began."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from annotation import clipping
from annotation.models import Ontology, Project, User, Video
from crowd.core.policies import Policy
from crowd.errors import VideoInUse, WrongState
from crowd.lifecycle import BatchStatus, TaskStatus
from crowd.models import Batch, BatchVideo, Task


def open_done_batch(*, project: Project, video: Video, policy: Policy, by: User) -> Batch:
    """A done batch of one video, cut by the policy, whose tasks are done and have no seats. VideoInUse."""
    ontology = Ontology.objects.filter(project=project).latest("version")
    batch = Batch.objects.create(
        project=project, ontology=ontology, policy=policy.to_json(), created_by=by, status=BatchStatus.DONE
    )
    cut = clipping.cut_video(video=video, segment_frames=policy.segment_frames, overlap_frames=policy.overlap_frames)
    try:
        with transaction.atomic():
            BatchVideo.objects.create(batch=batch, video=video, cut=cut)
    except IntegrityError as error:
        raise VideoInUse(f"The video {video.name!r} is in a batch already; cancel that batch first.") from error
    Task.objects.bulk_create(
        Task(project=project, batch=batch, segment=segment, status=TaskStatus.DONE, opened_at=Now(), done_at=Now())
        for segment in cut.segments.order_by("index")
    )
    return batch


def withdraw_done_batch(*, batch: Batch) -> None:
    """Undo `open_done_batch`: nothing of it is stitched or released from now on, and its video is free. WrongState."""
    if not Batch.objects.filter(pk=batch.pk, status=BatchStatus.DONE).update(status=BatchStatus.CANCELLED):
        batch.refresh_from_db()
        raise WrongState(f"This batch is {batch.status}.")
    BatchVideo.objects.filter(batch=batch).update(live=False)
