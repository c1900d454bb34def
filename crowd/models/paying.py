from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from crowd.lifecycle import EntryKind


class LedgerEntry(models.Model):
    """Money owed to a worker (positive) or taken back or paid out (negative). Rows are never changed."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="ledger")
    project = models.ForeignKey("annotation.Project", on_delete=models.PROTECT, related_name="ledger")
    assignment = models.ForeignKey("crowd.Assignment", null=True, on_delete=models.PROTECT, related_name="ledger")
    kind = models.CharField(max_length=16, choices=EntryKind.choices)
    # An accrual of an assignment that was reversed and accepted again has the next round.
    round = models.PositiveSmallIntegerField(default=0)
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=100, default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "kind", "round"],
                condition=Q(kind__in=[EntryKind.ACCRUAL, EntryKind.REVERSAL]),
                name="an_acceptance_is_paid_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[EntryKind.ACCRUAL, EntryKind.BONUS], amount_micros__gte=0)
                | Q(kind__in=[EntryKind.REVERSAL, EntryKind.PAYOUT], amount_micros__lte=0),
                name="an_entry_has_the_sign_of_its_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[EntryKind.ACCRUAL, EntryKind.REVERSAL]) | Q(assignment__isnull=False),
                name="pay_for_work_names_the_work",
            ),
        ]
        indexes = [models.Index(fields=["worker", "project"], name="ledger_of_a_worker")]
