from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from crowd.lifecycle import DisputeStatus


class Dispute(models.Model):
    """A worker's word against a rejection, or against pay that does not come; and a manager's answer to it."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="disputes")
    assignment = models.ForeignKey("crowd.Assignment", on_delete=models.CASCADE, related_name="disputes")
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="disputes")
    status = models.CharField(max_length=16, choices=DisputeStatus.choices, default=DisputeStatus.OPEN)
    reason = models.TextField()
    answer = models.TextField(default="", blank=True)
    # Null once answered: a rule accepted the work in the meantime.
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(status=DisputeStatus.OPEN), name="an_assignment_has_one_open_dispute"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_dispute_has_a_reason"),
            models.CheckConstraint(
                condition=Q(status=DisputeStatus.OPEN, answered_at__isnull=True)
                | (~Q(status=DisputeStatus.OPEN) & Q(answered_at__isnull=False) & ~Q(answer="")),
                name="an_answered_dispute_has_its_answer",
            ),
        ]
        indexes = [models.Index(fields=["project", "status"], name="disputes_of_a_project")]
