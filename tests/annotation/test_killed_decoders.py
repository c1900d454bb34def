"""Decoder children that the machine kills."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from annotation import ingesting, storing
from annotation.lifecycle import VideoStatus
from annotation.media.errors import Killed
from tests import cast
from tests.annotation.test_ingesting import Passes, registered

pytestmark = pytest.mark.django_db


def test_a_machine_that_kills_every_decoder_cuts_no_video_short_and_rejects_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed = Killed("The machine ended it.")
    video, fresh = cast.video(cast.project(), 60, settled=0), registered()
    monkeypatch.setattr(ingesting, "sandboxed_settle", Passes(([25], killed), *[([], killed)] * 2, ([60], None)))
    monkeypatch.setattr(ingesting, "sandboxed_index", Mock(side_effect=killed))
    for _ in range(3):
        with pytest.raises(Killed):
            ingesting.verify(video.pk)
    with pytest.raises(Killed):
        ingesting.index(fresh.pk)
    ingesting.verify(video.pk)
    for row in (video, fresh):
        row.refresh_from_db()
    assert (video.settled_frames, video.frame_count, video.warnings) == (60, 60, [])
    assert (fresh.status, fresh.reason) == (VideoStatus.INDEXING, "")
    assert storing.is_away(killed), "its job waits, uncounted"
