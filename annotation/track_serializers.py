"""The shape of tracks and intervals in the OpenAPI schema. What is read is checked by `core.parsing`, not by these."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"type": "array", "items": {"type": "number"}})
class PointsField(serializers.Field):
    """Coordinates of a shape, in pixels of the source video; a box is `[x1, y1, x2, y2]`."""


class KeyframeSerializer(serializers.Serializer):
    frame = serializers.IntegerField(min_value=0)
    points = PointsField(required=False)
    outside = serializers.BooleanField(required=False)
    occluded = serializers.BooleanField(required=False)
    attributes = serializers.DictField(required=False)


class TrackSerializer(serializers.Serializer):
    id = serializers.CharField()
    label = serializers.CharField()
    attributes = serializers.DictField(required=False)
    keyframes = KeyframeSerializer(many=True)


class IntervalSerializer(serializers.Serializer):
    label = serializers.CharField()
    start = serializers.IntegerField(min_value=0)
    stop = serializers.IntegerField(min_value=1)
    track = serializers.CharField(required=False, allow_null=True)
    attributes = serializers.DictField(required=False)


class TracksSerializer(serializers.Serializer):
    """What one source says about a range of frames."""

    tracks = TrackSerializer(many=True)
    intervals = IntervalSerializer(many=True, required=False)


class ConsensusTrackSerializer(TrackSerializer):
    confidence = serializers.FloatField(required=False, allow_null=True)
    support = serializers.ListField(child=serializers.CharField(), required=False)
    disputes = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2), required=False
    )
