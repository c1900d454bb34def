"""Figures of a project: what they count, and the number that says that they changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from annotation.models import Job, Project
from crowd.importing import withdraw_done_batch
from crowd.models import Task
from review import measuring, renewing, watching
from review.models import Build, Consensus
from tests import cast
from tests.crowd import stage as crowd
from tests.review.rows import accepted
from tests.review.stage import API, by_all, decide, tracks, work

pytestmark = pytest.mark.django_db


def test_what_a_cancelled_batch_decided_is_counted_nowhere() -> None:
    project = cast.project()
    rules = crowd.ruled(project, max_redundancy=5)
    by_all(crowd.launch(project, cast.video(project, 20), rules), Wanda=tracks, Will=tracks)
    measuring.measure(project_id=project.pk)
    before = decided(project)
    assert before["redundancy"] == {"mean": 2.0, "saved": 3, "why": {}, "withheld": {}}
    assert (before["accepted_segments_per_hour"], before["segments"]["accepted"]) == (1, 1)
    batch = crowd.launch(project, cast.video(project, 38), rules)
    work(batch, "Wanda", lambda a, b: tracks(a, b, shift=3.0))
    will = cast.client("Will")
    assert crowd.submit(will, crowd.claim(will, project)).status_code == 200
    cast.work_off()
    assert Task.objects.filter(batch=batch, status="done").count() == 1
    assert cast.client("Mona").post(f"{API}/batches/{batch.pk}/cancel/").status_code == 200
    measuring.measure(project_id=project.pk)
    assert decided(project) == before


def test_what_was_imported_is_no_pace() -> None:
    told = watching.progress(accepted(2)[0].video.project)
    assert (told["segments"]["accepted"], told["accepted_segments_per_hour"]) == (2, 0)


def decided(project: Project) -> dict[str, Any]:
    """What the figures say of what was decided."""
    told = watching.progress(project)
    return {name: told[name] for name in ("segments", "accepted_segments_per_hour", "agreement", "redundancy")}


def waiting(segments: int = 2) -> list[Consensus]:
    """Segments on which Wanda and Will drew different things, with all jobs done."""
    batch = crowd.launched(frames=18 * segments + 2, max_redundancy=2)
    by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    Job.objects.filter(status="queued").update(not_before=Now())
    cast.work_off()
    return list(Consensus.objects.filter(batch=batch).select_related("task__project").order_by("segment__index"))


def test_a_verdict_that_pays_nobody_moves_the_number() -> None:
    for row in waiting():
        before = watching.seq(row.task.project)
        elsewhere = [
            {"id": "1", "label": "person", "keyframes": [{"frame": row.segment.start, "points": [80, 1, 90, 9]}]}
        ]
        assert decide("Rita", row, "amend", {"tracks": elsewhere}).status_code == 200
        assert not row.task.assignments.filter(status="accepted").exists()
        assert watching.seq(row.task.project) > before


def test_a_rejection_moves_the_number() -> None:
    (row,) = waiting(1)
    before = watching.seq(row.task.project)
    assert decide("Rita", row, "reject", {"reason": "Who is who?"}).status_code == 200
    assert watching.seq(row.task.project) > before


def test_agreement_measured_anew_moves_the_number() -> None:
    (row,) = waiting(1)
    for _ in range(2):
        before = watching.seq(row.task.project)
        measuring.measure(project_id=row.task.project_id)
        assert watching.seq(row.task.project) > before


def test_a_consensus_made_anew_moves_the_number() -> None:
    (row,) = waiting(1)
    Build.objects.update(method="evidence-clustering 1")
    renewing.mark_stale(pk=row.task_id)
    before = watching.seq(row.task.project)
    renewing.renew(task_id=row.task_id)
    assert watching.seq(row.task.project) > before


def test_an_import_that_is_undone_moves_the_number() -> None:
    rows = accepted(2)
    project = rows[0].video.project
    before = watching.seq(project), watching.progress(project)["segments"]["total"]
    withdraw_done_batch(batch=rows[0].batch)
    assert watching.progress(project)["segments"]["total"] == 0 != before[1]
    assert watching.seq(project) > before[0]


def test_agreement_is_measured_on_what_was_decided_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "TASKS", 1)
    _, decided = waiting()
    body = {"tracks": tracks(decided.segment.start, decided.segment.stop)}
    assert decide("Rita", decided, "amend", body).status_code == 200
    read = []
    real = measuring.recording.load
    monkeypatch.setattr(measuring.recording, "load", lambda kept: read.append(kept.pk) or real(kept))
    measuring.measure(project_id=decided.task.project_id)
    assert set(read) == set(decided.task.assignments.values_list("track_set_id", flat=True))
