from __future__ import annotations

import pytest

from annotation import ingesting, settling
from annotation.lifecycle import VideoStatus
from annotation.models import FrameMapRow, Job, Video
from tests import cast

pytestmark = pytest.mark.django_db


def test_a_registered_video_is_indexed_by_its_job() -> None:
    project = cast.project()
    video = ingesting.register(project=project, file=cast.video_file(40), name="street.mp4", by=project.owner)
    assert video.status == VideoStatus.UPLOADED
    assert Job.objects.filter(kind="index_video", subject=video.pk).exists()
    ingesting.index(video.pk)
    video.refresh_from_db()
    assert (video.status, video.frame_count, video.width, video.height, video.fps) == ("ready", 40, 96, 64, 25.0)
    assert len(settling.read_frame_map(video)) == 40
