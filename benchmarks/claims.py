"""Claim + submit cycles per second through the verbs, beside a bare script that says the same statements.

    python -m benchmarks.claims [--cycles 200] [--rounds 5] [--gold-share 0.05] [--profile]

One process, one connection, one run on PostgreSQL; the ratio of the medians is what counts. Cycles are recorded
through the verbs and taken back; then the bare script says each again through psycopg, with BEGIN and COMMIT, and
leaves the same rows behind. Verbs and script take turns. The seats of the recorded cycles lie at different tasks, so
none of them depends on another.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import time
from collections.abc import Callable
from itertools import chain
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402
from psycopg import Cursor  # noqa: E402

from annotation import queue  # noqa: E402
from annotation.core.tracks import Tracks  # noqa: E402
from annotation.models import User  # noqa: E402
from crowd import claiming, reading, submitting  # noqa: E402
from crowd.models import Assignment, Batch  # noqa: E402
from tests import cast, servers  # noqa: E402
from tests.races.test_plans import many_seats  # noqa: E402

Statements = list[tuple[str, Any]]


def cycle(batch: Batch, worker: User) -> str | None:
    """One claim and one submission, as the REST API does them, a transaction each. The task, or None: no seat left."""
    with transaction.atomic():
        claim = claiming.claim(worker=worker, project=batch.project)
    if claim is None:
        return None
    with transaction.atomic():
        seat = reading.seat_at_work(claim.seat.pk, worker)
        assert seat is not None
        segment = seat.task.segment
        empty = Tracks(segment.start, segment.stop)
        submitting.submit(seat=seat, token=claim.seat.token or "", tracks=empty, body="{}", worker=worker)
    return claim.seat.task_id


def recorded(batch: Batch, worker: User) -> tuple[str | None, Statements]:
    """The task and the statements of one cycle that is taken back, split at its two transactions."""
    said: Statements = []

    def record(execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append((sql, params))
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(record):
            task = cycle(batch, worker)
        transaction.set_rollback(True)
    return task, said


def recordings(batch: Batch, worker: User, cycles: int) -> list[Statements]:
    met: set[str | None] = set()
    chosen = []
    while len(chosen) < cycles:
        task, said = recorded(batch, worker)
        if task not in met:
            met.add(task)
            chosen.append(_as_transactions(said))
    return chosen


def _as_transactions(said: Statements) -> Statements:
    """What `atomic` says as savepoints inside of ours is BEGIN and COMMIT outside of it; what is nested stays."""
    deep, out = 0, []
    for sql, params in said:
        deep += sql.startswith("SAVEPOINT")
        outermost = deep == 1 and sql.startswith(("SAVEPOINT", "RELEASE"))
        out.append(({"S": "BEGIN", "R": "COMMIT"}[sql[0]] if outermost else sql, params))
        deep -= sql.startswith("RELEASE")
    return out


def bare(cycles: list[Statements]) -> float:
    """Cycles per second of the same statements through psycopg alone, in a plain loop; it prepares them as we do."""
    raw = connection.connection
    began = time.perf_counter()
    with Cursor(raw) as cursor:
        for sql, params in chain.from_iterable(cycles):
            cursor.execute(sql, params)
            if cursor.description:
                cursor.fetchall()
    return len(cycles) / (time.perf_counter() - began)


def verbs(batch: Batch, worker: User, cycles: int, profile: cProfile.Profile | None = None) -> tuple[float, float]:
    """Cycles per second, and milliseconds of this process's processor a cycle."""
    began, cpu = time.perf_counter(), time.process_time()
    if profile:
        profile.enable()
    for _ in range(cycles):
        assert cycle(batch, worker)
    if profile:
        profile.disable()
    return cycles / (time.perf_counter() - began), 1000 * (time.process_time() - cpu) / cycles


def compare(batch: Batch, *, cycles: int, rounds: int, profile: cProfile.Profile | None) -> None:
    ratios, speeds = [], []
    for i in range(rounds):
        recorder = cast.user(f"recorder{i}")
        said = recordings(batch, recorder, cycles)
        plain = bare(said)
        assert Assignment.objects.filter(worker=recorder, status="submitted").count() == cycles
        ours, cpu = verbs(batch, cast.user(f"worker{i}"), cycles, profile)
        ratios.append(ours / plain)
        speeds.append((ours, plain, cpu))
    ours, plain, cpu = (statistics.median(column) for column in zip(*speeds, strict=True))
    print(f"verbs {ours:.0f} cycles/s, bare {plain:.0f} cycles/s")
    print(f"{len(said[-1])} statements a cycle, BEGIN and COMMIT included")
    print(f"ratio {statistics.median(ratios):.2f} (each round: {', '.join(f'{r:.2f}' for r in ratios)})")
    print(f"processor time of our process: {cpu:.2f} ms a cycle")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seats", type=int, default=20_000)
    parser.add_argument("--gold-share", type=float, default=0.05)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    servers.start_postgres()
    old = setup_databases(verbosity=0, interactive=False)
    queue.wake = lambda key: None  # what a message costs is the queue's affair, and is sent after the commit
    profile = cProfile.Profile() if args.profile else None
    try:
        batch = many_seats(args.seats, gold_share=args.gold_share)
        compare(batch, cycles=args.cycles, rounds=args.rounds, profile=profile)
        if profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(30)
    finally:
        teardown_databases(old, verbosity=0)


if __name__ == "__main__":
    main()
