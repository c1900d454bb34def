"""Skills of a project's workers, learnt from gold where there is some and from each other everywhere else.

What is suspected to be a copy says nothing of who made it, and confirms nobody: it is left out.
"""

from __future__ import annotations

from annotation import recording
from annotation.core.clipping import clip_to
from crowd import ghosting, scoring
from crowd.lifecycle import Seat
from crowd.models import Assignment, Gold, Task
from crowd.suspecting import latest_tasks
from review.core.learning import Answers, learn
from review.voicing import listen

# Quality is steady, so the latest work says enough; extra seats are answers to gold like any other.
TASKS = 120
GIVEN = (Seat.SUBMITTED, Seat.ACCEPTED, Seat.REJECTED)


def learn_skills(*, project_id: str) -> None:
    """Estimate everybody's skill anew from the latest tasks, and keep it for the next consensus."""
    latest = latest_tasks(project_id=project_id, given=GIVEN, most=TASKS)
    answers, copyists = [], set()
    for task in latest:
        seats, echoes = _heard(task)
        answers.append(_answers(task, seats))
        copyists |= {seat.worker_id for seat in echoes}
    if answers:
        skills = learn(answers).skills
        scoring.keep_skills(project_id=project_id, skills=skills)
        scoring.forget_skills(project_id=project_id, workers=copyists - skills.keys())


def _judges(gold: Gold, task: Task) -> bool:
    """Whether gold says what is right: not where it is in doubt, and not of those whose own consensus it was."""
    return gold.retired_at is None and gold.flagged_at is None and gold.from_task_id != task.pk


def _heard(task: Task) -> tuple[list[Assignment], list[Assignment]]:
    """A task's submissions, and those of them that are suspected to be copies of others."""
    given = Assignment.objects.filter(task=task, status__in=GIVEN, track_set__isnull=False)
    seats = list(given.select_related("track_set").order_by("pk"))
    echoes = listen(task=task, seats=seats).echoes
    return [seat for seat in seats if seat.pk not in echoes], [seat for seat in seats if seat.pk in echoes]


def _answers(task: Task, seats: list[Assignment]) -> Answers:
    start, stop = ghosting.unseen(task=task, seats=seats)
    gold = clip_to(recording.load(task.gold.track_set), start, stop) if task.gold and _judges(task.gold, task) else None
    drawn = tuple(recording.load(seat.track_set) for seat in seats if seat.track_set)
    return Answers(start, stop, tuple(str(seat.worker_id) for seat in seats), drawn, gold)
