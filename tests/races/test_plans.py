"""How PostgreSQL walks through fifty thousand seats when one is claimed and submitted: never through all of them.

Plans that are kept (`annotation.planning`) are looked at as well, and for whether they are kept too long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from annotation import recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import Segment
from crowd import claiming, reading, submitting
from crowd.models import Batch, Gold, Task
from tests import cast
from tests.crowd import stage
from tests.races.world import elsewhere

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.timeout(600)]
SEATS = 50_000
#: Tables whose size grows with the work; a handful of batches, projects and sanctions may well be read whole.
LARGE = {"crowd_assignment", "crowd_task", "crowd_transition", "annotation_segment", "annotation_trackset"}
#: Spread as real ids are: a claim starts at a random one.
RANDOM = "substr(translate(md5({}), '0123456789abcdef', 'acegikmoqsuwy246'), 1, 16)"
SEGMENTS = """INSERT INTO annotation_segment (id, cut_id, video_id, index, start, stop)
    SELECT 'seg' || n, cut_id, video_id, n, start, stop FROM annotation_segment, generate_series(%s::int, %s::int) n
    WHERE id = %s"""
TASKS = f"""INSERT INTO crowd_task (id, project_id, batch_id, segment_id, status, reason, priority, asked)
    SELECT {RANDOM.format("'task' || n")}, project_id, batch_id, 'seg' || n, status, '', 0, 0
    FROM crowd_task, generate_series(%s::int, %s::int) n WHERE segment_id = %s"""
OPEN_SEATS = f"""INSERT INTO crowd_assignment
    (id, task_id, batch_id, project_id, extra, status, priority, renewals, reward_micros, reason)
    SELECT {RANDOM.format("t.id || n")}, t.id, batch_id, project_id, false, 'open', 0, 0, 0, ''
    FROM generate_series(%s::int, %s::int) k JOIN crowd_task t ON t.segment_id = 'seg' || k, generate_series(1, 10) n"""


@contextmanager
def explaining() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The plan of every statement that is run meanwhile."""
    plans: list[tuple[str, dict[str, Any]]] = []

    def explain(execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.split()[0] in ("SELECT", "UPDATE", "WITH") and not many:
            with connection.connection.cursor() as cursor:
                cursor.execute("EXPLAIN (FORMAT JSON) " + sql, params)
                (found,) = cursor.fetchone()
            plans.append((sql, (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans


def kept() -> dict[str, int]:
    """The statements for which this connection keeps a plan, and how often each was used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
        return dict(cursor.fetchall())


def kept_plans() -> list[tuple[str, dict[str, Any]]]:
    """Each of them with its plan, which is the same for every value."""
    plans = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements")
        for name, sql, values in cursor.fetchall():
            cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name}({', '.join(['NULL'] * values)})")
            (found,) = cursor.fetchone()
            plans.append((sql, (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))
    return plans


def scanned(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan reads from end to end."""
    whole = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return whole.union(*(scanned(part) for part in plan.get("Plans", [])))


def indexes(plan: dict[str, Any]) -> set[str]:
    here = {plan["Index Name"]} if "Index Name" in plan else set()
    return here.union(*(indexes(part) for part in plan.get("Plans", [])))


def many_seats(seats: int = SEATS, **policy: Any) -> Batch:
    """Tasks with ten seats each, made by the database itself."""
    batch = stage.launched(frames=20, **policy)
    grow(batch, seats)
    return batch


def grow(batch: Batch, seats: int) -> None:
    """More tasks, until there are so many seats."""
    first = Segment.objects.get(task__batch=batch, index=0)
    span = [Task.objects.filter(batch=batch).count(), seats // 10]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the rows fit together by how they are made
        cursor.execute(SEGMENTS, [*span, first.pk])
        cursor.execute(TASKS, [*span, first.pk])
        cursor.execute("ANALYZE crowd_task")
        cursor.execute(OPEN_SEATS, span)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")


def claim_and_submit(batch: Batch, name: str) -> str:
    """One cycle, as the REST API does it; the task."""
    worker = cast.user(name)
    with transaction.atomic():
        claim = claiming.claim(worker=worker, project=batch.project)
    assert claim is not None
    with transaction.atomic():
        seat = reading.seat_at_work(claim.seat.pk, worker)
        assert seat is not None
        empty = Tracks(seat.task.segment.start, seat.task.segment.stop)
        submitting.submit(seat=seat, token=claim.seat.token or "", tracks=empty, body="{}", worker=worker)
    return seat.task_id


def some_gold(batch: Batch) -> Gold:
    """Gold over the segments of fifty tasks."""
    video = Task.objects.filter(batch=batch)[0].segment.video
    known = recording.store(tracks=Tracks(0, 20), video=video, source=Source.GOLD)
    gold = Gold.objects.create(project_id=batch.project_id, video=video, start=0, stop=20, track_set=known)
    few = list(Task.objects.filter(batch=batch).order_by("pk").values_list("pk", flat=True)[:50])
    Task.objects.filter(pk__in=few).update(gold=gold)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crowd_task")
    return gold


@pytest.mark.breaks_invariants  # more seats than anybody asked for
def test_nothing_on_the_way_of_a_claim_reads_a_large_table_whole() -> None:
    batch = many_seats(gold_share=1.0)
    with explaining() as plans:
        claim_and_submit(batch, "Wanda")  # there is no gold, so all places where it might be are looked through
    gold = some_gold(batch)
    with explaining() as more:
        task = claim_and_submit(batch, "Will")
    assert Task.objects.get(pk=task).gold_id == gold.pk
    assert len(plans) >= 8 and len(more) >= 8
    for sql, plan in plans + more:
        assert not scanned(plan) & LARGE, sql


@pytest.mark.breaks_invariants
def test_no_plan_that_is_kept_reads_a_large_table_whole() -> None:
    batch = many_seats(gold_share=1.0)
    some_gold(batch)
    for i in range(4):
        claim_and_submit(batch, f"worker{i}")
    plans = kept_plans()
    assert len(plans) >= 9 and any(sql.startswith("WITH best") for sql, _ in plans)
    for sql, plan in plans:
        assert not scanned(plan) & LARGE, sql
        # The statistics know of no held seat, and all that are held would be walked through for one worker's.
        assert not any("lease" in name for name in indexes(plan)), sql


@pytest.mark.breaks_invariants
def test_a_plan_made_for_few_seats_is_not_used_for_many() -> None:
    batch = many_seats(200, gold_share=1.0)
    for i in range(4):
        claim_and_submit(batch, f"worker{i}")
    few = kept()
    assert any(sql.startswith("WITH best") for sql in few)
    with elsewhere() as cursor:
        cursor.execute("SET session_replication_role = replica")
        first = Segment.objects.get(task__batch=batch, index=0)
        span = [21, SEATS // 10]
        for more in (SEGMENTS, TASKS):
            cursor.execute(more, [*span, first.pk])
        cursor.execute(OPEN_SEATS, span)  # and nobody analyses
    for i in range(4):
        claim_and_submit(batch, f"later{i}")
    many = kept()
    on_seats = {sql for sql in few if "crowd_assignment" in sql}
    assert {sql: many.get(sql, few[sql]) for sql in on_seats} == {sql: few[sql] for sql in on_seats}
    assert any(sql.startswith("WITH best") for sql in many.keys() - few.keys())
    for sql, plan in kept_plans():
        assert sql in few or not scanned(plan) & LARGE, sql


@pytest.mark.breaks_invariants
def test_nothing_is_prepared_where_the_address_says_so() -> None:
    batch = many_seats(200)
    connection.connection.prepare_threshold = None
    try:
        for i in range(4):
            claim_and_submit(batch, f"worker{i}")
        assert kept() == {}
    finally:
        connection.close()
