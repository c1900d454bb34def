"""Qualification, accounts of one person, and what becomes of gold, as they are answered."""

from __future__ import annotations

from rest_framework import serializers

from annotation.core.languages import MOST_LANGUAGES, TAG
from crowd.models import GoldEvent


class ScoresField(serializers.DictField):
    """Shares by component; null where there was nothing to look at."""

    child = serializers.FloatField(allow_null=True)


class QualificationRulesSerializer(serializers.Serializer):
    """Gold to pass before real work: ids of gold, or how many of the project's oldest."""

    gold = serializers.JSONField()
    marks = serializers.DictField(child=serializers.FloatField(), required=False)
    attempts = serializers.IntegerField(required=False)
    wait_s = serializers.IntegerField(required=False)
    feedback = serializers.BooleanField(required=False)
    instructions = serializers.CharField(required=False, allow_blank=True)
    reward_micros = serializers.IntegerField(required=False)


class TrainingTasksSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    held = serializers.IntegerField()
    submitted = serializers.IntegerField()
    graded = serializers.IntegerField()
    left = serializers.IntegerField()


class QualificationSerializer(serializers.Serializer):
    """A worker's own state in one project."""

    name = serializers.CharField()
    status = serializers.ChoiceField(choices=["training", "waiting", "passed", "failed"])
    attempt = serializers.IntegerField()
    attempts = serializers.IntegerField(allow_null=True)
    tasks = TrainingTasksSerializer()
    marks = serializers.DictField(child=serializers.FloatField())
    scores = ScoresField()
    instructions = serializers.CharField(allow_blank=True)
    retry_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class FeedbackBoxSerializer(serializers.Serializer):
    label = serializers.CharField()
    box = serializers.ListField(child=serializers.FloatField())


class FeedbackIntervalSerializer(serializers.Serializer):
    label = serializers.CharField()
    start = serializers.IntegerField()
    stop = serializers.IntegerField()


class FeedbackIntervalsSerializer(serializers.Serializer):
    yours = FeedbackIntervalSerializer(many=True)
    gold = FeedbackIntervalSerializer(many=True)


class FeedbackFrameSerializer(serializers.Serializer):
    """A picture, and what was drawn on it: by the worker, and by gold."""

    frame = serializers.IntegerField()
    url = serializers.CharField()
    agreement = serializers.FloatField()
    yours = FeedbackBoxSerializer(many=True)
    gold = FeedbackBoxSerializer(many=True)
    # What goes on on this frame; only where there are intervals at all.
    intervals = FeedbackIntervalsSerializer(required=False)


class FeedbackSerializer(serializers.Serializer):
    """One graded piece of training."""

    assignment = serializers.CharField()
    project = serializers.CharField()
    name = serializers.CharField()
    attempt = serializers.IntegerField()
    scores = ScoresField()
    missed = serializers.ListField(child=serializers.CharField())
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    frames = FeedbackFrameSerializer(many=True)
    graded_at = serializers.DateTimeField()


class WorkerQualificationSerializer(serializers.Serializer):
    """A worker's state as a manager sees it; `by` and `reason` where a person decided."""

    user = serializers.CharField()
    status = serializers.ChoiceField(choices=["training", "waiting", "passed", "failed"])
    attempt = serializers.IntegerField()
    scores = ScoresField()
    marks = serializers.DictField(child=serializers.FloatField())
    retry_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    by = serializers.CharField(allow_null=True)


class SamePersonInSerializer(serializers.Serializer):
    user = serializers.CharField()
    reason = serializers.CharField()


class SamePersonSerializer(serializers.Serializer):
    """Two accounts told to be one person."""

    id = serializers.CharField()
    users = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class MeInSerializer(serializers.Serializer):
    languages = serializers.ListField(child=serializers.RegexField(f"^{TAG}$"), max_length=MOST_LANGUAGES)


class GoldEventSerializer(serializers.Serializer):
    """Who did it under the name that the context's reader may know; null for a rule."""

    kind = serializers.ChoiceField(choices=["retired", "restored", "flagged"])
    by = serializers.SerializerMethodField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()

    def get_by(self, event: GoldEvent) -> str | None:
        return self.context["reader"].name_of(event.by)
