"""A manager's word on many submissions, and what came of it."""

from __future__ import annotations

from rest_framework import serializers

from annotation.answering import LONGEST_KEY
from crowd.awaiting import MOST, Outcome
from crowd.lifecycle import Seat


class DecideManySerializer(serializers.Serializer):
    reason = serializers.CharField()
    ids = serializers.ListField(child=serializers.CharField(max_length=LONGEST_KEY), allow_empty=False, max_length=MOST)


class DecideAllSerializer(serializers.Serializer):
    reason = serializers.CharField()
    # Only what was submitted in this one.
    batch = serializers.CharField(required=False, allow_null=True)


class DecidedSerializer(serializers.Serializer):
    id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    status = serializers.ChoiceField(choices=Seat.choices, allow_null=True)
    # Who accepted or rejected it, or "rule".
    decided_by = serializers.CharField(allow_null=True)


class DecidedManySerializer(serializers.Serializer):
    results = DecidedSerializer(many=True)


class DecidedAllSerializer(DecidedManySerializer):
    left = serializers.IntegerField()
