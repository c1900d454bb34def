"""What somebody who qualifies is told: what is asked of them, how far they are, and pictures of what they drew."""

from __future__ import annotations

from typing import Any

from annotation.models import Project, User
from crowd.core.qualification import COMPONENTS, judge
from crowd.lifecycle import FILLED_SEATS, QualificationStatus, Seat
from crowd.models import Batch, Qualification, Trial
from crowd.qualifying import gold_for, trials_of
from crowd.seating import policy_of
from crowd.training import asking_batches

LATEST = 20


def states_of(worker: User) -> dict[str, dict[str, Any]]:
    """By project: those that ask the worker for a qualification now, and those in which they began one."""
    asking = {batch.project_id: batch for batch in asking_batches(worker=worker)}
    rows = Qualification.objects.filter(worker=worker).select_related("project")
    found = {row.project_id: row for row in rows}
    states = {project_id: _body(batch.project, found.get(project_id), batch) for project_id, batch in asking.items()}
    return states | {pk: _body(row.project, row, None) for pk, row in found.items() if pk not in asking}


def state_in(*, worker: User, project: Project) -> dict[str, Any] | None:
    """The worker's state in one project, None where it asks for nothing and nothing was begun."""
    return states_of(worker).get(project.pk)


def _body(project: Project, row: Qualification | None, batch: Batch | None) -> dict[str, Any]:
    asked = policy_of(batch).qualification if batch else None
    row = row or Qualification(project=project)
    return {
        "name": project.name,
        "status": row.status,
        "attempt": row.attempt,
        "attempts": asked.attempts if asked else None,
        "tasks": _tasks(row, [gold.pk for gold in gold_for(project_id=project.pk, asked=asked)] if asked else []),
        "marks": row.marks or (asked.marks_with(policy_of(batch).gold_floor) if asked and batch else {}),
        "scores": row.scores,
        "instructions": asked.instructions if asked else "",
        "retry_at": row.retry_at,
        "decided_at": row.decided_at,
        "reason": row.reason,
    }


def _tasks(row: Qualification, gold: list[str]) -> dict[str, int]:
    """Pieces of the current attempt: in hand, handed in and not graded, graded, and still to be claimed."""
    mine = trials_of(row) if row.pk else []
    held = sum(trial.assignment.status == Seat.HELD for trial in mine)
    graded = sum(trial.figures is not None for trial in mine)
    submitted = sum(trial.assignment.status in FILLED_SEATS and trial.figures is None for trial in mine)
    over = row.status in (QualificationStatus.PASSED, QualificationStatus.FAILED)
    left = 0 if over else len(set(gold) - {trial.gold_id for trial in mine})
    return {"total": len(gold), "held": held, "submitted": submitted, "graded": graded, "left": left}


def feedback_for(worker: User, *, project: Project | None = None) -> list[dict[str, Any]]:
    """The latest graded pieces, newest first, of projects that give feedback. Gold in the stream is never told of."""
    trials = Trial.objects.filter(qualification__worker=worker, figures__isnull=False)
    if project is not None:
        trials = trials.filter(qualification__project=project)
    trials = trials.select_related("assignment__batch", "assignment__task__segment__video", "qualification__project")
    told = (_told(trial) for trial in trials.order_by("-graded_at", "pk")[:LATEST])
    return [body for body in told if body is not None]


def _told(trial: Trial) -> dict[str, Any] | None:
    policy, seat = policy_of(trial.assignment.batch), trial.assignment
    if policy.qualification is None or not policy.qualification.feedback:
        return None
    verdict = judge([trial.figures or {}], policy.qualification.marks_with(policy.gold_floor))
    video = seat.task.segment.video
    return {
        "assignment": seat.pk,
        "project": trial.qualification.project_id,
        "name": trial.qualification.project.name,
        "attempt": trial.attempt,
        "scores": verdict.scores,
        "missed": list(verdict.missed),
        "width": video.width,
        "height": video.height,
        "frames": [
            frame | {"url": f"/api/v1/assignments/{seat.pk}/frames/{frame['frame']}/?as=jpeg"} for frame in trial.frames
        ],
        "graded_at": trial.graded_at,
    }


def row_body(row: Qualification) -> dict[str, Any]:
    """As a manager sees it."""
    names = ("status", "attempt", "scores", "marks", "retry_at", "decided_at", "reason")
    told = {name: getattr(row, name) for name in names}
    return {"user": row.worker.username} | told | {"by": row.by.username if row.by else None}


def drawable(piece: dict[str, Any]) -> dict[str, Any]:
    """A piece of feedback in words, whose boxes are corners and sizes, as SVG wants them."""
    frames = []
    for frame in piece["frames"]:
        frames.append(frame | {name: [_rectangle(one) for one in frame[name]] for name in ("yours", "gold")})
    return piece | {"frames": frames, "missed": [COMPONENTS[name] for name in piece["missed"]]}


def _rectangle(one: dict[str, Any]) -> dict[str, Any]:
    x1, y1, x2, y2 = one["box"]
    return {"label": one["label"], "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}


def marks_of(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The marks of a state in words, with what was reached, a row each."""
    return [
        {"words": COMPONENTS[name], "mark": mark, "score": state["scores"].get(name)}
        for name, mark in state["marks"].items()
    ]
