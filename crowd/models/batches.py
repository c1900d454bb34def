"""Policies, batches, tasks, and what is known beforehand: gold and pre-labels."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.ids import new_id
from crowd.lifecycle import BatchStatus, GoldMove, TaskStatus


class Policy(models.Model):
    """How a project's work is given out (fields in `crowd.policies`). A change is a new version."""

    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="policies")
    version = models.PositiveIntegerField()
    values = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="a_policy_version_is_written_once")]


class Batch(models.Model):
    """One run of a project's segments through the crowd, under the policy and ontology of its launch."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="batches")
    ontology = models.ForeignKey("annotation.Ontology", on_delete=models.PROTECT, related_name="+")
    # The whole policy as launched: the project's, with what the launch itself changed. Its budget alone may change
    # later, see BudgetChange.
    policy = models.JSONField()
    status = models.CharField(max_length=16, choices=BatchStatus.choices, default=BatchStatus.OPENING)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())


class BudgetChange(models.Model):
    """What a manager made of a batch's budget, none where it has no bound."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="budget_changes")
    before_micros = models.BigIntegerField(null=True)
    after_micros = models.BigIntegerField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(before_micros=None) | Q(before_micros__gte=0))
                & (Q(after_micros=None) | Q(after_micros__gte=0)),
                name="a_budget_is_not_below_zero",
            )
        ]


class BatchVideo(models.Model):
    """A video in a batch. Its cut is there once the video is ready."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="batch_videos")
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="batch_videos")
    cut = models.OneToOneField("annotation.Cut", null=True, on_delete=models.SET_NULL, related_name="batch_video")
    # False once the batch is cancelled.
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "video"], name="a_video_is_once_in_a_batch"),
            models.UniqueConstraint(fields=["video"], condition=Q(live=True), name="a_video_is_in_one_live_batch"),
        ]


class Task(models.Model):
    """One segment to be done by several workers."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="tasks")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    segment = models.OneToOneField("annotation.Segment", on_delete=models.CASCADE, related_name="task")
    status = models.CharField(max_length=16, choices=TaskStatus.choices, default=TaskStatus.OPENING)
    reason = models.TextField(default="", blank=True)
    # The gold that the segment lies inside.
    gold = models.ForeignKey("crowd.Gold", null=True, on_delete=models.SET_NULL, related_name="tasks")
    # What was decided of it.
    outcome = models.ForeignKey("annotation.TrackSet", null=True, on_delete=models.SET_NULL, related_name="+")
    # Higher goes first.
    priority = models.IntegerField(default=0)
    # Seats that a person granted beyond the policy's bound.
    asked = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    opened_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=TaskStatus.QUARANTINED) | ~Q(reason=""), name="a_quarantined_task_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(status=TaskStatus.DONE, done_at__isnull=False) | ~Q(status=TaskStatus.DONE),
                name="a_done_task_knows_when",
            ),
        ]
        indexes = [models.Index(fields=["batch", "status"], name="tasks_of_a_batch_by_status")]


class Gold(models.Model):
    """A TrackSet known to be right. Segments inside `[start, stop)` can be given out as gold."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="gold")
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="gold")
    start = models.PositiveIntegerField()
    stop = models.PositiveIntegerField()
    track_set = models.OneToOneField("annotation.TrackSet", on_delete=models.PROTECT, related_name="gold")
    # Given out no more, with the reason.
    retired_at = models.DateTimeField(null=True)
    retired_reason = models.TextField(default="", blank=True)
    # Trusted workers fail it: nobody is scored against it until a manager has looked. `evidence` says how many.
    flagged_at = models.DateTimeField(null=True)
    evidence = models.JSONField(null=True)
    # A manager looked, and it is right: it is flagged no more.
    cleared_at = models.DateTimeField(null=True)
    # Gold made of a consensus: those whose work it was are not scored against it.
    from_task = models.ForeignKey("crowd.Task", null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(stop__gt=F("start")), name="gold_has_frames"),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True) | ~Q(retired_reason=""), name="retired_gold_has_a_reason"
            ),
        ]
        indexes = [models.Index(fields=["video", "start"], name="gold_of_a_video")]


class GoldEvent(models.Model):
    """What became of gold, when and why: retired, restored or flagged, by a person or (null) by the machine."""

    gold = models.ForeignKey(Gold, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=GoldMove.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField(db_default=Now())


class PreLabels(models.Model):
    """A model's tracks of a video, shown to workers as a draft. The newest of a video counts."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="pre_labels")
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="pre_labels")
    track_set = models.OneToOneField("annotation.TrackSet", on_delete=models.PROTECT, related_name="pre_labels")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())


class PreLabelsPiece(models.Model):
    """What pre-labels say of one segment, cut beforehand: a claim would read the tracks of a whole video for it."""

    pre_labels = models.ForeignKey(PreLabels, on_delete=models.CASCADE, related_name="pieces")
    segment = models.ForeignKey("annotation.Segment", on_delete=models.CASCADE, related_name="+")
    track_set = models.OneToOneField("annotation.TrackSet", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pre_labels", "segment"], name="pre_labels_are_cut_once_for_a_segment"),
        ]
