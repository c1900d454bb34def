"""How far workers have come with a project's qualification: begun, judged, waited for, granted, asked for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.core.tracks import Tracks
from annotation.models import Project, User
from crowd.core.feedback import telling_frames
from crowd.core.policies import Policy
from crowd.core.qualification import Qualification as Asked
from crowd.core.qualification import judge
from crowd.lifecycle import ENDED_SEATS, QUALIFICATION_MOVES, QualificationStatus
from crowd.models import Assignment, Gold, Qualification, Trial
from crowd.paying import accept
from crowd.seating import policy_of

S = QualificationStatus


def begin(*, worker: User, project: Project) -> Qualification:
    """The worker's state in a project; who waited long enough starts the next attempt."""
    row, _ = Qualification.objects.get_or_create(project=project, worker=worker)
    due = Qualification.objects.filter(pk=row.pk, status=S.WAITING, retry_at__lte=Now())
    if due.update(status=S.TRAINING, attempt=F("attempt") + 1, retry_at=None):
        row.refresh_from_db()
    return row


def gold_for(*, project_id: str, asked: Asked) -> list[Gold]:
    """The gold that a qualification is about: what was named, or the oldest; none that is retired or in doubt."""
    usable = Gold.objects.filter(project=project_id, retired_at=None, flagged_at=None).order_by("created_at", "pk")
    if isinstance(asked.gold, int):
        return list(usable[: asked.gold])
    found = {gold.pk: gold for gold in usable.filter(pk__in=asked.gold)}
    return [found[pk] for pk in asked.gold if pk in found]


def trials_of(row: Qualification) -> list[Trial]:
    """What the worker has in hand or handed in of the current attempt; what they gave back does not count."""
    trials = Trial.objects.filter(qualification=row, attempt=row.attempt)
    return list(trials.exclude(assignment__status__in=ENDED_SEATS).select_related("assignment"))


def explain(*, worker: User, project_id: str, asked: Asked) -> str | None:
    """Why there is no training for somebody who is not qualified; None where there is, or soon will be."""
    if not gold_for(project_id=project_id, asked=asked):
        return "This project asks for a qualification, and its manager has not posted the gold for it yet."
    row = Qualification.objects.filter(project=project_id, worker=worker).first()
    if row is None or row.status not in (S.WAITING, S.FAILED):
        return None
    short = [name for name, mark in row.marks.items() if (row.scores.get(name) or 0.0) < mark]
    missed = ", ".join(
        f"{name} {row.scores[name]:.2f} of {row.marks[name]:.2f}" for name in short if row.scores.get(name)
    )
    told = f"You did not pass the qualification of this project{f' ({missed})' if missed else ''}."
    if row.status == S.FAILED or row.retry_at is None:
        return f"{told} That was your last attempt; the project's manager may let you try again."
    return f"{told} You may try again from {row.retry_at:%Y-%m-%d %H:%M} UTC on."


def grade(*, seat: Assignment, figures: dict[str, Any], drawn: Tracks, gold: Tracks) -> None:
    """Keep what one piece was worth, and judge the attempt once all of it is graded. Safe to run twice.

    The submission is accepted whatever it was worth: who is asked to train is not judged by what they did in training.
    """
    row = Qualification.objects.select_for_update(no_key=True).get(trials__assignment=seat)
    frames = telling_frames(drawn, gold)
    Trial.objects.filter(assignment=seat).update(figures=figures, frames=frames, graded_at=Now())
    conclude(row=row, policy=policy_of(seat.batch))
    accept(seat=seat)


def conclude(*, row: Qualification, policy: Policy) -> None:
    """Pass or fail the current attempt, if nothing of it is left to be graded."""
    asked = policy.qualification
    gold = [g.pk for g in gold_for(project_id=row.project_id, asked=asked)] if asked else []
    figures = {trial.gold_id: trial.figures for trial in trials_of(row) if trial.figures is not None}
    if asked is None or not gold or not set(gold) <= figures.keys():
        return
    marks = asked.marks_with(policy.gold_floor)
    verdict = judge([figures[pk] for pk in gold], marks)
    again = row.attempt < asked.attempts
    to = S.PASSED if verdict.passed else S.WAITING if again else S.FAILED
    retry_at = Now() + timedelta(seconds=asked.wait_s) if to == S.WAITING else None
    found = {"scores": verdict.scores, "marks": marks, "retry_at": retry_at, "by": None, "reason": ""}
    _move(row, to, where=Q(attempt=row.attempt, status=S.TRAINING), **found)


def qualify(*, project: Project, worker: User, by: User, reason: str) -> None:
    """Take a worker as qualified, by a manager's word."""
    row, _ = Qualification.objects.get_or_create(project=project, worker=worker)
    if row.status != S.PASSED:
        _move(row, S.PASSED, by=by, reason=reason, retry_at=None)


def retrain(*, project: Project, worker: User, by: User, reason: str) -> None:
    """Have a worker, passed or failed, try once more from now on, by a manager's word."""
    row, _ = Qualification.objects.get_or_create(project=project, worker=worker)
    if row.status != S.TRAINING:
        _move(row, S.TRAINING, by=by, reason=reason, retry_at=None, attempt=F("attempt") + 1)


def _move(row: Qualification, to: str, *, where: Q | None = None, **values: Any) -> bool:
    """One conditional UPDATE. False: somebody was first."""
    leaves = [status for status, targets in QUALIFICATION_MOVES.items() if to in targets]
    known = Qualification.objects.filter(where or Q(), pk=row.pk, status__in=leaves)
    return bool(known.update(status=to, decided_at=Now(), **values))
