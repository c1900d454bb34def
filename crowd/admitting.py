"""Who may take work where: what a policy asks of a worker beside being let into the project.

What is known of a worker is read with the batches that have work (`COLUMNS`), in one statement; caps are
counted from the worker's own seats, and only where a policy has any. Every refusal is a sentence for the worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from annotation.core.languages import speaks
from annotation.models import Project, User
from crowd.core.policies import Policy
from crowd.lifecycle import QualificationStatus
from crowd.models import Assignment, Qualification, SamePerson, Skill

DAY = timedelta(days=1)
#: For a statement in which `p` is the project and `%(worker)s` the worker.
COLUMNS = """(SELECT q.status FROM crowd_qualification q WHERE q.project_id = p.id AND q.worker_id = %(worker)s),
    (SELECT k.low FROM crowd_skill k WHERE k.project_id = p.id AND k.worker_id = %(worker)s),
    (SELECT o.id FROM crowd_sameperson o WHERE o.project_id = p.id AND o.lifted_at IS NULL
        AND (o.one_id = %(worker)s OR o.other_id = %(worker)s) LIMIT 1) IS NOT NULL"""


#: The lower quantile of somebody of whom nothing is known yet: `estimate([]).low`.
UNKNOWN_SKILL = 0.7022


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a worker in a project: how the qualification stands, skill's lower quantile, other accounts."""

    qualification: str | None = None
    skill_low: float | None = None
    has_others: bool = False


def known_of(*, worker: User, project_id: str) -> Known:
    """What the statement with `COLUMNS` reads, for one project."""
    mine = {"worker": worker, "project": project_id}
    told = SamePerson.objects.filter(Q(one=worker) | Q(other=worker), project=project_id, lifted_at=None)
    return Known(
        Qualification.objects.filter(**mine).values_list("status", flat=True).first(),
        Skill.objects.filter(**mine).values_list("low", flat=True).first(),
        told.exists(),
    )


def refusal(*, worker: User, project_id: str, policy: Policy, known: Known) -> str | None:
    """Why the worker may not take work under this policy, or None. The qualification is looked at last."""
    if not speaks(worker.languages, policy.languages):
        return (
            f"This project asks for one of these languages: {', '.join(policy.languages)}. Yours are "
            f"{', '.join(worker.languages) or 'not known'}; you can set them in your profile."
        )
    skill = UNKNOWN_SKILL if known.skill_low is None else known.skill_low
    if skill < policy.min_skill:
        return f"This project asks for a skill of {policy.min_skill:.2f}; yours is {skill:.2f} so far."
    if capped := _cap(worker, project_id, policy):
        return capped
    if policy.qualification is not None and known.qualification != QualificationStatus.PASSED:
        return "You are not qualified for this project yet."
    return None


def _cap(worker: User, project_id: str, policy: Policy) -> str | None:
    """Caps count claims: what was given back, or ran out, was taken all the same."""
    if policy.max_tasks_per_worker is None and policy.max_tasks_per_day is None:
        return None
    mine = Assignment.objects.filter(worker=worker, project=project_id, trial__isnull=True)
    most = policy.max_tasks_per_worker
    if most is not None and mine.count() >= most:
        return f"You have taken {most} tasks in this project, as many as anybody may."
    daily = policy.max_tasks_per_day
    if daily is not None and mine.filter(claimed_at__gt=Now() - DAY).count() >= daily:
        return f"You have taken {daily} tasks in this project within a day, as many as anybody may."
    return None


def other_accounts(*, worker: User, project: Project | str, lock: bool = True) -> list[str]:
    """Users known to be the same person, directly or over others, without `worker`.

    Locks what was told of them: when two accounts claim at once, the second sees where the first sat down.
    """
    project_id = project if isinstance(project, str) else project.pk
    told = SamePerson.objects.filter(project=project_id, lifted_at=None).order_by("pk")
    told = told.select_for_update(no_key=True) if lock else told
    pairs = list(told.values_list("one_id", "other_id"))
    found, edge = {worker.pk}, {worker.pk}
    while edge:
        edge = {b for pair in pairs for a, b in (pair, pair[::-1]) if a in edge} - found
        found |= edge
    return sorted(found - {worker.pk})
