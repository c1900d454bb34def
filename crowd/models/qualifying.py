"""Training: pieces of gold given out to whoever has to qualify, and how they fared."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from crowd.lifecycle import QualificationStatus


class TrainingTask(models.Model):
    """A task that shows one gold of a batch. A worker sits at a task once, so each further try has the next `round`."""

    task = models.OneToOneField("crowd.Task", on_delete=models.CASCADE, primary_key=True, related_name="training")
    batch = models.ForeignKey("crowd.Batch", on_delete=models.CASCADE, related_name="training_tasks")
    gold = models.ForeignKey("crowd.Gold", on_delete=models.CASCADE, related_name="training_tasks")
    round = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "gold", "round"], name="a_training_task_is_made_once"),
        ]


class Qualification(models.Model):
    """How far a worker has come in a project. Whoever passed stays qualified, whatever is asked of others later."""

    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="qualifications")
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="qualifications")
    status = models.CharField(max_length=16, choices=QualificationStatus.choices, default=QualificationStatus.TRAINING)
    attempt = models.PositiveSmallIntegerField(default=1)
    # Of the last attempt that was judged: means by component, and the marks that they were held against.
    scores = models.JSONField(default=dict)
    marks = models.JSONField(default=dict)
    retry_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    # Who decided, and why, where it was a person.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "worker"], name="a_worker_qualifies_once_in_a_project"),
            models.CheckConstraint(
                condition=Q(status=QualificationStatus.WAITING, retry_at__isnull=False)
                | ~Q(status=QualificationStatus.WAITING) & Q(retry_at__isnull=True),
                name="only_who_waits_may_retry_later",
            ),
            models.CheckConstraint(
                condition=Q(status=QualificationStatus.TRAINING) | Q(decided_at__isnull=False),
                name="a_qualification_knows_when_it_was_decided",
            ),
        ]


class Trial(models.Model):
    """One piece of gold drawn by somebody who qualifies, and what it was worth."""

    assignment = models.OneToOneField(
        "crowd.Assignment", on_delete=models.CASCADE, primary_key=True, related_name="trial"
    )
    qualification = models.ForeignKey(Qualification, on_delete=models.CASCADE, related_name="trials")
    gold = models.ForeignKey("crowd.Gold", on_delete=models.CASCADE, related_name="trials")
    attempt = models.PositiveSmallIntegerField()
    # The benchmark score, and for feedback some frames with the worker's boxes and gold's.
    figures = models.JSONField(null=True)
    frames = models.JSONField(default=list)
    graded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(figures__isnull=True) | Q(graded_at__isnull=False), name="a_graded_trial_knows_when"
            ),
        ]
        indexes = [models.Index(fields=["qualification", "attempt"], name="trials_of_an_attempt")]
