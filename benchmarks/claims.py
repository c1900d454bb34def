"""Claim + submit cycles per second through the verbs, beside a bare SQL script that does the same statements.

    TEST_DATABASE=postgres python -m benchmarks.claims [--seats 2000]

One process, one connection, in one run; the ratio is what counts. The script records every statement of one cycle
through the verbs, and plays them back through psycopg with the parameters of other seats.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from annotation import queue  # noqa: E402
from annotation.core.tracks import Tracks  # noqa: E402
from crowd import claiming, submitting  # noqa: E402
from crowd.models import Assignment, Batch  # noqa: E402
from tests import cast, servers  # noqa: E402
from tests.crowd.test_crowded import REDUNDANCY, many_seats  # noqa: E402


def cycle(batch: Batch, worker: Any) -> bool:
    """One claim and one submission, as the REST API does them, a transaction each."""
    with transaction.atomic():
        claim = claiming.claim(worker=worker, project=batch.project)
    if claim is None:
        return False
    with transaction.atomic():
        seat = Assignment.objects.select_related("batch", "task__segment").get(pk=claim.seat.pk)
        empty = Tracks(seat.task.segment.start, seat.task.segment.stop)
        submitting.submit(seat=seat, token=seat.token or "", tracks=empty, body="{}", worker=worker)
    return True


def recorded(batch: Batch, worker: Any) -> list[tuple[str, Any]]:
    """The statements of one cycle, which is taken back, so that they can be said again."""
    said: list[tuple[str, Any]] = []

    def record(execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append((sql, params))
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(record):
            cycle(batch, worker)
        transaction.set_rollback(True)
    return said


def bare(statements: list[tuple[str, Any]], seconds: float) -> float:
    """The same statements, taken back each time: round trips and the database's own work alone, without a COMMIT."""
    raw = connection.connection
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        with raw.transaction(force_rollback=True), raw.cursor() as cursor:
            for sql, params in statements:
                cursor.execute(sql, params)
        done += 1
    return done / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seats", type=int, default=1000)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    servers.start_postgres()
    old = setup_databases(verbosity=0, interactive=False)
    queue.wake = lambda key: None
    try:
        batch = many_seats(args.seats)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        workers = [cast.user(f"worker{i}") for i in range(REDUNDANCY)]
        statements = recorded(batch, workers[0])
        profile = cProfile.Profile()
        began, cpu, done = time.perf_counter(), time.process_time(), 0
        if args.profile:
            profile.enable()
        for worker in workers:
            while cycle(batch, worker):
                done += 1
        profile.disable()
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        python = f"{1000 * cpu / done:.2f} ms of Python a cycle, {len(statements)} statements"
        print(f"verbs: {done / wall:.1f} cycles/s, {python}")
        print(f"bare:  {bare(statements, 5):.1f} cycles/s of the same statements through psycopg")
        if args.profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(30)
    finally:
        teardown_databases(old, verbosity=0)


if __name__ == "__main__":
    main()
