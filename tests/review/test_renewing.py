"""A consensus whose inputs changed: stale, made anew, and never destroyed; what was decided stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from annotation.lifecycle import JobStatus
from annotation.models import Job
from annotation.queue import MAX_ATTEMPTS, run
from crowd import scoring
from crowd.core.skill import Skill
from crowd.models import Assignment, LedgerEntry
from review import renewing
from review.jobs import judge_what_was_left
from review.lifecycle import ConsensusStatus
from review.models import Build, Consensus
from tests import cast
from tests.crowd.stage import claim, lapse, launched, submit, tracks
from tests.review.stage import API, by_all, decide, disputed, only_consensus

pytestmark = pytest.mark.django_db(transaction=True)


def know(consensus: Consensus, **weights: float) -> None:
    """Let workers be known by what their votes weigh."""
    skills = {cast.user(name).pk: Skill(0.8, 0.7, 0.9, w, 0.8, 0.1, 0.05) for name, w in weights.items()}
    scoring.keep_skills(project_id=consensus.task.project_id, skills=skills)


def test_a_skill_that_changed_makes_it_stale_and_it_is_made_anew() -> None:
    consensus = disputed()
    before = Build.objects.get(consensus=consensus, version=consensus.version)
    know(consensus, Wanda=2.0, Will=0.0)
    assert renewing.mark_stale(project_id=consensus.task.project_id) == 1
    consensus.refresh_from_db()
    assert consensus.status == ConsensusStatus.STALE
    renewing.renew(task_id=consensus.task_id)
    renewing.renew(task_id=consensus.task_id)
    consensus.refresh_from_db()
    assert (consensus.status, consensus.version) == (ConsensusStatus.PENDING, before.version + 1)
    # The earlier one is still there to be compared with, and names what it was made of.
    body = cast.client("Mona").get(f"{API}/consensus/{consensus.pk}/").json()
    assert [b["version"] for b in body["builds"]][-2:] == [before.version, before.version + 1]
    kept = Build.objects.get(pk=before.pk)
    assert (kept.inputs, kept.track_set_id, kept.method) == (before.inputs, before.track_set_id, before.method)


def test_an_earlier_build_is_read_with_its_inputs_and_how_like_it_is_to_what_stands_now() -> None:
    consensus = disputed()
    path = f"{API}/consensus/{consensus.pk}/builds"
    before = cast.client("Rita").get(f"{path}/1/").json()
    assert (before["likeness"], [i["weight"] for i in before["inputs"]]) == (1.0, [1.0, 1.0])
    know(consensus, Wanda=2.0, Will=0.0)
    renewing.mark_stale(project_id=consensus.task.project_id)
    renewing.renew(task_id=consensus.task_id)
    first, second = (cast.client("Rita").get(f"{path}/{version}/").json() for version in (1, 2))
    assert {i["weight"] for i in second["inputs"]} == {2.0, 0.0}
    # Together they had nothing; she alone has what she drew.
    assert (first["tracks"], len(second["tracks"])) == ([], 1)
    assert (first["likeness"], second["likeness"]) == (0.0, 1.0)
    assert {cast.client("Rita").get(f"{path}/{version}/").status_code for version in (0, 3, 10**30)} == {404}


def test_what_another_version_of_the_method_made_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    consensus = disputed()
    Build.objects.filter(consensus=consensus).update(method="evidence-clustering 1")
    assert renewing.mark_stale(pk=consensus.task_id) == 1
    renewing.renew(task_id=consensus.task_id)
    assert renewing.mark_stale(pk=consensus.task_id) == 0


def test_however_many_wait_all_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "AT_ONCE", 1)
    batch = launched(frames=60, max_redundancy=2)
    by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    rows = list(Consensus.objects.filter(batch=batch, status=ConsensusStatus.PENDING).select_related("task"))
    assert len(rows) > 2
    know(rows[0], Wanda=2.0, Will=0.0)
    assert renewing.mark_stale(project_id=rows[0].task.project_id) == len(rows)


def test_one_that_cannot_be_made_anew_waits_for_a_person_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    consensus = disputed()
    know(consensus, Wanda=2.0, Will=0.0)
    renewing.mark_stale(project_id=consensus.task.project_id)
    monkeypatch.setattr(renewing, "renew", lambda task_id: 1 / 0)
    for _ in range(MAX_ATTEMPTS):
        Job.objects.filter(kind="renew_consensus", status=JobStatus.QUEUED).update(not_before=Now())
        cast.work_off()
    consensus.refresh_from_db()
    assert consensus.status == ConsensusStatus.PENDING
    judge_what_was_left()
    assert not Job.objects.filter(kind="renew_consensus", status=JobStatus.QUEUED).exists()


def test_a_submission_that_was_taken_back_makes_it_stale() -> None:
    consensus = disputed()
    seat = Assignment.objects.filter(task=consensus.task).first()
    Assignment.objects.filter(pk=seat.pk).update(
        status="rejected", reason="not his own", decided_at="2026-01-01T00:00Z"
    )
    assert renewing.mark_stale(pk=consensus.task_id) == 1
    renewing.renew(task_id=consensus.task_id)
    consensus.refresh_from_db()
    build = Build.objects.get(consensus=consensus, version=consensus.version)
    assert consensus.status == ConsensusStatus.PENDING
    assert seat.pk not in build.inputs


def test_skills_that_change_while_it_is_made_anew_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    consensus = disputed()
    know(consensus, Wanda=2.0, Will=0.0)
    assert renewing.mark_stale(pk=consensus.task_id) == 1
    real = renewing.consent

    def slow(*args: Any) -> Any:
        found = real(*args)
        know(consensus, Wanda=0.0, Will=2.0)
        assert renewing.mark_stale(pk=consensus.task_id) == 0
        monkeypatch.setattr(renewing, "consent", real)
        return found

    monkeypatch.setattr(renewing, "consent", slow)
    cast.work_off()
    consensus.refresh_from_db()
    weights = Build.objects.get(consensus=consensus, version=consensus.version).weights
    will = consensus.task.assignments.get(worker__username="Will")
    assert (consensus.status, weights[will.pk]) == (ConsensusStatus.PENDING, 2.0)


def test_where_all_was_taken_back_before_it_was_made_anew_it_waits_as_it_is() -> None:
    consensus = disputed()
    one, other = consensus.task.assignments.order_by("pk")
    mona = cast.client("Mona")
    assert mona.post(f"{API}/submissions/{one.pk}/reject/", {"reason": "not his own"}).status_code == 200
    assert run(f"reconcile:{consensus.task_id}")
    assert mona.post(f"{API}/submissions/{other.pk}/reject/", {"reason": "not her own"}).status_code == 200
    cast.work_off()
    consensus.refresh_from_db()
    assert (consensus.status, consensus.version) == (ConsensusStatus.PENDING, 1)
    judge_what_was_left()
    assert not Job.objects.filter(kind="renew_consensus", status=JobStatus.QUEUED).exists()


def test_what_did_not_change_or_was_decided_stays() -> None:
    consensus = disputed()
    know(consensus, Wanda=1.5, Will=1.5)
    assert renewing.mark_stale(project_id=consensus.task.project_id) == 0
    assert decide("Rita", consensus, "accept").status_code == 200
    know(consensus, Wanda=2.0, Will=0.0)
    assert renewing.mark_stale(project_id=consensus.task.project_id) == 0
    renewing.renew(task_id=consensus.task_id)
    consensus.refresh_from_db()
    assert consensus.status == ConsensusStatus.ACCEPTED


def test_a_manager_sees_why_one_more_worker_was_wanted_and_how_hard_it_is() -> None:
    consensus = disputed()
    body = cast.client("Mona").get(f"{API}/consensus/{consensus.pk}/").json()
    assert body["builds"][0]["wanted"] == "agreement"
    assert body["builds"][0]["gain"] > 0
    assert 0.2 < body["difficulty"] <= 1
    progress = cast.client("Mona").get(f"{API}/projects/{consensus.task.project_id}/progress/").json()
    assert progress["redundancy"]["why"]["agreement"] >= 1


def test_what_all_call_empty_is_asked_of_more_until_somebody_passed_gold() -> None:
    batch = launched(frames=20, redundancy=2, max_redundancy=3, adaptive=True)

    def nothing(start: int, stop: int) -> list:
        return []

    by_all(batch, Wanda=nothing, Will=nothing)
    assert Build.objects.get(consensus__batch=batch).wanted == "empty"
    by_all(batch, Wim=nothing)
    assert only_consensus(batch).status == ConsensusStatus.ACCEPTED


def test_a_fixed_policy_believes_what_all_agree_on() -> None:
    batch = launched(frames=20, redundancy=2, max_redundancy=3, adaptive=False)
    by_all(batch, Wanda=tracks, Will=tracks)
    assert only_consensus(batch).status == ConsensusStatus.ACCEPTED


def test_a_reviewer_may_decide_what_is_stale() -> None:
    consensus = disputed()
    know(consensus, Wanda=2.0, Will=0.0)
    assert renewing.mark_stale(project_id=consensus.task.project_id) == 1
    assert decide("Rita", consensus, "accept").status_code == 200
    renewing.renew(task_id=consensus.task_id)
    consensus.refresh_from_db()
    assert consensus.status == ConsensusStatus.ACCEPTED


def test_what_is_salvaged_just_before_a_verdict_is_settled_by_it() -> None:
    batch = launched(frames=20, max_redundancy=2, reward_micros=300)
    wanda = cast.client("Wanda")
    seat = claim(wanda, batch.project)
    lapse(seat)
    assert submit(wanda, seat).status_code == 410
    by_all(batch, Will=tracks, Walt=lambda a, b: tracks(a, b, shift=6.0))
    consensus = only_consensus(batch)
    assert consensus.status == ConsensusStatus.PENDING
    reason = {"reason": "she was offline"}
    assert cast.client("Mona").post(f"{API}/submissions/{seat['id']}/salvage/", reason).status_code == 200
    assert run(f"reconcile:{consensus.task_id}")
    consensus.refresh_from_db()
    assert consensus.status == ConsensusStatus.STALE
    assert decide("Rita", consensus, "accept").status_code == 200  # before it was made anew
    cast.work_off()
    assert set(Assignment.objects.exclude(status="expired").values_list("status", flat=True)) == {"accepted"}
    assert Assignment.objects.filter(pk=seat["id"], status="accepted").exists()
    assert LedgerEntry.objects.count() == 3


@pytest.mark.parametrize("verb", ["accept", "amend", "reject"])
def test_a_verdict_makes_the_neighbours_that_wait_anew(verb: str) -> None:
    batch = launched(frames=38, max_redundancy=2)
    by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    Job.objects.filter(status=JobStatus.QUEUED).update(not_before=Now())
    cast.work_off()
    decided, beside = Consensus.objects.filter(batch=batch).select_related("segment").order_by("segment__index")
    assert renewing.mark_stale(project_id=batch.project_id) == 0
    body = {"amend": {"tracks": tracks(0, decided.segment.stop)}, "reject": {"reason": "Who is who?"}}.get(verb, {})
    assert decide("Rita", decided, verb, body).status_code == 200
    cast.work_off()
    before = beside.version
    beside.refresh_from_db()
    assert (beside.status, beside.version) == (ConsensusStatus.PENDING, before + 1)
    decided.task.refresh_from_db()
    heard = [] if verb == "reject" else [decided.task.outcome_id]
    assert Build.objects.get(consensus=beside, version=beside.version).beside == heard
    assert renewing.mark_stale(project_id=batch.project_id) == 0


def test_a_neighbour_that_comes_makes_what_waits_anew_at_once() -> None:
    batch = launched(frames=38, max_redundancy=2, max_held=2)
    apart = {"Wanda": 0.0, "Will": 25.0}
    seats = {name: [claim(cast.client(name), batch.project) for _ in range(2)] for name in apart}
    for start in (0, 18):
        for name, shift in apart.items():
            (seat,) = (s for s in seats[name] if s["segment"]["start"] == start)
            drawn = tracks(start, seat["segment"]["stop"], shift=shift)
            assert submit(cast.client(name), seat, drawn).status_code == 200
        cast.work_off()
    first, second = Consensus.objects.filter(batch=batch).order_by("segment__index")
    assert set(Build.objects.get(consensus=first, version=first.version).beside) == set(
        Build.objects.get(consensus=second, version=second.version).inputs
    )
    assert renewing.mark_stale(project_id=batch.project_id) == 0
