"""How far a project's workers agree with each other, over a sample of its latest tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.db.models import Count, F, Q
from django.db.models.functions import Now

from annotation import recording
from annotation.core.likeness import inside, things, together
from annotation.core.matching import track_soft_f
from annotation.core.piling import without_heaps
from annotation.core.tracks import Dense, Interval, fill
from crowd import ghosting
from crowd.lifecycle import BatchStatus, Seat
from crowd.models import Assignment, Task
from review.core.agreement import alpha_by, without_empty
from review.models import Agreement

TASKS = 40
PAIRS = 1000
GIVEN = (Seat.SUBMITTED, Seat.ACCEPTED)


def measure(*, project_id: str) -> Agreement:
    """Krippendorff's alpha over 1 − the soft F of tracks and intervals (see `likeness`); tasks on which all agree that
    there is nothing would flatter it."""
    answers, units = _answers(project_id)
    kept = without_empty(units, [not (answer.dense.present.any() or answer.said) for answer in answers])
    answers = [a for a, keep in zip(answers, kept, strict=True) if keep]
    units = [u for u, keep in zip(units, kept, strict=True) if keep]
    found = alpha_by(answers, units, _distance, most_pairs=PAIRS)
    row, _ = Agreement.objects.update_or_create(
        project_id=project_id,
        defaults={
            "alpha": found.value,
            "low": found.low,
            "high": found.high,
            "units": len(set(units)),
            "measured_at": Now(),
        },
    )
    return row


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One submission, moved to frame 0."""

    dense: Dense
    said: Sequence[Interval]


def _answers(project_id: str) -> tuple[list[Answer], list[str]]:
    """Submissions of the latest tasks that have two or more, moved to frame 0: chance compares them across tasks."""
    given = Count("assignments", filter=Q(assignments__extra=False, assignments__status__in=GIVEN))
    tasks = Task.objects.filter(project_id=project_id).exclude(batch__status=BatchStatus.CANCELLED)
    tasks = tasks.annotate(given=given).filter(given__gte=2)
    # What is not decided yet has no end, and comes after what is; databases differ in where they put it.
    newest = (F(name).desc(nulls_last=True) for name in ("done_at", "opened_at"))
    latest = list(tasks.order_by(*newest, "pk").values_list("pk", flat=True)[:TASKS])
    seats = Assignment.objects.filter(task__in=latest, extra=False, status__in=GIVEN).select_related(
        "track_set", "task__segment", "task__batch"
    )
    answers, units = [], []
    for _, of_task in groupby(seats.order_by("task_id", "pk"), key=lambda seat: seat.task_id):
        given_here = [seat for seat in of_task if seat.track_set is not None]
        if not given_here:
            continue
        task = given_here[0].task
        start, stop = ghosting.unseen(task=task, seats=given_here)
        for seat in given_here:
            given = recording.load(seat.track_set)
            dense = without_heaps(fill(given.tracks, start, stop))
            said = inside(given.intervals, start, stop)
            moved = [replace(i, start=i.start - start, stop=i.stop - start) for i in said]
            answers.append(Answer(replace(dense, start=0), moved))
            units.append(task.pk)
    return answers, units


def _distance(a: Answer, b: Answer) -> float:
    n = min(a.dense.present.shape[1], b.dense.present.shape[1])
    left, right = _first(a.dense, n), _first(b.dense, n)
    said = (inside(answer.said, 0, n) for answer in (a, b))
    return 1 - together(float(track_soft_f(left, right)), things(left, right), *said)


def _first(dense: Dense, n: int) -> Dense:
    """The first n frames; segments differ by one frame in length."""
    return replace(dense, boxes=dense.boxes[:, :n], present=dense.present[:, :n], occluded=dense.occluded[:, :n])
