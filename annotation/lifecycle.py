"""The states of videos and jobs, and the moves between them, as data."""

from __future__ import annotations

from django.db.models import Q, TextChoices


class VideoStatus(TextChoices):
    UPLOADED = "uploaded"
    INDEXING = "indexing"
    READY = "ready"
    REJECTED = "rejected"


VIDEO_MOVES: dict[str, tuple[str, ...]] = {
    VideoStatus.UPLOADED: (VideoStatus.INDEXING, VideoStatus.REJECTED),
    VideoStatus.INDEXING: (VideoStatus.READY, VideoStatus.REJECTED),
    VideoStatus.READY: (),
    VideoStatus.REJECTED: (),
}


class UploadStatus(TextChoices):
    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    ENDED = "ended"
    EXPIRED = "expired"


UPLOAD_MOVES: dict[str, tuple[str, ...]] = {
    UploadStatus.OPEN: (UploadStatus.DONE, UploadStatus.FAILED, UploadStatus.ENDED, UploadStatus.EXPIRED),
    UploadStatus.DONE: (),
    UploadStatus.FAILED: (),
    UploadStatus.ENDED: (),
    UploadStatus.EXPIRED: (),
}


class JobStatus(TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    QUARANTINED = "quarantined"


JOB_MOVES: dict[str, tuple[str, ...]] = {
    JobStatus.QUEUED: (JobStatus.RUNNING,),
    JobStatus.RUNNING: (JobStatus.DONE, JobStatus.QUEUED, JobStatus.QUARANTINED),
    JobStatus.DONE: (),
    JobStatus.QUARANTINED: (JobStatus.QUEUED,),
}


class Role(TextChoices):
    ADMIN = "admin"
    MANAGER = "manager"
    REVIEWER = "reviewer"
    CLIENT = "client"
    WORKER = "worker"


class Source(TextChoices):
    """Who a TrackSet comes from."""

    WORKER = "worker"
    GOLD = "gold"
    MODEL = "model"
    CONSENSUS = "consensus"
    REVIEWER = "reviewer"
    IMPORT = "import"


class Event(TextChoices):
    """What a webhook can be told of."""

    VIDEO_READY = "video.ready"
    VIDEO_REJECTED = "video.rejected"
    BATCH_DONE = "batch.done"
    RELEASE_READY = "release.ready"
    RELEASE_FAILED = "release.failed"
    EXPORT_READY = "export.ready"
    EXPORT_FAILED = "export.failed"
    PING = "ping"


class DeliveryStatus(TextChoices):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


DELIVERY_MOVES: dict[str, tuple[str, ...]] = {
    DeliveryStatus.WAITING: (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED),
    # Again, when its owner asks for it.
    DeliveryStatus.DELIVERED: (DeliveryStatus.WAITING,),
    DeliveryStatus.FAILED: (DeliveryStatus.WAITING,),
}


JOB_LEASED = Q(status=JobStatus.RUNNING, token__isnull=False, lease_until__isnull=False, queued_key__isnull=True)
JOB_UNLEASED = ~Q(status=JobStatus.RUNNING) & Q(token__isnull=True, lease_until__isnull=True)
