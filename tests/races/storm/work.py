"""The work that the storm comes over, and what must be so when it is gone; processes of their own, past the proxy.

`python -m tests.races.storm.work open SEATS WORKERS` makes a project and prints it with the workers' tokens as JSON.
`python -m tests.races.storm.work check JOURNAL` prints as JSON what is not as it was acknowledged.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

EACH = 4  # seats at a task: enough that many meet there, and what jobs make of it is cheap
FRAMES = 4


def open_work(seats: int, workers: int) -> dict[str, Any]:
    """Nine in ten seats are held already, each worker's by turns; the others are there to be claimed."""
    from annotation import tokens
    from tests import cast

    people = [cast.user(f"worker{i}") for i in range(workers)]
    keys = [tokens.recall(user=who) for who in people]
    to_claim = seats // 10 // EACH * EACH
    project, _ = _tasks("Claimed", to_claim, {})
    _, opened = _tasks("Held", seats - to_claim, {"max_held": 10_000})
    return {"project": project, "tokens": keys, "held": _hold(opened, people)}


def _tasks(name: str, seats: int, policy: dict[str, Any]) -> tuple[str, list[Any]]:
    """A project with many small tasks; its id, and the open seats task by task."""
    from annotation.models import Clip, Cut, Segment
    from crowd.lifecycle import Seat, TaskStatus
    from crowd.models import Assignment, Batch, Task, Transition
    from tests import cast
    from tests.crowd import stage

    batch = stage.launched(frames=20, redundancy=EACH, max_redundancy=EACH, project=cast.project(name=name))
    Batch.objects.filter(pk=batch.pk).update(policy=batch.policy | policy)
    first = Task.objects.get(batch=batch)
    video = first.segment.video
    # A cut of its own: the batch's is cut anew when its video settles, and these are not what comes of that.
    cut = Cut.objects.create(video=video, segment_frames=FRAMES, overlap_frames=1)
    numbers = range(1, seats // EACH)
    segments = [Segment(cut=cut, video=video, index=i, start=i % 40, stop=i % 40 + FRAMES) for i in numbers]
    Segment.objects.bulk_create(segments)
    facts = {"file": "clips/none", "bytes": 1, "sha256": "0" * 64, "width": 96, "height": 64, "frame_times_s": [0.0]}
    Clip.objects.bulk_create(Clip(segment=segment, **facts) for segment in segments)
    ids = {"batch": batch, "project_id": batch.project_id}
    tasks = Task.objects.bulk_create(Task(segment=segment, status=TaskStatus.OPEN, **ids) for segment in segments)
    opened = Assignment.objects.bulk_create(Assignment(task=task, **ids) for task in tasks for _ in range(EACH))
    Transition.objects.bulk_create(
        Transition(assignment=seat, project_id=seat.project_id, to_status=Seat.OPEN) for seat in opened
    )
    rows = Assignment.objects.filter(batch=batch).select_related("task__segment").order_by("task", "pk")
    return batch.project_id, list(rows)


def _hold(seats: list[Any], people: list[Any]) -> list[list[dict[str, Any]]]:
    """The seats given out as a claim would have: for each worker what they need to know to submit."""
    from django.db.models.functions import Now

    from crowd.lifecycle import Seat
    from crowd.models import Assignment, Transition

    given: list[list[dict[str, Any]]] = [[] for _ in people]
    until = datetime.now(UTC) + timedelta(days=30)
    for number, seat in enumerate(seats):
        mine = given[number % len(people)]
        seat.status, seat.worker, seat.lease_until, seat.claimed_at = (
            Seat.HELD,
            people[number % len(people)],
            until,
            Now(),
        )
        seat.token, seat.slot = secrets.token_hex(16), len(mine)
        mine.append({"id": seat.pk, "token": seat.token, "segment": {"start": seat.task.segment.start}})
    columns = ["status", "worker", "lease_until", "claimed_at", "token", "slot"]
    Assignment.objects.bulk_update(seats, columns, batch_size=500)
    Transition.objects.bulk_create(
        Transition(
            assignment=seat, project_id=seat.project_id, from_status=Seat.OPEN, to_status=Seat.HELD, actor=seat.worker
        )
        for seat in seats
    )
    return given


def check(journal: Path) -> dict[str, Any]:
    """Each line of the journal: assignment, worker, the first corner of the box that was acknowledged."""
    from annotation import recording
    from annotation.models import IdempotencyKey, TrackSet
    from crowd.invariants import broken
    from crowd.lifecycle import FILLED_SEATS
    from crowd.models import Assignment, Transition

    told = [json.loads(line) for line in journal.read_text().splitlines()]
    seats = {seat.pk: seat for seat in Assignment.objects.select_related("track_set", "worker")}
    lost = []
    for pk, worker, corner in told:
        seat = seats.get(pk)
        kept = seat and seat.status in FILLED_SEATS and seat.track_set is not None and seat.worker is not None
        box = recording.load(seat.track_set).tracks[0].points[0].tolist() if kept else None
        if box is None or seat.worker.username != worker or box[:2] != corner:
            lost.append([pk, worker, corner, box])
    filled = sum(seat.status in FILLED_SEATS for seat in seats.values())
    moves = Counter(Transition.objects.filter(to_status="submitted").values_list("assignment", flat=True))
    keys = IdempotencyKey.objects.filter(path__endswith="/submit/").count()
    return {
        "acknowledged": len(told),
        "lost": lost[:20],
        "acknowledged twice": len(told) - len({pk for pk, _, _ in told}),
        "submitted": filled,
        "track sets": TrackSet.objects.filter(source="worker").count(),
        "moves doubled": [pk for pk, n in moves.items() if n > 1][:20],
        "keys": keys,
        "unjudged": _unjudged(),
        "broken": {sentence: len(rows) for sentence, rows in broken().items()},
    }


def _unjudged() -> int:
    """Full tasks that no consensus was made of and no job will look at."""
    from annotation.models import Job
    from crowd.lifecycle import LIVE_SEATS
    from crowd.models import Assignment, Task

    live = Assignment.objects.filter(status__in=LIVE_SEATS).values("task")
    wanted = Job.objects.filter(kind="reconcile").exclude(status="done").values("subject")
    return Task.objects.filter(consensus=None).exclude(pk__in=live).exclude(pk__in=wanted).count()


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "open":
        print(json.dumps(open_work(int(sys.argv[2]), int(sys.argv[3]))))
    else:
        print(json.dumps(check(Path(sys.argv[2]))))
