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
    project = _tasks("Claimed", to_claim, [])[0].project_id
    held = _tasks("Held", seats - to_claim, people, max_held=10_000)
    given: list[list[dict[str, Any]]] = [[] for _ in people]
    for seat in held:
        known = {"id": seat.pk, "token": seat.token, "segment": {"start": seat.task.segment.start}}
        given[people.index(seat.worker)].append(known)
    return {"project": project, "tokens": keys, "held": given}


def _tasks(name: str, seats: int, people: list[Any], **policy: Any) -> list[Any]:
    """The seats of a project with many small tasks: open, or given out to people by turns as claims would have."""
    from annotation.models import Clip, Cut, Segment
    from crowd.lifecycle import TaskStatus
    from crowd.models import Assignment, Batch, Task
    from tests import cast
    from tests.crowd import stage

    batch = stage.launched(frames=20, redundancy=EACH, max_redundancy=EACH, project=cast.project(name=name))
    Batch.objects.filter(pk=batch.pk).update(policy=batch.policy | policy)
    video = Task.objects.get(batch=batch).segment.video
    Assignment.objects.filter(batch=batch).delete()  # its own task gets seats like all others
    # A cut of its own: the batch's is cut anew when its video settles, and these are not what comes of that.
    cut = Cut.objects.create(video=video, segment_frames=FRAMES, overlap_frames=1)
    numbers = range(1, seats // EACH)
    segments = [Segment(cut=cut, video=video, index=i, start=i % 40, stop=i % 40 + FRAMES) for i in numbers]
    Segment.objects.bulk_create(segments)
    facts = {"file": "clips/none", "bytes": 1, "sha256": "0" * 64, "width": 96, "height": 64, "frame_times_s": [0.0]}
    Clip.objects.bulk_create(Clip(segment=segment, **facts) for segment in segments)
    ids = {"batch": batch, "project_id": batch.project_id}
    Task.objects.bulk_create(Task(segment=segment, status=TaskStatus.OPEN, **ids) for segment in segments)
    tasks = Task.objects.filter(batch=batch).select_related("segment").order_by("pk")
    return _seated([task for task in tasks for _ in range(EACH)], people, ids)


def _seated(places: list[Any], people: list[Any], ids: dict[str, Any]) -> list[Any]:
    from crowd.lifecycle import Seat
    from crowd.models import Assignment, Transition

    until = datetime.now(UTC) + timedelta(days=30)
    seats = []
    for number, task in enumerate(places):
        seat = Assignment(task=task, **ids)
        if people:
            slot, turn = divmod(number, len(people))
            seat.status, seat.worker, seat.slot = Seat.HELD, people[turn], slot
            seat.lease_until, seat.claimed_at, seat.token = until, datetime.now(UTC), secrets.token_hex(16)
        seats.append(seat)
    Assignment.objects.bulk_create(seats, batch_size=2000)
    for came_from, to in (("", Seat.OPEN), (Seat.OPEN, Seat.HELD)) if people else (("", Seat.OPEN),):
        moves = [
            Transition(
                assignment=seat,
                project_id=seat.project_id,
                from_status=came_from,
                to_status=to,
                actor=seat.worker if to == Seat.HELD else None,
            )
            for seat in seats
        ]
        Transition.objects.bulk_create(moves, batch_size=2000)
    return seats


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
