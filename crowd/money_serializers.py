"""What the addresses about money take and answer. Amounts are millionths of the currency."""

from __future__ import annotations

from rest_framework import serializers

from crowd.lifecycle import DisputeStatus, EntryKind, PayoutStatus

MOST_MICROS = 10**15
STATES = ["due", "under_way", "paid"]


class BalanceSerializer(serializers.Serializer):
    """`due_micros` is what no payout holds; below zero it is a debt."""

    currency = serializers.CharField()
    earned_micros = serializers.IntegerField()
    paid_micros = serializers.IntegerField()
    under_way_micros = serializers.IntegerField()
    due_micros = serializers.IntegerField()


class WorkerBalancesSerializer(serializers.Serializer):
    user = serializers.CharField()
    balances = BalanceSerializer(many=True)


class EarningSerializer(serializers.Serializer):
    """An entry of one's own ledger. `state` says whether a payout holds it; `reference` which one."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=EntryKind.values)
    words = serializers.CharField()
    amount_micros = serializers.IntegerField()
    currency = serializers.CharField()
    project = serializers.CharField()
    assignment = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=STATES)
    reference = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class EntrySerializer(EarningSerializer):
    user = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    reverses = serializers.CharField(allow_null=True)


class BonusInSerializer(serializers.Serializer):
    user = serializers.CharField(max_length=150, help_text="The worker's id or name.")
    amount_micros = serializers.IntegerField(min_value=1, max_value=MOST_MICROS)
    reason = serializers.CharField(max_length=10_000)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False, help_text="The policy's, unless given.")


class DisputeSerializer(serializers.Serializer):
    id = serializers.CharField()
    assignment = serializers.CharField()
    project = serializers.CharField()
    status = serializers.ChoiceField(choices=DisputeStatus.values)
    reason = serializers.CharField()
    answer = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class ManagedDisputeSerializer(DisputeSerializer):
    """`work` is the state of the disputed assignment."""

    user = serializers.CharField()
    answered_by = serializers.CharField(allow_null=True)
    work = serializers.CharField()


class LineCountsSerializer(serializers.Serializer):
    locked = serializers.IntegerField()
    sending = serializers.IntegerField()
    paid = serializers.IntegerField()
    failed = serializers.IntegerField()
    unknown = serializers.IntegerField()


class PayoutTotalSerializer(serializers.Serializer):
    currency = serializers.CharField()
    amount_micros = serializers.IntegerField()
    paid_micros = serializers.IntegerField()


class PayoutSerializer(serializers.Serializer):
    id = serializers.CharField()
    project = serializers.CharField()
    status = serializers.ChoiceField(choices=PayoutStatus.values)
    provider = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    lines = LineCountsSerializer()
    totals = PayoutTotalSerializer(many=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    locked_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)


class PayoutStepSerializer(serializers.Serializer):
    to = serializers.ChoiceField(choices=PayoutStatus.values)
    reason = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        """`from` is no name in Python."""
        return {"from": serializers.CharField(allow_blank=True), **super().get_fields()}


class PayoutDetailSerializer(PayoutSerializer):
    steps = PayoutStepSerializer(many=True)


class PayoutLineSerializer(serializers.Serializer):
    id = serializers.CharField()
    user = serializers.CharField()
    currency = serializers.CharField()
    amount_micros = serializers.IntegerField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=[s for s in PayoutStatus.values if s != PayoutStatus.DRAFT])
    reason = serializers.CharField(allow_blank=True)
    settled_at = serializers.DateTimeField(allow_null=True)


class StatementInSerializer(serializers.Serializer):
    """A statement; `final` where it is the provider's last word on this payout."""

    file = serializers.FileField()
    final = serializers.BooleanField(default=False)


class ClearedSerializer(serializers.Serializer):
    """How many lines a statement settled, and of how many it told nothing new."""

    paid = serializers.IntegerField()
    failed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    payout = PayoutSerializer()
