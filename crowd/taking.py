"""The one statement that takes a seat.

It walks a partial index of open seats from a random place, so that a thousand workers meet on none, and moves the first
one that the worker may take. On PostgreSQL a seat that somebody else is taking at this moment is passed over. Plain
SQL, since this is what every worker waits for; both databases run the same words but for locks and clocks.
"""
# ruff: noqa: S608  the statement is put together from constants of ours

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from annotation import clock, planning
from annotation.ids import new_id
from annotation.models import User
from crowd.core.ranking import ANY
from crowd.lifecycle import Seat
from crowd.models import Assignment
from crowd.reading import SEAT_COLUMNS
from crowd.seating import log_move

# Whom a seat `a` may be given to. A subquery that yields one value is never made into a join over all seats, whatever
# the planner believes about their number.
MAY_TAKE = """(SELECT m.id FROM crowd_assignment m WHERE m.task_id = a.task_id AND m.worker_id IN (/*who*/) LIMIT 1)
    IS NULL/*but*/"""
REAL = f"""crowd_assignment a WHERE a.batch_id = %(batch)s AND NOT a.extra AND a.status = 'open' AND {MAY_TAKE}"""
# Looked up once, and planned once, for all that ask. Hard seats have high priorities and are for the skilled; others
# get one where nothing else is left (`crowd.core.ranking`). The words are the same for both, and so is what they cost.
BEST = f"""WITH best AS (SELECT COALESCE(
        (SELECT a.priority FROM {REAL} AND a.priority <= %(most)s ORDER BY a.priority DESC LIMIT 1),
        (SELECT a.priority FROM {REAL} ORDER BY a.priority DESC LIMIT 1)) AS priority)"""
# Gold's open tasks are few, so they are looked through first, and then their seats.
GOLD = f"""crowd_task t JOIN crowd_assignment a ON a.task_id = t.id AND NOT a.extra AND a.status = 'open'
    WHERE t.batch_id = %(batch)s AND t.status = 'open' AND t.gold_id IS NOT NULL AND {MAY_TAKE}"""
EXTRA = f"""crowd_assignment a WHERE a.batch_id = %(batch)s AND a.extra AND a.status = 'open' AND {MAY_TAKE}
    AND (SELECT priority FROM best) IS NOT NULL"""
PASSING_OVER = {"postgresql": " FOR NO KEY UPDATE OF a SKIP LOCKED", "sqlite": ""}
# Both are looked for whichever it is time for: how long a claim takes must not tell gold from real work.
WITH_GOLD = """{best}, seen AS MATERIALIZED (SELECT COALESCE({gold}) AS gold, COALESCE({real}) AS real)"""
EITHER = "(SELECT CASE WHEN %(gold)s THEN COALESCE(gold, real) ELSE real END FROM seen)"
TAKE = """{looks} UPDATE crowd_assignment
    SET status = 'held', worker_id = %(worker)s, token = %(token)s, slot = %(slot)s, claimed_at = {now},
        lease_until = {then}
    WHERE id = {seat} AND status = 'open'
    RETURNING {returned}"""
RETURNED = SEAT_COLUMNS[Assignment]


@dataclass(frozen=True)
class Wish:
    """What is to be taken: a seat of a batch, gold before real work where it is time for it (None: no gold at all).

    Seats up to the priority `most` come first. `others` are further accounts of the same person, none of which may have
    sat at the task; `shunned` are tasks whose answer the worker was shown.
    """

    batch: str
    slot: int
    lease_s: int
    gold: bool | None
    most: int = ANY
    others: tuple[str, ...] = ()
    shunned: tuple[str, ...] = ()


def take(worker: User, wish: Wish) -> Assignment | None:
    """Move one open seat to this worker; None where there is none. IntegrityError: the worker's other request did."""
    words = {
        "worker": worker.pk,
        "batch": wish.batch,
        "gold": bool(wish.gold),
        "start": new_id(),
        "token": secrets.token_hex(16),
        "slot": wish.slot,
        "most": wish.most,
        "lease_s": wish.lease_s,
        **{f"other{i}": user for i, user in enumerate(wish.others)},
        **{f"task{i}": task for i, task in enumerate(wish.shunned)},
    }
    shape = (wish.gold is not None, len(wish.others), len(wish.shunned))
    with planning.cursor() as cursor:
        cursor.execute(statement(connection.vendor, *shape), words)
        found = cursor.fetchall()
    if not found:
        return None
    seat = Assignment.from_db(connection.alias, RETURNED, found[0])
    seat.lease_until = clock.read(seat.lease_until)
    log_move(seat, came_from=Seat.OPEN, actor=worker)
    return seat


@lru_cache(maxsize=256)
def statement(vendor: str, with_gold: bool, others: int = 0, shunned: int = 0) -> str:
    """The best priority first; of equal ones the first from a random place on, or else the first of all.

    Where the worker's best are all being taken by others at this moment, any is better than none.
    """
    at_once = PASSING_OVER[vendor]
    real = f"""(SELECT a.id FROM {REAL} AND a.priority = (SELECT priority FROM best) AND a.id >= %(start)s
            ORDER BY a.id LIMIT 1{at_once}),
        (SELECT a.id FROM {REAL} AND a.priority <= (SELECT priority FROM best)
            ORDER BY a.priority DESC, a.id LIMIT 1{at_once}),
        (SELECT a.id FROM {REAL} ORDER BY a.priority DESC, a.id LIMIT 1{at_once})"""
    gold = f"""(SELECT a.id FROM {GOLD} AND t.id >= %(start)s ORDER BY t.priority DESC, t.id LIMIT 1{at_once}),
        (SELECT a.id FROM {GOLD} ORDER BY t.priority DESC, t.id LIMIT 1{at_once}),
        (SELECT a.id FROM {EXTRA} AND a.id >= %(start)s ORDER BY a.priority DESC, a.id LIMIT 1{at_once}),
        (SELECT a.id FROM {EXTRA} ORDER BY a.priority DESC, a.id LIMIT 1{at_once})"""
    looks = WITH_GOLD.format(best=BEST, gold=gold, real=real) if with_gold else BEST
    seat = EITHER if with_gold else f"COALESCE({real})"
    who = ", ".join(["%(worker)s", *(f"%(other{i})s" for i in range(others))])
    but = f" AND a.task_id NOT IN ({', '.join(f'%(task{i})s' for i in range(shunned))})" if shunned else ""
    now, then = clock.now(vendor), clock.later("lease_s", vendor)
    whole = TAKE.format(looks=looks, seat=seat, now=now, then=then, returned=", ".join(RETURNED))
    return whole.replace("/*who*/", who).replace("/*but*/", but)
