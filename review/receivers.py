"""News from the crowd."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from annotation.queue import want
from crowd.models import Assignment
from crowd.signals import submission_changed


@receiver(submission_changed)
def judge(*, assignment: Assignment, change: str, **_: Any) -> None:
    """A submission came or was taken back: score it where there is gold, and judge its task."""
    if change == "received" and assignment.task.gold_id is not None:
        want("score", assignment.pk)
    if not assignment.extra:
        want("reconcile", assignment.task_id)
