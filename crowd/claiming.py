"""Who gets which seat.

A claim reads what the worker holds and which batches are open to them, and then takes a seat by one conditional UPDATE
(`crowd.taking`). Nothing is counted and nothing else is locked; two unique constraints (one seat per task, one per
slot) refuse what two requests at once would get.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from annotation import clock, planning
from annotation.access import READING, visible_projects
from annotation.lifecycle import Role
from annotation.models import Member, Project, User
from crowd import admitting, training
from crowd.admitting import Known
from crowd.core.policies import Policy, from_json
from crowd.core.ranking import WINDOW, most_priority, wants_gold
from crowd.errors import NotAllowedToWork
from crowd.lifecycle import Seat, Standing
from crowd.models import Assignment, Batch
from crowd.models import Policy as PolicyRow
from crowd.reading import BATCH_COLUMNS
from crowd.seating import LIVE_BATCHES, expire, in_order, policy_of
from crowd.taking import Wish, take

# Not to be guessed from the outside: the order in which gold comes tells nothing.
_chance = random.SystemRandom()
# The same worker's requests at once: each that fails was overtaken by one that did not.
ATTEMPTS = 10


@dataclass(frozen=True)
class Claim:
    """A seat, and whether this request took it (or the worker held it before)."""

    seat: Assignment
    fresh: bool


@dataclass(frozen=True)
class Offer:
    """A live batch with open seats, and how its project sees the worker."""

    batch: Batch
    project: str
    policy: Policy
    #: What the worker is in the project beside a worker of this site, if anything.
    role: str | None
    known: Known
    #: Of the worker's first tasks in the project: how many there were, and how many of them were gold. None: not asked.
    career: tuple[int, int] | None


@dataclass(frozen=True)
class Held:
    """A seat that the worker holds."""

    seat: str
    project: str
    slot: int
    lapsed: bool


def claim(*, worker: User, project: Project | None = None) -> Claim | None:
    """Give the worker a seat, of `project` or of any; None where there is nothing for them to do now."""
    planning.look_at(Assignment._meta.db_table)
    for attempt in range(1, ATTEMPTS + 1):
        held = _held(worker)
        offers = _offers(worker, project)
        try:
            seat = _first_of(worker, offers, held)
            break
        except IntegrityError:  # the same worker's other request took this task or this slot
            if attempt == ATTEMPTS:
                raise
    if seat:
        if project:
            seat.project = project
        return Claim(seat, fresh=True)
    if piece := training.next_seat(worker=worker, project=project):
        return Claim(piece, fresh=True)
    full = _where_no_more_may_be_held(worker, project)
    if full is None and project is not None and (reason := training.refusal(worker=worker, project=project)):
        raise NotAllowedToWork(reason)
    return Claim(full, fresh=False) if full else None


def _first_of(worker: User, offers: list[Offer], held: list[Held]) -> Assignment | None:
    projects = [list(batches) for _, batches in groupby(offers, key=lambda offer: offer.project)]
    # Locked in the projects' order, before these are looked through in any: two accounts claim at once.
    told = [batches[0].project for batches in projects if batches[0].known.has_others]
    others = {project: tuple(admitting.other_accounts(worker=worker, project=project)) for project in told}
    _chance.shuffle(projects)
    for batches in projects:
        slot = _free_slot(held, batches)
        also = others.get(batches[0].project, ())
        seats = (_claim_in(worker, batch, slot, also) for batch in batches if slot is not None)
        if seat := next(filter(None, seats), None):
            return seat
    return None


def _free_slot(held: list[Held], batches: Sequence[Offer]) -> int | None:
    """The first slot of a project that the worker does not sit on; None where they hold as many as they may."""
    taken = {seat.slot for seat in held if seat.project == batches[0].project}
    limit = max(batch.policy.max_held for batch in batches)
    return None if len(taken) >= limit else next(slot for slot in range(limit) if slot not in taken)


HELD = """SELECT id, project_id, slot, lease_until <= {now}
    FROM crowd_assignment WHERE worker_id = %s AND status = 'held' ORDER BY task_id"""


def _held(worker: User) -> list[Held]:
    """What the worker holds, once their lapsed seats are ended, so that those neither block nor outlive a claim."""
    with planning.cursor() as cursor:
        cursor.execute(HELD.format(now=clock.now()), [worker.pk])
        held = [Held(*row) for row in cursor.fetchall()]
    lapsed = [seat.seat for seat in held if seat.lapsed]
    for seat in in_order(Assignment.objects.filter(pk__in=lapsed)) if lapsed else ():
        expire(seat)
    return [seat for seat in held if not seat.lapsed]


# Whether a batch has an open seat is looked up by its index, one batch at a time: a join or EXISTS may be planned as a
# walk through all seats there are.
# What is known of the worker are subqueries too: each is planned alone, where a join of seven is planned as a whole.
SANCTION = "crowd_sanction s WHERE s.project_id = p.id AND s.worker_id = %(worker)s AND s.lifted_at IS NULL"
# Once a worker's first tasks are done, how many more there were changes nothing. Both counts in one number.
CAREER = f"""(SELECT COUNT(*) * 1000 + COUNT(c.gold_id) FROM (SELECT t.gold_id FROM crowd_assignment a
        JOIN crowd_task t ON t.id = a.task_id WHERE a.worker_id = %(worker)s AND a.project_id = {{project}}
        AND a.status IN ('held', 'submitted', 'accepted', 'rejected') LIMIT {WINDOW}) c)"""  # noqa: S608  constants of ours
ROLE = """CASE WHEN p.owner_id = %(worker)s THEN 'client' ELSE
        (SELECT m.role FROM annotation_member m WHERE m.project_id = p.id AND m.user_id = %(worker)s) END"""
OFFERS = f"""SELECT b.id, b.ontology_id, p.id, b.policy, {{career}},
        {ROLE},
        (SELECT s.kind FROM {SANCTION}), (SELECT s.reason FROM {SANCTION}), {admitting.COLUMNS}
    FROM annotation_project p
    {{join}} crowd_batch b ON b.project_id = p.id AND b.status IN ('opening', 'open') AND (
        SELECT a.id FROM crowd_assignment a WHERE a.batch_id = b.id AND NOT a.extra AND a.status = 'open'
        ORDER BY a.priority DESC, a.id LIMIT 1) IS NOT NULL
    {{where}} ORDER BY p.id, b.created_at"""  # noqa: S608  constants of ours
OF_ONE = OFFERS.format(join="LEFT JOIN", where="WHERE p.id = %(project)s", career=CAREER.format(project="p.id"))
# There may be hundreds of projects, so the worker's tasks are counted in the one in which a seat is looked for.
NOT_BARRED = f"WHERE (SELECT s.id FROM {SANCTION}) IS NULL"  # noqa: S608  as above
OF_ALL = OFFERS.format(join="JOIN", where=NOT_BARRED, career="NULL")
IN_ONE = "SELECT " + CAREER.format(project="%(project)s")


def _offers(worker: User, project: Project | None) -> list[Offer]:
    """Batches with open seats in which the worker may claim. NotAllowedToWork where `project` paused or banned them."""
    words = {"worker": worker.pk, "project": project.pk if project else None}
    with planning.cursor() as cursor:
        cursor.execute(OF_ONE if project else OF_ALL, words if project else {"worker": worker.pk})
        rows = cursor.fetchall()
    if project is not None and rows and rows[0][6]:
        _refuse(*rows[0][6:8])
    offers = [_offer(*row) for row in rows if row[0]]
    return [offer for offer in offers if _may_claim_in(worker, offer)]


def _offer(
    pk: str, ontology: int, project: str, policy: str, career: int | None, role: str | None, *rest: Any
) -> Offer:
    batch = Batch.from_db(connection.alias, BATCH_COLUMNS, [pk, ontology, json.loads(policy)])
    counts = None if career is None else divmod(career, 1000)
    return Offer(batch, project, _policy(policy), role, Known(*rest[2:]), counts)


def _may_claim_in(worker: User, offer: Offer) -> bool:
    """Whether the worker may take seats of a batch at all. Which of its seats, `crowd.taking.MAY_TAKE` says."""
    if not _is_let_in(worker, offer.role, is_open=offer.policy.open):
        return False
    refused = admitting.refusal(worker=worker, project_id=offer.project, policy=offer.policy, known=offer.known)
    return refused is None


def _is_let_in(worker: User, role: str | None, *, is_open: bool) -> bool:
    """Whoever reads a project's gold and what others drew takes no work of it: they would know the answers."""
    return role == Role.WORKER or (role not in READING and worker.role == Role.WORKER and is_open)


def _refuse(kind: str, reason: str) -> None:
    verb = "banned from" if kind == Standing.BANNED else "paused in"
    raise NotAllowedToWork(f"You are {verb} this project: {reason}")


@lru_cache(maxsize=1024)
def _policy(text: str) -> Policy:
    """A batch's policy, as the database has it; the same text is read once."""
    return from_json(json.loads(text))


def _claim_in(worker: User, offer: Offer, slot: int, others: tuple[str, ...]) -> Assignment | None:
    """Real work, or gold when it is time for it; gold's extra seats only while there is real work left."""
    gold = _gold_is_due(worker, offer) if offer.policy.gold_share > 0 else None
    with transaction.atomic():
        most = most_priority(offer.known.skill_low)
        wish = Wish(offer.batch.pk, slot, offer.policy.lease_s, gold=gold, most=most, others=others)
        if offer.policy.qualification is not None:
            wish = replace(wish, shunned=tuple(training.shown_to(worker=worker, batch_id=offer.batch.pk)))
        seat = take(worker, wish)
    if seat:
        seat.batch = offer.batch
    return seat


def _gold_is_due(worker: User, offer: Offer) -> bool:
    tasks, gold = offer.career or _career(worker, offer.project)
    return wants_gold(tasks=tasks, gold=gold, share=offer.policy.gold_share, chance=_chance.random())


def _career(worker: User, project_id: str) -> tuple[int, int]:
    with planning.cursor() as cursor:
        cursor.execute(IN_ONE, {"worker": worker.pk, "project": project_id})
        return divmod(cursor.fetchone()[0], 1000)


def _where_no_more_may_be_held(worker: User, project: Project | None) -> Assignment | None:
    """A seat that the worker holds in a project in which that is all that they may hold."""
    held: dict[str, list[Assignment]] = {}
    mine = Assignment.objects.filter(worker=worker, status=Seat.HELD).select_related("batch").order_by("slot")
    for seat in mine if project is None else mine.filter(project=project):
        held.setdefault(seat.project_id, []).append(seat)
    full = (seats for seats in held.values() if len(seats) >= max(policy_of(seat.batch).max_held for seat in seats))
    return next((seats[0] for seats in full), None)


def invited(worker: User) -> QuerySet[Member]:
    """The projects in which the user was made a worker."""
    return Member.objects.filter(user=worker, role=Role.WORKER)


def workable(worker: User) -> QuerySet[Project]:
    """Projects in which the user may work: those that invited them, and for workers every open one."""
    mine = Project.objects.filter(pk__in=invited(worker).values("project"))
    if worker.role != Role.WORKER:
        return mine
    newest = PolicyRow.objects.filter(project=OuterRef("pk")).order_by("-version").values("values__open")[:1]
    open_ones = Q(is_open=True) & ~Q(pk__in=visible_projects(worker).values("pk"))
    return Project.objects.annotate(is_open=Subquery(newest)).filter(open_ones | Q(pk__in=mine.values("pk")))


def with_work(projects: QuerySet[Project]) -> QuerySet[Project]:
    """The projects with `has_work`: whether a batch of it that is under way has an open seat for real work.

    Not how many: a claim after which the number of real seats stays as it was would have been gold. The seat is asked
    for in the order of its index, as a claim does: a database that expects some everywhere would read all seats of the
    site for each project that has none.
    """
    seats = Assignment.objects.filter(batch=OuterRef("pk"), status=Seat.OPEN, extra=False)
    first = Subquery(seats.order_by("-priority", "pk").values("pk")[:1])
    batches = Batch.objects.filter(project=OuterRef("pk"), status__in=LIVE_BATCHES)
    return projects.annotate(has_work=Exists(batches.annotate(seat=first).filter(seat__isnull=False)))


CALLED = f"""SELECT p.id, p.name, p.owner_id, p.instructions, p.created_at, {ROLE},
        (SELECT q."values" FROM crowd_policy q WHERE q.project_id = p.id ORDER BY q.version DESC LIMIT 1)
    FROM annotation_project p WHERE p.id = %(called)s OR p.name = %(called)s"""  # noqa: S608  as above
PROJECT_COLUMNS = ("id", "name", "owner_id", "instructions", "created_at")


def workable_called(worker: User, id_or_name: str) -> list[Project]:
    """Those of `workable` that have this id or name. Part of every claim, so it is plain SQL."""
    with planning.cursor() as cursor:
        cursor.execute(CALLED, {"worker": worker.pk, "called": id_or_name})
        rows = cursor.fetchall()
    return [
        Project.from_db(connection.alias, PROJECT_COLUMNS, columns)
        for *columns, role, policy in rows
        if _is_let_in(worker, role, is_open=policy is not None and json.loads(policy).get("open") is True)
    ]
