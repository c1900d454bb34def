"""Eight workers at once over the verbs, on whichever database the run is about: no error, no double, nothing left."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connection, transaction

from annotation import queue
from annotation.core.tracks import Tracks
from annotation.models import Cut, Segment, TrackSet
from crowd import claiming, submitting
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Batch, Task, Transition
from tests import cast
from tests.crowd import stage

WORKERS = 8
REDUNDANCY = 4


def many_seats(seats: int) -> Batch:
    """A batch of many small tasks with four seats each, written at once."""
    batch = stage.launched(frames=20, redundancy=REDUNDANCY)
    first = Task.objects.get(batch=batch)
    video, cut = first.segment.video, Cut.objects.get(batch_video__batch=batch)
    n = seats // REDUNDANCY
    segments = [Segment(cut=cut, video=video, index=i, start=i % 40, stop=i % 40 + 20) for i in range(1, n)]
    Segment.objects.bulk_create(segments)
    ids = {"batch": batch, "project_id": batch.project_id}
    tasks = Task.objects.bulk_create(Task(segment=segment, status=TaskStatus.OPEN, **ids) for segment in segments)
    opened = Assignment.objects.bulk_create(Assignment(task=task, **ids) for task in tasks for _ in range(REDUNDANCY))
    Transition.objects.bulk_create(
        Transition(assignment=seat, project_id=seat.project_id, to_status=Seat.OPEN) for seat in opened
    )
    return batch


def career(batch: Batch, name: str, done: Counter[str], errors: list[Exception]) -> None:
    """Claim and submit until there is nothing to do, as the REST API does it: a transaction each."""
    try:
        worker = cast.user(name)
        while True:
            with transaction.atomic():
                claim = claiming.claim(worker=worker, project=batch.project)
            if claim is None:
                return
            with transaction.atomic():
                seat = Assignment.objects.select_related("batch", "task__segment").get(pk=claim.seat.pk)
                empty = Tracks(seat.task.segment.start, seat.task.segment.stop)
                submitting.submit(seat=seat, token=seat.token or "", tracks=empty, body="{}", worker=worker)
            done[name] += 1
    except Exception as error:  # noqa: BLE001  whoever started the thread looks at it
        errors.append(error)
    finally:
        connection.close()


def all_work(seats: int) -> None:
    batch = many_seats(seats)
    names = [f"worker{i}" for i in range(WORKERS)]
    for name in names:
        cast.user(name)
    done: Counter[str] = Counter()
    errors: list[Exception] = []
    threads = [threading.Thread(target=career, args=(batch, name, done, errors)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    # A worker sits at each task once, so the last seats may be left when the others are gone.
    left = Assignment.objects.filter(batch=batch, status=Seat.OPEN).count()
    assert sum(done.values()) == TrackSet.objects.count() == seats - left and left == 0
    assert Task.objects.filter(batch=batch).exclude(status=TaskStatus.FILLED).count() == 0
    assert len(done) > 1  # SQLite has one writer and is not fair


@pytest.fixture(autouse=True)
def nobody_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "wake", lambda key: None)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_two_hundred_seats() -> None:
    all_work(200)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(1200)
def test_eight_workers_at_two_thousand_seats() -> None:
    all_work(2000)
