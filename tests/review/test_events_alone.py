"""Projects in which nobody draws a box: who marks events right is scored, accepted and agreed with like everybody."""

from __future__ import annotations

from typing import Any

import pytest

from annotation import recording
from crowd.core.skill import Skill as Known
from crowd.models import Assignment, Batch, Score, Skill
from review import learning, measuring
from review.lifecycle import ConsensusStatus
from review.models import Build
from tests import cast
from tests.crowd import stage
from tests.review.stage import API, only_consensus

pytestmark = pytest.mark.django_db(transaction=True)
LABELS = [{"name": "crossing", "shape": "interval"}]


def began(gold: bool = False) -> Batch:
    """One segment of 20 frames, for two workers and a third one where they are not enough."""
    project = cast.project(labels=LABELS)
    rules = stage.ruled(project, adaptive=True, redundancy=3, max_redundancy=3)
    video = cast.video(project, 20)
    if gold:
        body = {"video": video.pk, "start": 0, "stop": 20, "tracks": [], "intervals": at((5, 15))}
        assert cast.client("Alice").post(f"{API}/projects/{project.pk}/gold/", body).status_code == 201
    return stage.launch(project, video, rules)


def at(*spans: tuple[int, int]) -> list[dict[str, Any]]:
    return [{"label": "crossing", "start": start, "stop": stop} for start, stop in spans]


def mark(batch: Batch, **said: Any) -> None:
    """Everybody submits the events that they saw, then the jobs are done."""
    for name, intervals in said.items():
        worker = cast.client(name)
        seat = stage.claim(worker, batch.project)
        body = {"token": seat["token"], "tracks": [], "intervals": intervals}
        assert worker.post(f"{API}/assignments/{seat['id']}/submit/", body).status_code == 200
    cast.work_off()


def statuses(batch: Batch) -> dict[str, str]:
    return dict(Assignment.objects.filter(batch=batch, worker__isnull=False).values_list("worker__username", "status"))


def test_two_who_mark_the_same_are_enough() -> None:
    batch = began()
    mark(batch, Wanda=at((5, 15)), Will=at((5, 14)))
    assert only_consensus(batch).status == ConsensusStatus.ACCEPTED
    assert statuses(batch) == {"Wanda": "accepted", "Will": "accepted"}


def test_one_more_is_asked_where_one_sees_it_and_one_does_not() -> None:
    batch = began()
    mark(batch, Wanda=at((5, 15)), Will=[])
    assert Build.objects.get(consensus__batch=batch).wanted == "agreement"
    mark(batch, Walt=at((5, 15)))
    consensus = only_consensus(batch)
    assert (consensus.status, consensus.agreement) == (ConsensusStatus.PENDING, pytest.approx(2 / 3))
    assert cast.client("Rita").post(f"{API}/consensus/{consensus.pk}/accept/", {}).status_code == 200
    cast.work_off()
    assert statuses(batch) == {"Wanda": "accepted", "Will": "submitted", "Walt": "accepted"}


def test_one_more_is_asked_for_one_of_many_events_that_one_of_two_sees() -> None:
    batch = began()
    clear = [(0, 2), (3, 5), (6, 8), (9, 11), (12, 14)]
    mark(batch, Wanda=at(*clear, (16, 19)), Will=at(*clear))
    assert (only_consensus(batch).agreement, Build.objects.get(consensus__batch=batch).wanted) == (
        pytest.approx((1 + 10 / 11) / 2),
        "gain",
    )
    mark(batch, Walt=at(*clear, (16, 19)))
    consensus = only_consensus(batch)
    assert consensus.status == ConsensusStatus.ACCEPTED
    assert len(recording.load(consensus.track_set).intervals) == 6


def test_agreement_beyond_chance_is_of_events_where_nothing_is_drawn() -> None:
    batch = began()
    mark(batch, Wanda=at((5, 15)), Will=at((5, 15)))
    assert measuring.measure(project_id=batch.project_id).units == 1


def test_gold_of_events_tells_who_sees_them() -> None:
    batch = began(gold=True)
    mark(batch, Wanda=at((5, 15)), Will=[])
    scores = dict(Score.objects.values_list("assignment__worker__username", "value"))
    assert scores == {"Wanda": 1.0, "Will": 0.0}


def test_who_marks_the_whole_clip_of_ten_segments_hardly_has_a_say() -> None:
    project = cast.project(labels=LABELS)
    batch = stage.launched(182, project=project, segment_frames=20, overlap_frames=2, redundancy=3)
    for name in ("Wanda", "Will", "Walt"):
        worker = cast.client(name)
        while (answer := stage.try_claim(worker, batch.project)).status_code == 201:
            seat = answer.json()
            start, stop = seat["segment"]["start"], seat["segment"]["stop"]
            said = at((start, stop) if name == "Walt" else (start + 6, start + 11))
            body = {"token": seat["token"], "tracks": [], "intervals": said}
            assert worker.post(f"{API}/assignments/{seat['id']}/submit/", body).status_code == 200
    learning.learn_skills(project_id=project.pk)
    found = {row.worker.username: Known.from_json(row.figures) for row in Skill.objects.select_related("worker")}
    assert found["Walt"].mean < 0.6 and min(found["Wanda"].mean, found["Will"].mean) > 0.82
    assert found["Walt"].weight < min(found["Wanda"].weight, found["Will"].weight) / 5
