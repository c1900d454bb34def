"""Seats: one row per chance to do a task, opened empty, filled by a claim, ended or submitted, never reused."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.ids import new_id
from crowd import lifecycle
from crowd.lifecycle import Seat


class Assignment(models.Model):
    """One worker's seat at a task. An `extra` seat is only scored against gold and never counts towards consensus."""

    # No indexes for single columns: those below begin with them. A move writes into every index of the table, and a
    # claim's plan weighs each of them many times over.
    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    task = models.ForeignKey("crowd.Task", on_delete=models.CASCADE, related_name="assignments", db_index=False)
    # Of the task, again: a claim looks through one batch's open seats and joins nothing.
    batch = models.ForeignKey("crowd.Batch", on_delete=models.CASCADE, related_name="assignments", db_index=False)
    project = models.ForeignKey(
        "annotation.Project", on_delete=models.CASCADE, related_name="assignments", db_index=False
    )
    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    extra = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=Seat.choices, default=Seat.OPEN)
    priority = models.IntegerField(default=0)
    token = models.CharField(max_length=32, null=True)
    slot = models.PositiveSmallIntegerField(null=True)
    lease_until = models.DateTimeField(null=True)
    renewals = models.PositiveSmallIntegerField(default=0)
    reward_micros = models.BigIntegerField(default=0)
    track_set = models.OneToOneField(
        "annotation.TrackSet", null=True, on_delete=models.PROTECT, related_name="assignment"
    )
    created_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    # As the worker's browser measured it; the server's own measure is submitted_at − claimed_at.
    client_work_s = models.FloatField(null=True)
    reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "worker"], name="a_worker_sits_at_a_task_once"),
            models.UniqueConstraint(fields=["worker", "project", "slot"], name="a_slot_holds_one_seat"),
            models.CheckConstraint(
                condition=lifecycle.OPEN_SEAT
                | lifecycle.HELD_SEAT
                | lifecycle.FILLED_SEAT
                | lifecycle.ENDED_SEAT
                | lifecycle.WITHDRAWN_SEAT,
                name="a_seat_is_in_one_possible_state",
            ),
            models.CheckConstraint(condition=Q(reward_micros__gte=0), name="a_reward_is_not_negative"),
            models.CheckConstraint(
                condition=~Q(status=Seat.REJECTED) | ~Q(reason=""), name="a_rejected_submission_has_a_reason"
            ),
        ]
        indexes = [
            # The claim: the best priority first, from a random id onwards.
            models.Index(
                fields=["batch", "extra", "-priority", "id"], condition=Q(status="open"), name="open_seats_to_claim"
            ),
            # The sweep, which alone says that there is a slot: while statistics know of no held seat, an index of all
            # held ones looks cheaper than a worker's own list, or than the key of one seat.
            models.Index(fields=["lease_until"], condition=Q(slot__isnull=False), name="seats_by_lease"),
            # A worker's own list, and what they hold in a project.
            models.Index(fields=["worker", "status", "project"], name="seats_of_a_worker"),
            # Progress and the state of a task.
            models.Index(fields=["project", "status"], name="seats_of_a_project"),
            models.Index(fields=["batch", "status"], name="seats_of_a_batch"),
        ]


class Draft(models.Model):
    """What a worker has drawn so far, as sent."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, primary_key=True, related_name="draft")
    # JSON as text: jsonb would refuse what a browser may well send (a NUL), and nothing that was sent is lost.
    body = models.TextField()
    saved_at = models.DateTimeField(db_default=Now())
    # By which page, in that page's own word, and how often it was saved by anybody: who saves says what they know of.
    page = models.CharField(max_length=64, default="", db_default="", blank=True)
    version = models.PositiveIntegerField(default=1, db_default=1)


class LateBody(models.Model):
    """A submission that came after its lease: kept for a manager to salvage, never paid by itself."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, primary_key=True, related_name="late_body")
    body = models.TextField()
    came_at = models.DateTimeField(db_default=Now())
    salvaged_at = models.DateTimeField(null=True)


class Ghost(models.Model):
    """What a worker was shown of a neighbouring segment when they sat down: its boxes on `[start, stop)`."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="ghosts")
    # -1: of the segment before, 1: of the one after.
    side = models.SmallIntegerField()
    track_set = models.ForeignKey("annotation.TrackSet", on_delete=models.PROTECT, related_name="+")
    start = models.PositiveIntegerField()
    stop = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "side"], name="a_seat_has_one_ghost_a_side"),
            models.CheckConstraint(condition=Q(side__in=(-1, 1)), name="a_ghost_has_a_side"),
            models.CheckConstraint(condition=Q(stop__gt=F("start")), name="a_ghost_has_frames"),
        ]


class Transition(models.Model):
    """One move of a seat. Written in the transaction of the move: history, statistics and news at once."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="transitions")
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="+")
    from_status = models.CharField(max_length=16, blank=True, default="")
    to_status = models.CharField(max_length=16, choices=Seat.choices)
    # Null: the machine.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(default="", blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["project", "at"], name="moves_of_a_project_by_time")]
