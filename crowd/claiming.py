"""Who gets which seat.

A claim walks a partial index of open seats from a random place, so that a thousand workers meet on none, takes the
first one at whose task the worker never sat, and moves it by one conditional UPDATE. Nothing is counted and nothing
else is locked; two unique constraints (one seat per task, one per slot) refuse what two requests at once would get.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from annotation.ids import new_id
from annotation.lifecycle import Role
from annotation.models import Member, Project, User
from crowd.core.policies import Policy
from crowd.core.ranking import wants_gold
from crowd.errors import NotAllowedToWork
from crowd.lifecycle import ENDED_SEATS, Seat, Standing
from crowd.models import Assignment, Batch, Sanction
from crowd.models import Policy as PolicyRow
from crowd.seating import LIVE_BATCHES, expire, lapsed, move, policy_of

# Not to be guessed from the outside: the order in which gold comes tells nothing.
_chance = random.SystemRandom()


@dataclass(frozen=True)
class Claim:
    """A seat, and whether this request took it (or the worker held it before)."""

    seat: Assignment
    fresh: bool


def claim(*, worker: User, project: Project | None = None) -> Claim | None:
    """Give the worker a seat, of `project` or of any; None where there is nothing for them to do now."""
    end_lapsed(worker=worker)
    if project is not None:
        check_standing(worker=worker, project=project)
    for project_id, batches in _open_projects(worker, project):
        if seat := _claim_of(worker, project_id, batches):
            return Claim(seat, fresh=True)
    full = _where_no_more_may_be_held(worker, project)
    return Claim(full, fresh=False) if full else None


def _claim_of(worker: User, project_id: str, batches: list[Batch]) -> Assignment | None:
    limit = max(policy_of(batch).max_held for batch in batches)
    while (slot := _free_slot(worker, project_id, limit)) is not None:
        seats = (_claim_in(worker, batch, slot) for batch in batches)
        seat = next((seat for seat in seats if seat), None)
        # Where another request of the same worker took the slot meanwhile, there may be one more.
        if seat or _free_slot(worker, project_id, limit) == slot:
            return seat
    return None


def _free_slot(worker: User, project_id: str, limit: int) -> int | None:
    taken = set(_held(worker, project_id).values_list("slot", flat=True))
    return None if len(taken) >= limit else next(slot for slot in range(limit) if slot not in taken)


def end_lapsed(*, worker: User) -> None:
    """End the worker's own lapsed seats, so that they neither block nor outlive a new claim."""
    for seat in Assignment.objects.filter(lapsed(), worker=worker).order_by("task_id"):
        expire(seat)


def _where_no_more_may_be_held(worker: User, project: Project | None) -> Assignment | None:
    """A seat that the worker holds in a project in which that is all that they may hold."""
    held: dict[str, list[Assignment]] = {}
    mine = Assignment.objects.filter(worker=worker, status=Seat.HELD).select_related("batch").order_by("slot")
    for seat in mine if project is None else mine.filter(project=project):
        held.setdefault(seat.project_id, []).append(seat)
    full = (seats for seats in held.values() if len(seats) >= max(policy_of(seat.batch).max_held for seat in seats))
    return next((seats[0] for seats in full), None)


def check_standing(*, worker: User, project: Project) -> None:
    """NotAllowedToWork, with the reason, where the worker is paused or banned."""
    sanction = Sanction.objects.filter(worker=worker, project=project, lifted_at=None).first()
    if sanction:
        verb = "banned from" if sanction.kind == Standing.BANNED else "paused in"
        raise NotAllowedToWork(f"You are {verb} this project: {sanction.reason}")


def invited(worker: User) -> QuerySet[Member]:
    """The projects in which the user was made a worker."""
    return Member.objects.filter(user=worker, role=Role.WORKER)


def workable(worker: User) -> QuerySet[Project]:
    """Projects in which the user may work: those that invited them, and for workers every open one."""
    mine = Project.objects.filter(pk__in=invited(worker).values("project"))
    if worker.role != Role.WORKER:
        return mine
    newest = PolicyRow.objects.filter(project=OuterRef("pk")).order_by("-version").values("values__open")[:1]
    return Project.objects.annotate(is_open=Subquery(newest)).filter(Q(is_open=True) | Q(pk__in=mine.values("pk")))


def _held(worker: User, project_id: str) -> QuerySet[Assignment]:
    return Assignment.objects.filter(worker=worker, project_id=project_id, status=Seat.HELD)


def _open_projects(worker: User, project: Project | None) -> list[tuple[str, list[Batch]]]:
    """Projects in which the worker may claim, in random order, with their batches that have open seats."""
    # By the order of the index, or PostgreSQL may join batches with all seats there are.
    seats = Assignment.objects.filter(batch=OuterRef("pk"), extra=False, status=Seat.OPEN).order_by("-priority", "id")
    batches = Batch.objects.alias(seat=Subquery(seats.values("pk")[:1])).filter(
        seat__isnull=False, status__in=LIVE_BATCHES
    )
    batches = batches.exclude(project__sanctions__in=Sanction.objects.filter(worker=worker, lifted_at=None))
    mine = set(invited(worker).values_list("project_id", flat=True))
    if project is not None:
        batches = batches.filter(project=project)
    grouped: dict[str, list[Batch]] = {}
    for batch in batches.order_by("created_at"):
        if batch.project_id in mine or (worker.role == Role.WORKER and policy_of(batch).open):
            grouped.setdefault(batch.project_id, []).append(batch)
    projects = list(grouped.items())
    _chance.shuffle(projects)
    return projects


def _claim_in(worker: User, batch: Batch, slot: int) -> Assignment | None:
    """Real work, or gold when it is time for it; gold's extra seats only while there is real work left."""
    policy = policy_of(batch)
    real = _seats_for(worker, batch, extra=False)
    choices = [real]
    if policy.gold_share > 0 and _gold_is_due(worker, batch.project_id, policy):
        choices = [real.filter(task__gold__isnull=False), real]
        if real.exists():
            choices.insert(1, _seats_for(worker, batch, extra=True))
    for seats in choices:
        if seat := _take(seats, worker, slot, policy):
            return seat
    return None


def _gold_is_due(worker: User, project_id: str, policy: Policy) -> bool:
    mine = Assignment.objects.filter(worker=worker, project_id=project_id).exclude(status__in=ENDED_SEATS)
    on_gold = list(mine.values_list("task__gold_id", flat=True))
    gold = sum(gold_id is not None for gold_id in on_gold)
    return wants_gold(tasks=len(on_gold), gold=gold, share=policy.gold_share, chance=_chance.random())


def _seats_for(worker: User, batch: Batch, *, extra: bool) -> QuerySet[Assignment]:
    """Open seats of a batch at tasks that this worker never sat at."""
    met = Assignment.objects.filter(task=OuterRef("task"), worker=worker)
    return Assignment.objects.filter(~Exists(met), batch=batch, extra=extra, status=Seat.OPEN)


def _take(seats: QuerySet[Assignment], worker: User, slot: int, policy: Policy) -> Assignment | None:
    """The first free seat from a random place in the best priority, or else anywhere."""
    top = seats.order_by("-priority").values_list("priority", flat=True).first()
    if top is None:
        return None
    start = new_id()
    best = seats.filter(priority=top)
    for part in (best.filter(id__gte=start), best.filter(id__lt=start), seats.filter(priority__lt=top)):
        for seat in _free(part.order_by("-priority", "id")):
            if _sit(seat, worker, slot, policy):
                return seat
    return None


def _free(seats: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """One seat that nobody is taking at this moment."""
    if connection.features.has_select_for_update_skip_locked:
        seats = seats.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return seats[:1]


def _sit(seat: Assignment, worker: User, slot: int, policy: Policy) -> bool:
    try:
        with transaction.atomic():
            return move(
                seat,
                to=Seat.HELD,
                actor=worker,
                worker=worker,
                token=secrets.token_hex(16),
                slot=slot,
                claimed_at=Now(),
                lease_until=Now() + timedelta(seconds=policy.lease_s),
            )
    except IntegrityError:  # the same worker's other request took this task or this slot
        return False
