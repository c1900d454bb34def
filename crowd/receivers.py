"""News from the ground floor."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from annotation.models import Video
from annotation.queue import want
from annotation.signals import video_ready
from crowd.models import BatchVideo


@receiver(video_ready)
def prepare_its_batches(*, video: Video, **_: Any) -> None:
    """A video of a live batch got ready, or more of it settled: cut it, and ask for its next clips."""
    for row_id in BatchVideo.objects.filter(video=video, live=True).values_list("pk", flat=True):
        want("prepare_video", str(row_id))
