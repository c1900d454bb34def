"""Open tasks for which nobody is left: everybody who may work in the project sat at them already, or may not claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from annotation.access import READING
from annotation.core.languages import speaks
from annotation.lifecycle import Role
from annotation.models import Member, Project, User
from crowd.admitting import DAY, UNKNOWN_SKILL
from crowd.core.policies import Policy
from crowd.lifecycle import QualificationStatus, Seat, Standing, TaskStatus
from crowd.models import Assignment, Batch, Qualification, SamePerson, Sanction, Skill, Task
from crowd.seating import LIVE_BATCHES, policy_of

# With more eligible workers than this, no task has been met by all of them.
MANY = 200
# Of each batch, and in one question.
MOST_TASKS = 1000


@dataclass(frozen=True)
class Starving:
    """How many open tasks nobody may take, and why, in a sentence for the manager."""

    tasks: int
    reason: str = ""


def starving(project: Project) -> Starving:
    """Counted from rows: batches under way, who may work in them, and who sat where."""
    found, reasons = 0, []
    alike: dict[Any, list[Batch]] = defaultdict(list)
    for batch in Batch.objects.filter(project=project, status__in=LIVE_BATCHES):
        alike[_asked(policy_of(batch))].append(batch)
    for batches in alike.values():
        tasks, reason = _in_batches(batches)
        found += tasks
        reasons += [reason] if tasks else []
    return Starving(found, " ".join(dict.fromkeys(reasons)))


def _asked(policy: Policy) -> tuple[Any, ...]:
    """What `eligible` looks at: where this is the same, so are the people. Most batches of a project ask the same."""
    caps = policy.max_tasks_per_worker, policy.max_tasks_per_day
    return policy.open, policy.qualification is None, policy.min_skill, policy.languages, *caps


def nobody_is_left(*, batch: Batch, tasks: Sequence[str]) -> list[str]:
    """At which of some tasks of a batch everybody who may claim in it, now or another day, has sat already."""
    able = set(eligible(batch, ever=True).values_list("pk", flat=True)[: MANY + 1])
    return _all_sat(batch, tasks, able) if len(able) <= MANY else []


def eligible(batch: Batch, *, ever: bool = False) -> QuerySet[User]:
    """Everybody who may claim in a batch, whatever they hold; `ever`: or may once a day or a pause is over."""
    policy, project = policy_of(batch), batch.project_id
    users = _let_in(batch, policy)
    users = users.exclude(pk__in=_sanctioned(project, for_good=ever))
    if policy.qualification is not None:
        users = users.filter(pk__in=_qualified(project))
    known = Skill.objects.filter(project=project, worker=OuterRef("pk"))
    if policy.min_skill > 0:
        enough = Q(Exists(known.filter(low__gte=policy.min_skill)))
        users = users.filter(enough | ~Exists(known) if policy.min_skill <= UNKNOWN_SKILL else enough)
    if policy.languages:
        spoken = users.values_list("pk", "languages")
        users = User.objects.filter(pk__in=[pk for pk, tags in spoken if speaks(tags, policy.languages)])
    return users.exclude(pk__in=_capped(project, policy, ever))


def _let_in(batch: Batch, policy: Policy) -> QuerySet[User]:
    members = Member.objects.filter(project=batch.project_id)
    invited = Q(pk__in=members.filter(role=Role.WORKER).values("user"))
    knowing = Q(pk__in=members.filter(role__in=READING).values("user")) | Q(projects=batch.project_id)
    anybody = invited | (Q(role=Role.WORKER) & ~knowing)
    return User.objects.filter(anybody if policy.open else invited, is_active=True)


def _sanctioned(project: str, *, for_good: bool = False) -> QuerySet[Sanction, Any]:
    found = Sanction.objects.filter(project=project, lifted_at=None)
    return (found.filter(kind=Standing.BANNED) if for_good else found).values("worker")


def _qualified(project: str) -> QuerySet[Qualification, Any]:
    return Qualification.objects.filter(project=project, status=QualificationStatus.PASSED).values("worker")


def _capped(project: str, policy: Policy, ever: bool) -> list[str]:
    taken = Assignment.objects.filter(project=project, worker__isnull=False, trial__isnull=True)
    caps = ((policy.max_tasks_per_worker, taken), (policy.max_tasks_per_day, taken.filter(claimed_at__gt=Now() - DAY)))
    found: list[str] = []
    for most, seats in caps[:1] if ever else caps:
        if most is not None:
            counted = seats.order_by().values("worker").annotate(n=Count("pk"))
            found += counted.filter(n__gte=most).values_list("worker", flat=True)
    return found


def _in_batches(batches: Sequence[Batch]) -> tuple[int, str]:
    """Of batches that ask the same of their workers. People first: where there are many, no task has to be read."""
    able = set(eligible(batches[0]).values_list("pk", flat=True)[: MANY + 1])
    if len(able) > MANY:
        return 0, ""
    free = Assignment.objects.filter(task=OuterRef("pk"), extra=False, status=Seat.OPEN)
    tasks = Task.objects.filter(Exists(free), batch__in=batches, status=TaskStatus.OPEN)
    waiting = list(tasks.values_list("pk", flat=True)[: MOST_TASKS * len(batches)])
    count = len(_all_sat(batches[0], waiting, able)) if waiting else 0
    return count, _reason(batches[0], len(able)) if count else ""


def _all_sat(batch: Batch, tasks: Sequence[str], able: set[str]) -> list[str]:
    sat = defaultdict(set)
    persons = _persons(batch.project_id)
    for at in range(0, len(tasks), MOST_TASKS):  # SQLite takes only so many ids in one question
        rows = Assignment.objects.filter(task__in=tasks[at : at + MOST_TASKS], worker__isnull=False)
        for task, worker in rows.values_list("task", "worker"):
            sat[task].add(persons.get(worker, worker))
    left = {persons.get(worker, worker) for worker in able}
    return [task for task in tasks if left <= sat[task]]


def _persons(project: str) -> dict[str, str]:
    """One name for all accounts of a person."""
    persons: dict[str, str] = {}
    for one, other in SamePerson.objects.filter(project=project, lifted_at=None).values_list("one_id", "other_id"):
        a, b = persons.get(one, one), persons.get(other, other)
        persons |= {one: a, other: a} | {account: a for account, person in persons.items() if person == b}
    return persons


def _reason(batch: Batch, able: int) -> str:
    policy = policy_of(batch)
    let_in = _let_in(batch, policy)
    people = let_in.count()
    stopped = let_in.filter(pk__in=_sanctioned(batch.project_id)).count()
    parts = [f"{stopped} are paused or banned"] if stopped else []
    if policy.qualification is not None:
        free = let_in.exclude(pk__in=_sanctioned(batch.project_id))
        parts.append(f"{free.exclude(pk__in=_qualified(batch.project_id)).count()} are not qualified yet")
    if policy.languages or policy.min_skill or policy.max_tasks_per_worker or policy.max_tasks_per_day:
        parts.append("some lack the language or skill that is asked for, or reached a cap")
    if able:
        parts.append(f"the {able} who may claim have sat at these tasks already")
    told = "; ".join(parts) if people else "invite some, or open the project"
    return f"Of {people} workers who may work in this project nobody is left: {told}."
