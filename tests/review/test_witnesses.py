"""What goes on in a neighbouring segment's consensus has a witness more: jobs make what `evaluate` makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotation import recording
from annotation.core.tracks import Dense, fill
from crowd import scoring
from crowd.core.skill import Skill
from crowd.models import Assignment, Batch, Task
from review import reconciling, renewing
from review.core import cases
from review.core.evaluating import evaluate
from review.lifecycle import ConsensusStatus
from review.models import Build, Consensus
from tests import cast
from tests.crowd import stage
from tests.crowd.stage import launched, tracks

pytestmark = pytest.mark.django_db(transaction=True)
MIDDLE = (16, 36)


def two(start: int, stop: int) -> list[dict[str, Any]]:
    standing = {"id": "2", "label": "person", "keyframes": [{"frame": start, "points": [70.0, 20.0, 90.0, 60.0]}]}
    return [*tracks(start, stop), standing]


def careless(start: int, stop: int) -> list[dict[str, Any]]:
    """Overlooks who stands there in the middle segment."""
    return two(start, stop)[: 1 if (start, stop) == MIDDLE else 2]


def drawn(*, at_first: tuple[int, int] | None = None, tasks: int = 3, **policy: Any) -> Batch:
    """Three segments by two known workers; of those one may be submitted and judged before the others."""
    batch = launched(frames=52, overlap_frames=4, max_redundancy=2, max_held=3, agreement_floor=0.9, **policy)
    skills = {cast.user(name).pk: Skill(0.9, 0.8, 0.95, 2.0, 0.9, 0.05, 0.05, {}, tasks) for name in ("Wanda", "Will")}
    scoring.keep_skills(project_id=batch.project_id, skills=skills)
    seats = [
        (name, how, seat)
        for name, how in (("Wanda", two), ("Will", careless))
        for seat in [stage.claim(cast.client(name), batch.project) for _ in range(3)]
    ]
    for early in (True, False):
        for name, how, seat in seats:
            span = (seat["segment"]["start"], seat["segment"]["stop"])
            if (span == at_first) == early:
                assert stage.submit(cast.client(name), seat, how(*span)).status_code == 200
        _judge(batch)
    return batch


def _judge(batch: Batch) -> None:
    """The jobs of judging, and none that learns the skills anew."""
    for task in Task.objects.filter(batch=batch).order_by("segment__index"):
        reconciling.reconcile(task_id=task.pk)


def middle(batch: Batch) -> Consensus:
    return Consensus.objects.get(batch=batch, segment__start=MIDDLE[0])


def count(consensus: Consensus) -> int:
    return len(recording.load(consensus.track_set).tracks)


def test_what_one_of_two_drew_is_there_where_it_goes_on_in_the_neighbours() -> None:
    batch = drawn()
    assert count(middle(batch)) == 2
    others = Assignment.objects.filter(batch=batch).exclude(task__segment__start=MIDDLE[0])
    decided = {
        str(t) for t in Task.objects.filter(batch=batch, outcome__isnull=False).values_list("outcome", flat=True)
    }
    heard = set(Build.objects.get(consensus=middle(batch)).beside)
    assert heard
    assert heard <= decided | set(others.values_list("pk", flat=True))


def test_neighbours_that_were_shown_are_no_witnesses() -> None:
    batch = drawn(ghosts=True)
    assert count(middle(batch)) == 1
    assert Build.objects.get(consensus=middle(batch)).beside == []


def test_neighbours_that_come_later_make_it_anew_and_once() -> None:
    batch = drawn(at_first=MIDDLE)
    consensus = middle(batch)
    assert (count(consensus), consensus.status) == (1, ConsensusStatus.PENDING)
    assert renewing.mark_stale(project_id=batch.project_id) == 1
    renewing.renew(task_id=consensus.task_id)
    consensus.refresh_from_db()
    assert (count(consensus), consensus.status) == (2, ConsensusStatus.PENDING)
    assert renewing.mark_stale(project_id=batch.project_id) == 0


def test_a_lone_drawing_of_those_who_are_well_known_may_be_there() -> None:
    assert count(middle(drawn(at_first=MIDDLE, tasks=reconciling.KNOWN_BY))) == 2


def test_jobs_make_what_evaluate_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = drawn(tasks=reconciling.KNOWN_BY)
    given = Assignment.objects.filter(batch=batch).select_related("task__segment", "track_set").order_by("pk")
    names = {s.worker_id: str(s.worker_id) for s in given}
    parts: dict[tuple[int, int], list[cases.Drawn]] = {}
    for line, seat in enumerate(given):
        part = parts.setdefault((seat.task.segment.start, seat.task.segment.stop), [])
        part.append(cases.Drawn(line, names[seat.worker_id], recording.load(seat.track_set)))
    skills = scoring.skills_in(project=batch.project, workers=list(names))
    monkeypatch.setattr("review.core.evaluating.learn", lambda _: type("Known", (), {"skills": skills})())
    nothing = Dense(0, (), (), np.zeros((0, 52, 4)), np.zeros((0, 52), bool), np.zeros((0, 52), bool))
    case = cases.Case(
        "one", nothing, tuple(cases.Task(*span, tuple(some), None) for span, some in sorted(parts.items()))
    )
    ((result,), _) = evaluate([case])
    made = Consensus.objects.filter(batch=batch).order_by("segment__start")
    assert len(made) == len(result.consensuses) == 3
    for row, want in zip(made, result.consensuses, strict=True):
        ours, theirs = recording.load(row.track_set), want.tracks
        assert [t.confidence for t in ours.tracks] == pytest.approx([t.confidence for t in theirs.tracks])
        a, b = (fill(t.tracks, t.start, t.stop) for t in (ours, theirs))
        np.testing.assert_allclose(a.boxes, b.boxes, atol=0.01)
