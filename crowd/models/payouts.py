"""Payouts: what a project's workers are owed at one moment, handed to a provider under references."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from crowd.lifecycle import PayoutStatus


def new_reference() -> str:
    """Letters and digits alone, so that every bank's form and every spreadsheet leaves it as it is."""
    return "TW" + new_id().upper()


class Payout(models.Model):
    """One run of payments. A draft holds nothing; locking it computes its lines from the ledger, once."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.PROTECT, related_name="payouts")
    status = models.CharField(max_length=16, choices=PayoutStatus.choices, default=PayoutStatus.DRAFT)
    provider = models.CharField(max_length=32, default="file")
    reason = models.TextField(default="", blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    locked_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    # When the provider had taken the orders.
    delivered_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PayoutStatus.values), name="a_payout_has_a_known_state"),
            models.CheckConstraint(
                condition=Q(status__in=[PayoutStatus.DRAFT, PayoutStatus.LOCKED, PayoutStatus.FAILED])
                | Q(locked_at__isnull=False, sent_at__isnull=False),
                name="what_was_sent_was_locked",
            ),
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="payouts_of_a_project")]


class PayoutLine(models.Model):
    """What one worker gets in one currency. Its reference is all that a provider needs to pay it only once."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="lines")
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_lines")
    currency = models.CharField(max_length=3)
    amount_micros = models.BigIntegerField()
    reference = models.CharField(max_length=35, default=new_reference, unique=True)
    status = models.CharField(max_length=16, choices=PayoutStatus.choices, default=PayoutStatus.LOCKED)
    reason = models.TextField(default="", blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payout", "worker", "currency"], name="a_payout_pays_a_worker_once_per_currency"
            ),
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="a_payout_line_pays_something"),
            models.CheckConstraint(
                condition=Q(status__in=[s for s in PayoutStatus.values if s != PayoutStatus.DRAFT]),
                name="a_payout_line_has_a_known_state",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[PayoutStatus.PAID, PayoutStatus.FAILED]) | Q(settled_at__isnull=False),
                name="a_settled_line_knows_when",
            ),
        ]
        indexes = [models.Index(fields=["payout", "status"], name="lines_of_a_payout")]


class PayoutItem(models.Model):
    """A ledger entry in a payout line. It is live until the line fails; then the entry is free for another line."""

    line = models.ForeignKey(PayoutLine, on_delete=models.PROTECT, related_name="items")
    entry = models.ForeignKey("crowd.LedgerEntry", on_delete=models.PROTECT, related_name="payout_items")
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=Q(live=True), name="an_entry_is_in_one_live_payout_at_most"
            ),
            models.UniqueConstraint(fields=["line", "entry"], name="an_entry_is_in_a_line_once"),
        ]


class PayoutStep(models.Model):
    """One move of a payout (no line) or of a line. Written in the transaction of the move."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="steps")
    line = models.ForeignKey(PayoutLine, null=True, on_delete=models.PROTECT, related_name="steps")
    from_status = models.CharField(max_length=16, blank=True, default="")
    to_status = models.CharField(max_length=16, choices=PayoutStatus.choices)
    # Null: the machine.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(default="", blank=True)
    at = models.DateTimeField(db_default=Now())
