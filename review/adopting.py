"""Segments inside the gold of a qualification: everybody who works was shown their answer, so gold is the answer.

It is known to be right, and asking people who saw it would measure nothing and cost something.
"""

from __future__ import annotations

from django.db import transaction

from annotation import recording
from annotation.core.clipping import clip_to
from annotation.lifecycle import Source
from annotation.queue import want
from crowd import completing, training
from crowd.lifecycle import TaskStatus
from crowd.seating import lock_task
from review.deciding import stitch_after_s
from review.importing import accept_all

METHOD = "gold"


@transaction.atomic
def adopt_gold(*, task_id: str) -> bool:
    """Accept the gold over a task that nobody began. False: there is none to adopt, or somebody sits there."""
    task = lock_task(task_id)
    if task.status not in (TaskStatus.OPENING, TaskStatus.OPEN) or task.gold is None:
        return False
    if not training.is_shown(task) or completing.was_begun(task):
        return False
    part = clip_to(recording.load(task.gold.track_set), task.segment.start, task.segment.stop)
    track_set = recording.store(tracks=part, video=task.segment.video, source=Source.CONSENSUS)
    accept_all(task.batch, [task], [part], [track_set], None, method=METHOD)
    completing.finish(task=task)
    want("stitch_video", task.segment.video_id, delay_s=stitch_after_s(task.segment.video_id))
    return True
