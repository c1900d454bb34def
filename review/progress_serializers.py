"""What progress looks like."""

from __future__ import annotations

from rest_framework import serializers

from crowd.serializers import SeatCountsSerializer, SegmentCountsSerializer, TaskCountsSerializer


class WorkTimeSerializer(serializers.Serializer):
    median = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)


class FrameCountsSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    accepted = serializers.IntegerField()


class AgreementSerializer(serializers.Serializer):
    mean = serializers.FloatField(allow_null=True)
    alpha = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class BenchmarkSerializer(serializers.Serializer):
    mean = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()


class RedundancySerializer(serializers.Serializer):
    mean = serializers.FloatField(allow_null=True)
    saved = serializers.IntegerField()
    # How often one more worker was wanted, by why: agreement, gain, empty, first.
    why = serializers.DictField(child=serializers.IntegerField())
    # How often that one was not asked for, by what kept it: budget, max_redundancy, verdict.
    withheld = serializers.DictField(child=serializers.IntegerField())


class CostSerializer(serializers.Serializer):
    spent = serializers.IntegerField()
    expected = serializers.IntegerField()


class EtaSerializer(serializers.Serializer):
    expected = serializers.DateTimeField(allow_null=True)
    low = serializers.DateTimeField(allow_null=True)
    high = serializers.DateTimeField(allow_null=True)


class AlarmSerializer(serializers.Serializer):
    """Something that a manager should look at now."""

    code = serializers.ChoiceField(choices=["starving", "budget", "quiet", "jobs_wait", "jobs_fail", "sweep_late"])
    message = serializers.CharField()


class ProgressSerializer(serializers.Serializer):
    segments = SegmentCountsSerializer()
    tasks = TaskCountsSerializer()
    seats = SeatCountsSerializer()
    submissions = serializers.IntegerField()
    submissions_per_hour = serializers.IntegerField()
    accepted_segments_per_hour = serializers.IntegerField()
    frames = FrameCountsSerializer()
    workers_active = serializers.IntegerField()
    work_s = WorkTimeSerializer()
    stuck_leases = serializers.IntegerField()
    starving_tasks = serializers.IntegerField()
    alarms = AlarmSerializer(many=True)
    agreement = AgreementSerializer()
    benchmark_score = BenchmarkSerializer()
    redundancy = RedundancySerializer()
    cost_micros = CostSerializer()
    eta_at = EtaSerializer()
    seq = serializers.IntegerField()
