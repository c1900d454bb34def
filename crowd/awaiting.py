"""Submissions on which a manager has the word: the rule did not accept them, or they came late."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from annotation.models import Project
from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment

WITH = ("worker", "task__segment__video", "score", "peer_score", "batch")


def below_the_floor(project: Project) -> QuerySet[Assignment]:
    """What was submitted at tasks that are decided, and not accepted with them; the oldest first.

    Extra seats are settled a while after they were scored, so of these only what failed waits for anybody.
    """
    seats = Assignment.objects.filter(project=project, status=Seat.SUBMITTED, task__status=TaskStatus.DONE)
    return seats.filter(Q(extra=False) | Q(score__passed=False)).select_related(*WITH).order_by("submitted_at", "pk")


def late(project: Project) -> QuerySet[Assignment]:
    """What came after its lease and can still be taken in, the latest first."""
    over = Assignment.objects.filter(project=project, status__in=(Seat.EXPIRED, Seat.REVOKED))
    kept = over.filter(late_body__salvaged_at=None, late_body__isnull=False)
    return kept.select_related(*WITH, "late_body").order_by("-late_body__came_at", "pk")
