from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from crowd.lifecycle import EntryKind

GAINS = (EntryKind.ACCRUAL, EntryKind.BONUS)
LOSSES = (EntryKind.REVERSAL, EntryKind.PAYOUT)


class LedgerEntry(models.Model):
    """Money owed to a worker (positive) or taken back or paid out (negative).

    Rows are only ever added: the database itself refuses to change or delete one (migration 0006).
    """

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="ledger", db_index=False
    )
    project = models.ForeignKey("annotation.Project", on_delete=models.PROTECT, related_name="ledger", db_index=False)
    assignment = models.ForeignKey("crowd.Assignment", null=True, on_delete=models.PROTECT, related_name="ledger")
    kind = models.CharField(max_length=16, choices=EntryKind.choices)
    # An accrual of an assignment that was reversed and accepted again has the next round.
    round = models.PositiveSmallIntegerField(default=0)
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # Of the payout line, for what was paid out or carried over.
    reference = models.CharField(max_length=100, default="", blank=True)
    # The bonus that a reversal takes back.
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    reason = models.TextField(default="", blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "kind", "round"],
                condition=Q(kind__in=[EntryKind.ACCRUAL, EntryKind.REVERSAL]),
                name="an_acceptance_is_paid_once",
            ),
            models.UniqueConstraint(
                fields=["reference"], condition=Q(kind=EntryKind.PAYOUT), name="a_reference_is_paid_out_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=GAINS, amount_micros__gte=0)
                | Q(kind__in=LOSSES, amount_micros__lte=0)
                | Q(kind=EntryKind.CARRY),
                name="an_entry_has_the_sign_of_its_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind=EntryKind.ACCRUAL) | Q(assignment__isnull=False), name="pay_for_work_names_the_work"
            ),
            models.CheckConstraint(
                condition=~Q(kind=EntryKind.REVERSAL) | Q(assignment__isnull=False) | Q(reverses__isnull=False),
                name="a_reversal_names_what_it_reverses",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[EntryKind.PAYOUT, EntryKind.CARRY]) | ~Q(reference=""),
                name="what_was_paid_out_has_a_reference",
            ),
            models.CheckConstraint(condition=~Q(kind=EntryKind.BONUS) | ~Q(reason=""), name="a_bonus_has_a_reason"),
        ]
        indexes = [
            models.Index(fields=["worker", "project"], name="ledger_of_a_worker"),
            # A page of a project's ledger, the newest first.
            models.Index(fields=["project", "-created_at", "id"], name="ledger_of_a_project_by_time"),
        ]
