"""What a claim costs as the work grows, in a crowd, and beside a session that holds an old snapshot.

    python -m benchmarks.claims_scale [--seats 10000] [--growth 1 10 100] [--claims 200] [--workers 50] [--hold 60]

Through the verbs, on PostgreSQL, in one run. Growth: the median time of a claim at 1, 10 and 100 times the seats, and
beside it that of a transaction that inserts one row, taken in turns with the claims: what else the machine does
meanwhile falls on both. The fifth of a claim's times is told as well, which other work disturbs least.
Crowd: threads that claim and submit at once; the 99th percentile of the claims beside their median. Snapshot: cycles a
second of eight threads before another session opens a REPEATABLE READ transaction, at its end, and after it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from annotation import queue  # noqa: E402
from annotation.core.tracks import Tracks  # noqa: E402
from annotation.models import Job, User  # noqa: E402
from crowd import claiming, reading, submitting  # noqa: E402
from crowd.models import Batch  # noqa: E402
from tests import cast, servers  # noqa: E402
from tests.races.test_plans import grow, many_seats  # noqa: E402
from tests.races.world import elsewhere  # noqa: E402


def claim(batch: Batch, worker: User) -> tuple[float, str]:
    """Seconds that a claim took, its COMMIT included, and the seat."""
    began = time.perf_counter()
    with transaction.atomic():
        claim = claiming.claim(worker=worker, project=batch.project)
    assert claim is not None and claim.fresh
    return time.perf_counter() - began, claim.seat.pk


def cycle(batch: Batch, worker: User) -> float:
    """Seconds that the claim of one claim and submission took."""
    seconds, pk = claim(batch, worker)
    with transaction.atomic():
        seat = reading.seat_at_work(pk, worker)
        assert seat is not None
        empty = Tracks(seat.task.segment.start, seat.task.segment.stop)
        with connection.cursor() as cursor:
            cursor.execute("SELECT token FROM crowd_assignment WHERE id = %s", [pk])
            (token,) = cursor.fetchone()
        submitting.submit(seat=seat, token=token, tracks=empty, body="{}", worker=worker)
    return seconds


def plain() -> float:
    """Seconds that a transaction with one row took."""
    began = time.perf_counter()
    with transaction.atomic():
        Job.objects.create(kind="plain", subject="", status="done")
    return time.perf_counter() - began


def settle() -> None:
    """What so many new rows leave to be done in the background is done before claims are timed."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def growth(batch: Batch, times: list[int], seats: int, claims: int) -> None:
    there, medians, fifths = seats, [], []
    settle()
    for factor in times:
        if seats * factor > there:
            grow(batch, seats * factor)
            there = seats * factor
            settle()
        worker = cast.user(f"grower{factor}")
        [cycle(batch, worker) for _ in range(10)]
        times = sorted((cycle(batch, worker), plain()) for _ in range(claims))
        fifth, rows = times[claims // 5][0], [row for _, row in times]
        medians.append(statistics.median(seconds for seconds, _ in times))
        fifths.append(fifth)
        print(f"{there} seats: a claim takes {1000 * medians[-1]:.2f} ms (a row {1000 * statistics.median(rows):.2f}),")
        print(f"  {medians[-1] / medians[0]:.2f} times the first; a fifth less than {1000 * fifth:.2f} ms,", end=" ")
        print(f"{fifth / fifths[0]:.2f} times the first", flush=True)


def crowd(batch: Batch, workers: list[User], seconds: float) -> list[float]:
    """The times of all claims that were made in so many seconds by these workers at once."""
    times: list[float] = []
    over = time.perf_counter() + seconds

    def career(worker: User) -> None:
        try:
            while time.perf_counter() < over:
                times.append(cycle(batch, worker))
        finally:
            connection.close()

    threads = [threading.Thread(target=career, args=(worker,)) for worker in workers]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return times


def crowded(batch: Batch, workers: int, seconds: float) -> None:
    times = crowd(batch, [cast.user(f"one of {workers}: {i}") for i in range(workers)], seconds)
    median, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    print(f"{workers} workers at once: {len(times)} claims, median {1000 * median:.1f} ms, p99 {1000 * p99:.1f} ms,")
    print(f"  {p99 / median:.1f} times the median", flush=True)


def beside_a_snapshot(batch: Batch, hold: float) -> None:
    workers = [cast.user(f"beside {i}") for i in range(8)]
    part = hold / 6
    before = len(crowd(batch, workers, part)) / part
    with elsewhere() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM crowd_batch")
        crowd(batch, workers, hold - part)
        beside = len(crowd(batch, workers, part)) / part
        cursor.execute("COMMIT")
    after = len(crowd(batch, workers, part)) / part
    print(f"{before:.0f} cycles/s before, {beside:.0f} after {hold:.0f} s of a snapshot, {after:.0f} without it again:")
    print(f"  {beside / before:.2f} of before, {beside / after:.2f} of after", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seats", type=int, default=10_000)
    parser.add_argument("--growth", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--claims", type=int, default=200)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--hold", type=float, default=60)
    args = parser.parse_args()
    servers.start_postgres()
    old = setup_databases(verbosity=0, interactive=False)
    queue.wake = lambda key: None
    try:
        batch = many_seats(args.seats, gold_share=0.05)
        growth(batch, sorted(args.growth), args.seats, args.claims)
        crowded(batch, args.workers, args.seconds)
        beside_a_snapshot(batch, args.hold)
    finally:
        teardown_databases(old, verbosity=0)


if __name__ == "__main__":
    main()
