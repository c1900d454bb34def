from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from annotation.ids import new_id
from annotation.lifecycle import JOB_LEASED, JOB_UNLEASED, JobStatus


class Job(models.Model):
    """Machine work: `kind` names the handler, `subject` the row that it is about.

    Written in the transaction of the state that wants it; the message queue is only a wake-up. Wanting a job that is
    queued already touches its `wanted_at`: that row lock makes the job start after the wanting transaction commits, so
    that it sees what was written there. A job that runs already does not count: a fresh one is queued behind it.
    """

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    status = models.CharField(max_length=16, choices=JobStatus.choices, default=JobStatus.QUEUED)
    # "kind:subject" while queued, else null.
    queued_key = models.CharField(max_length=125, null=True, unique=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    token = models.CharField(max_length=16, null=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(db_default=Now())
    progress = models.FloatField(null=True)
    reason = models.TextField(default="", blank=True)
    wanted_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=JOB_LEASED | JOB_UNLEASED, name="only_a_running_job_has_a_lease"),
            models.CheckConstraint(
                condition=Q(status=JobStatus.QUEUED, queued_key__isnull=False)
                | ~Q(status=JobStatus.QUEUED) & Q(queued_key__isnull=True),
                name="only_a_queued_job_has_a_key",
            ),
            models.CheckConstraint(
                condition=~Q(status=JobStatus.QUARANTINED) | ~Q(reason=""), name="a_quarantined_job_has_a_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(status="queued"), name="queued_jobs_to_wake"),
            models.Index(fields=["lease_until"], condition=Q(status="running"), name="running_jobs_to_reclaim"),
            models.Index(fields=["kind", "subject"], name="jobs_of_a_subject"),
        ]

    def waited(self) -> timedelta:
        """How long ago it was queued first, by the database's clock; to be wanted once more changes nothing."""
        since = ExpressionWrapper(Now() - F("created_at"), output_field=DurationField())
        return Job.objects.filter(pk=self.pk).values_list(since, flat=True).get()
