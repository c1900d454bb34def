from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from crowd.lifecycle import Standing


class Sanction(models.Model):
    """A worker paused or banned in a project, by whom and why. Lifted, the row stays as history."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="sanctions")
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sanctions")
    kind = models.CharField(max_length=16, choices=Standing.choices)
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    lifted_reason = models.TextField(default="", blank=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "worker"], condition=Q(lifted_at__isnull=True), name="a_worker_has_one_standing"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_sanction_has_a_reason"),
        ]


class SamePerson(models.Model):
    """A manager's word that two accounts are one person: they never both sit at one task of the project."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="same_persons")
    # The ids are in order, so that a pair is one row whichever way round it was told.
    one = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    lifted_reason = models.TextField(default="", blank=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "one", "other"],
                condition=Q(lifted_at__isnull=True),
                name="two_accounts_are_told_once",
            ),
            models.CheckConstraint(condition=Q(one__lt=models.F("other")), name="two_accounts_are_in_order"),
            models.CheckConstraint(condition=~Q(reason=""), name="a_same_person_has_a_reason"),
        ]
