"""News from the crowd."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from annotation.queue import want
from crowd.models import Assignment
from crowd.signals import submission_changed


@receiver(submission_changed)
def judge(*, assignment: Assignment, change: str, **_: Any) -> None:
    """A submission came or was taken back: its task is judged, by the same statements whether it is gold or not."""
    want("reconcile", assignment.task_id)
