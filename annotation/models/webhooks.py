"""Addresses that are told of what happens in a project, and each telling."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from annotation.lifecycle import DeliveryStatus


class Webhook(models.Model):
    """An address that is told of some kinds of events of a project."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=2000)
    events = models.JSONField()
    # Needed as it is to sign; no answer ever holds it.
    secret = models.CharField(max_length=200)
    enabled = models.BooleanField(default=True)
    # Why it was switched off by itself.
    reason = models.TextField(default="", blank=True)
    # After a failure nothing is sent until then, so that one dead address does not keep the workers waiting.
    rests_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())


class Delivery(models.Model):
    """One event for one address: what is sent, and what became of every attempt."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    # The very bytes that are signed and sent, as text.
    body = models.TextField()
    status = models.CharField(max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING)
    # `tries` since it was last wanted; `attempts` are all that there were, the latest last.
    tries = models.PositiveSmallIntegerField(default=0)
    attempts = models.JSONField(default=list)
    next_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status=DeliveryStatus.WAITING, ended_at__isnull=True)
                | ~Q(status=DeliveryStatus.WAITING) & Q(ended_at__isnull=False),
                name="a_delivery_that_ended_knows_when",
            ),
            models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="a_delivery_has_a_known_state"),
        ]
        indexes = [
            models.Index(fields=["webhook", "created_at"], name="deliveries_of_a_webhook"),
            models.Index(fields=["next_at"], condition=Q(status="waiting"), name="deliveries_that_wait"),
        ]
