"""How PostgreSQL walks through fifty thousand seats when one is claimed and submitted: never through all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from annotation.core.tracks import Tracks
from crowd import claiming, submitting
from crowd.models import Assignment, Batch, Task
from tests import cast
from tests.crowd import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races, pytest.mark.timeout(600)]
SEATS = 50_000
#: Tables whose size grows with the work; a handful of batches, projects and sanctions may well be read whole.
LARGE = {"crowd_assignment", "crowd_task", "crowd_transition", "annotation_segment", "annotation_trackset"}


@contextmanager
def explaining() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The plan of every statement that is run meanwhile."""
    plans: list[tuple[str, dict[str, Any]]] = []

    def explain(execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.split()[0] in ("SELECT", "UPDATE") and not many:
            with connection.connection.cursor() as cursor:
                cursor.execute("EXPLAIN (FORMAT JSON) " + sql, params)
                (found,) = cursor.fetchone()
            plans.append((sql, (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans


def scanned(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan reads from end to end."""
    whole = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return whole.union(*(scanned(part) for part in plan.get("Plans", [])))


def many_seats() -> Batch:
    """Tasks with ten seats each, made by the database itself."""
    batch = stage.launched(frames=20)
    task = Task.objects.get(batch=batch)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO annotation_segment (id, cut_id, video_id, index, start, stop) SELECT 'seg' || n, cut_id, "
            "video_id, n, start, stop FROM annotation_segment, generate_series(1, %s) n WHERE id = %s",
            [SEATS // 10, task.segment_id],
        )
        cursor.execute(
            "INSERT INTO crowd_task (id, project_id, batch_id, segment_id, status, reason, priority, asked) "
            "SELECT 'task' || n, project_id, batch_id, 'seg' || n, status, '', 0, 0 FROM crowd_task, "
            "generate_series(1, %s) n WHERE id = %s",
            [SEATS // 10, task.pk],
        )
        cursor.execute(
            "INSERT INTO crowd_assignment (id, task_id, batch_id, project_id, extra, status, priority, renewals, "
            "reward_micros, reason) SELECT substr(md5(t.id || n), 1, 16), t.id, batch_id, project_id, false, 'open', "
            "0, 0, 0, '' FROM crowd_task t, generate_series(1, 10) n"
        )
        cursor.execute(
            "INSERT INTO crowd_transition (assignment_id, project_id, from_status, to_status, reason) "
            "SELECT id, project_id, '', 'open', '' FROM crowd_assignment"
        )
        cursor.execute("ANALYZE")
    return batch


@pytest.mark.breaks_invariants  # more seats than anybody asked for
def test_nothing_on_the_way_of_a_claim_reads_a_large_table_whole() -> None:
    batch = many_seats()
    worker = cast.user("Wanda")
    with explaining() as plans:
        with transaction.atomic():
            claim = claiming.claim(worker=worker, project=batch.project)
        assert claim is not None
        with transaction.atomic():
            seat = Assignment.objects.select_related("batch", "task__segment").get(pk=claim.seat.pk)
            empty = Tracks(seat.task.segment.start, seat.task.segment.stop)
            submitting.submit(seat=seat, token=seat.token or "", tracks=empty, body="{}", worker=worker)
    assert len(plans) >= 10
    for sql, plan in plans:
        assert not scanned(plan) & LARGE, sql
