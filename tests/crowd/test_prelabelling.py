"""Pre-labels of a whole video, cut to its segments once: no claim reads the whole of a long video."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from annotation import recording
from annotation.core.parsing import parse_tracks
from annotation.lifecycle import JobStatus
from annotation.models import Job, TrackSet, Video
from annotation.queue import want
from crowd import prelabelling, publishing
from crowd.jobs import cut_what_was_left
from crowd.models import Batch, PreLabels, PreLabelsPiece, Task
from tests import cast
from tests.crowd import stage

ENDED = {"reason": "out of memory", "finished_at": Now(), "attempts": 3}

pytestmark = pytest.mark.django_db


def post(video: Video, shift: float = 0.0) -> PreLabels:
    tracks = parse_tracks({"tracks": stage.tracks(0, 60, shift=shift)}, ontology=None, start=0, stop=60)
    return prelabelling.post_pre_labels(project=video.project, video=video, tracks=tracks, by=video.project.owner)


def told(batch: Batch, worker: str) -> list[dict[str, Any]]:
    return stage.claim(cast.client(worker), batch.project)["tracks"]


def read(monkeypatch: pytest.MonkeyPatch) -> list[TrackSet]:
    """The TrackSets that are read from here on."""
    found: list[TrackSet] = []
    known = recording.load
    monkeypatch.setattr(recording, "load", lambda row: (found.append(row), known(row))[1])
    return found


@pytest.mark.parametrize("launched_first", [True, False])
def test_a_claim_reads_what_is_said_of_its_segment_alone(launched_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if launched_first:
        batch = stage.launched()
        whole = post(batch.batch_videos.get().video)
    else:
        project = cast.project()
        whole = post(cast.video(project))
        cast.work_off()
        assert not PreLabelsPiece.objects.exists()
        batch = stage.launch(project, whole.video, stage.ruled(project))
    wanda = cast.client("Wanda")
    before = stage.claim(wanda, batch.project)
    cast.work_off()
    assert PreLabelsPiece.objects.count() == Task.objects.filter(batch=batch).count() > 2
    rows = read(monkeypatch)
    assert before["tracks"] and before == wanda.get(f"{stage.API}/assignments/{before['id']}/").json()
    assert stage.claim(cast.client("Will"), batch.project)["tracks"]
    assert len(rows) == 2 and whole.track_set_id not in {row.pk for row in rows}


def test_the_newest_count() -> None:
    batch = stage.launched(frames=20)
    video = batch.batch_videos.get().video
    for worker, shift in (("Wanda", 0.0), ("Will", 5.0)):
        post(video, shift)
        (track,) = told(batch, worker)
        assert track["keyframes"][0]["points"][0] == 5.0 + shift
        cast.work_off()
    assert PreLabelsPiece.objects.count() == 2


def test_cutting_twice_makes_nothing_and_what_was_lost_is_wanted_again() -> None:
    batch = stage.launched()
    row = post(batch.batch_videos.get().video)
    cast.work_off()
    assert prelabelling.cut(pre_labels_id=row.pk) == 0
    PreLabelsPiece.objects.first().delete()
    cut_what_was_left()
    cast.work_off()
    assert prelabelling.cut(pre_labels_id=row.pk) == 0
    assert PreLabelsPiece.objects.count() == Task.objects.filter(batch=batch).count()


def test_what_cannot_be_cut_is_not_tried_for_ever() -> None:
    batch = stage.launched(frames=20)
    row = post(batch.batch_videos.get().video)
    Job.objects.filter(kind=prelabelling.CUT).update(status=JobStatus.QUARANTINED, queued_key=None, **ENDED)
    cut_what_was_left()
    assert not Job.objects.filter(kind=prelabelling.CUT, status=JobStatus.QUEUED).exists()
    assert told(batch, "Wanda")  # read as a whole
    want(prelabelling.CUT, row.pk)
    cast.work_off()
    assert PreLabelsPiece.objects.count() == 1


def test_what_is_decided_is_not_cut_any_more() -> None:
    batch = stage.launched()
    publishing.cancel(batch=batch, by=batch.project.owner)
    post(batch.batch_videos.get().video)
    cast.work_off()
    assert not PreLabelsPiece.objects.exists()


def test_where_some_frames_alone_are_drawn_on_what_is_shown_may_be_submitted_as_it_is() -> None:
    batch = stage.launched(frames=56, frame_step=5)
    boxes = [{"frame": 3, "points": [5, 5, 25, 45]}, {"frame": 52, "points": [54, 5, 74, 45]}]
    body = {"tracks": [{"id": "1", "label": "person", "keyframes": boxes}]}
    drawn = parse_tracks(body, ontology=None, start=0, stop=56)
    video = batch.batch_videos.get().video
    prelabelling.post_pre_labels(project=video.project, video=video, tracks=drawn, by=video.project.owner)
    wanda = cast.client("Wanda")
    for _ in range(3):
        seat = stage.claim(wanda, batch.project)
        assert seat["tracks"]
        for keyframe in seat["tracks"][0]["keyframes"]:
            assert keyframe["points"][0] == pytest.approx(min(54.0, max(5.0, 2.0 + keyframe["frame"])))
        answer = stage.submit(wanda, seat, seat["tracks"])
        assert answer.status_code == 200, answer.content
