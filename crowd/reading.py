"""A seat with all that a request at work needs of it, in one plain statement.

Every worker waits for these. Through the ORM, building the query and the rows took longer than the database did. What
a task shows is not kept in memory: gold's tasks are given out more often, so they would be found there more often, and
answered sooner.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model

from annotation import clock, planning
from annotation.models import Clip, Ontology, Project, Segment, User, Video
from crowd.models import Assignment, Batch, Task
from crowd.prelabelling import NEWEST

Columns = dict[type[Model], tuple[str, ...]]
ALIASES = {Assignment: "a", Project: "p", Batch: "b", Task: "t", Segment: "s", Video: "v", Clip: "c"}


def _in_order(columns: Columns) -> Columns:
    """The columns as their models have them, for that is how `from_db` takes values."""
    return {
        model: tuple(f.attname for f in model._meta.concrete_fields if f.attname in names)
        for model, names in columns.items()
    }


def _select(columns: Columns, rest: str) -> str:
    names = (f'{ALIASES[model]}."{name}"' for model, some in columns.items() for name in some)
    return f"SELECT {', '.join(names)} {rest}"


BATCH_COLUMNS = ("id", "ontology_id", "policy")
# What reading and storing a submission asks of its seat.
WORK_COLUMNS = _in_order(
    {
        Assignment: ("id", "task_id", "batch_id", "project_id", "worker_id", "extra", "status"),
        Batch: BATCH_COLUMNS,
        Task: ("id", "segment_id"),
        Segment: ("id", "video_id", "start", "stop"),
        Video: ("id", "width", "height"),
    }
)
WORK = _select(
    WORK_COLUMNS,
    """FROM crowd_assignment a JOIN crowd_batch b ON b.id = a.batch_id JOIN crowd_task t ON t.id = a.task_id
    JOIN annotation_segment s ON s.id = t.segment_id JOIN annotation_video v ON v.id = s.video_id
    WHERE a.id = %s AND a.worker_id = %s""",
)
# What a worker is told who has just sat down: nothing was drawn yet.
SEAT_COLUMNS = _in_order(
    {
        Assignment: (
            *("id", "task_id", "batch_id", "project_id", "worker_id", "extra", "status", "token"),
            *("track_set_id", "lease_until", "renewals", "reward_micros"),
        ),
        Project: ("id", "name", "instructions"),
        Batch: BATCH_COLUMNS,
    }
)
SEAT = _select(
    SEAT_COLUMNS,
    """FROM crowd_assignment a JOIN annotation_project p ON p.id = a.project_id
    JOIN crowd_batch b ON b.id = a.batch_id WHERE a.id = %s AND a.worker_id = %s""",
)
PLACE_COLUMNS = _in_order(
    {
        Task: ("id", "project_id", "batch_id", "segment_id"),
        Segment: ("id", "video_id", "cut_id", "index", "start", "stop"),
        Video: ("id", "width", "height"),
        Clip: ("segment_id", "width", "height", "frame_times_s"),
    }
)
PLACE = _select(
    PLACE_COLUMNS,
    f""", {NEWEST.format(segment="s.id", project="t.project_id", video="s.video_id")}
    FROM crowd_task t JOIN annotation_segment s ON s.id = t.segment_id
    JOIN annotation_video v ON v.id = s.video_id JOIN annotation_clip c ON c.segment_id = s.id WHERE t.id = %s""",
)


def seat_at_work(pk: str, worker: User) -> Assignment | None:
    """A seat of this worker's with as much of its batch, task, segment and video as a submission needs."""
    planning.look_at(Assignment._meta.db_table)
    found = _rows(WORK_COLUMNS, WORK, [pk, worker.pk])
    if found is None:
        return None
    seat, batch, task, segment, video = found
    batch.policy = json.loads(batch.policy)
    seat.batch, seat.task, task.segment, segment.video = batch, task, segment, video
    return seat


def seat_just_taken(seat: Assignment, worker: User) -> Assignment | None:
    """A seat on which this worker has just sat down, as whole as its body asks; what the claim read is kept."""
    known = seat if {"batch", "project"} <= seat._state.fields_cache.keys() else _known(seat.pk, worker)
    place = _rows(PLACE_COLUMNS, PLACE, [seat.task_id])
    if known is None or place is None:
        return None
    seat, batch = known, known.batch
    task, segment, video, clip, task.newest_pre_labels = place
    clip.frame_times_s = json.loads(clip.frame_times_s)
    batch.ontology = Ontology(id=batch.ontology_id, labels=_labels(batch.ontology_id))
    seat.task, seat.track_set = task, None
    Assignment._meta.get_field("draft").set_cached_value(seat, None)
    task.batch, task.segment, segment.video, segment.clip = batch, segment, video, clip
    return seat


def _known(pk: str, worker: User) -> Assignment | None:
    found = _rows(SEAT_COLUMNS, SEAT, [pk, worker.pk])
    if found is None:
        return None
    seat, seat.project, seat.batch = found
    seat.lease_until, seat.batch.policy = clock.read(seat.lease_until), json.loads(seat.batch.policy)
    return seat


@lru_cache(maxsize=256)
def _labels(ontology_id: int) -> Any:
    """A version of an ontology never changes, so it is read once."""
    return Ontology.objects.values_list("labels", flat=True).get(pk=ontology_id)


def _rows(columns: Columns, statement: str, params: list[Any]) -> list[Any] | None:
    with planning.cursor() as cursor:
        cursor.execute(statement, params)
        row = cursor.fetchone()
    return None if row is None else list(_made_of(columns, row))


def _made_of(columns: Columns, row: tuple[Any, ...]) -> Iterator[Any]:
    values = iter(row)
    for model, names in columns.items():
        yield model.from_db(connection.alias, names, [next(values) for _ in names])
    yield from values
