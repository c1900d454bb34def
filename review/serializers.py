"""What the review floor's addresses take and answer."""

from __future__ import annotations

from rest_framework import serializers

from annotation.formats.registry import FORMATS
from annotation.track_serializers import (
    ConsensusTrackSerializer,
    IntervalSerializer,
    TrackSerializer,
    TracksSerializer,
)
from crowd.serializers import ClipSerializer, GoldFileSerializer
from review.core.selection import MEDIA, MOST, PICTURES
from review.lifecycle import ImportedAs


class RangeSerializer(serializers.Serializer):
    start = serializers.IntegerField()
    stop = serializers.IntegerField()


class ConsensusSerializer(serializers.Serializer):
    id = serializers.CharField()
    batch = serializers.CharField()
    video = serializers.CharField()
    segment = RangeSerializer()
    status = serializers.ChoiceField(choices=["pending", "accepted", "rejected", "stale"])
    version = serializers.IntegerField()
    agreement = serializers.FloatField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    # From 0 (easy) to 1: by disagreement, density and occlusion.
    difficulty = serializers.FloatField(allow_null=True)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decisions = serializers.IntegerField()


class ConsensusSubmissionSerializer(serializers.Serializer):
    id = serializers.CharField()
    worker = serializers.CharField()
    tracks = TrackSerializer(many=True)
    intervals = IntervalSerializer(many=True)


class BuildSerializer(serializers.Serializer):
    """One making of a consensus, and why one more worker was wanted after it."""

    version = serializers.IntegerField()
    method = serializers.CharField()
    submissions = serializers.IntegerField()
    agreement = serializers.FloatField()
    confidence = serializers.FloatField()
    # Share of its boxes that one more worker was expected to put right.
    gain = serializers.FloatField(allow_null=True)
    wanted = serializers.ChoiceField(choices=["first", "agreement", "gain", "empty"], allow_blank=True)
    # What kept that one from being asked for; after a verdict that rejects, only reviewers ask.
    withheld = serializers.ChoiceField(choices=["budget", "max_redundancy", "verdict"], allow_blank=True)
    created_at = serializers.DateTimeField()


class BuildInputSerializer(serializers.Serializer):
    id = serializers.CharField()
    # Of its votes; null in builds of old, which did not say.
    weight = serializers.FloatField(allow_null=True)
    # Soft track F with this build.
    score = serializers.FloatField(allow_null=True)


class BuildDetailSerializer(BuildSerializer):
    inputs = BuildInputSerializer(many=True)
    # Soft track F of what stands now with this build: 1 if nothing changed.
    likeness = serializers.FloatField()
    tracks = ConsensusTrackSerializer(many=True)
    intervals = IntervalSerializer(many=True)


class ConsensusDetailSerializer(ConsensusSerializer):
    tracks = ConsensusTrackSerializer(many=True)
    intervals = IntervalSerializer(many=True)
    submissions = ConsensusSubmissionSerializer(many=True)
    builds = BuildSerializer(many=True)
    # Null where nobody needed one: imported tracks.
    clip = ClipSerializer(allow_null=True)


class AcceptSerializer(serializers.Serializer):
    version = serializers.IntegerField(required=False, min_value=0, max_value=2**31)


class RejectSerializer(AcceptSerializer):
    reason = serializers.CharField()
    seats = serializers.IntegerField(required=False, default=1, min_value=1, max_value=100)


class AmendSerializer(TracksSerializer):
    version = serializers.IntegerField(required=False, min_value=0, max_value=2**31)


class JoinEndSerializer(serializers.Serializer):
    segment = RangeSerializer()
    consensus = serializers.CharField(allow_null=True)
    track = serializers.CharField()
    frame = serializers.IntegerField(allow_null=True)
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True)


class JoinSerializer(serializers.Serializer):
    id = serializers.CharField()
    video = serializers.CharField()
    kind = serializers.CharField()
    confidence = serializers.FloatField()
    status = serializers.ChoiceField(choices=["doubtful", "same", "different", "settled"])
    left = JoinEndSerializer()
    right = JoinEndSerializer()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class ReleaseSerializer(serializers.Serializer):
    id = serializers.CharField()
    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["building", "ready", "failed"])
    progress = serializers.FloatField(min_value=0, max_value=1)
    reason = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_null=True)
    videos = serializers.IntegerField()
    tracks = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class DiffTrackSerializer(serializers.Serializer):
    track = serializers.IntegerField()
    label = serializers.CharField()
    start = serializers.IntegerField()
    stop = serializers.IntegerField()


class ChangedTrackSerializer(DiffTrackSerializer):
    """`was` is the earlier label, `frames` those that only one release shows, `moved` those with other boxes."""

    was = serializers.CharField()
    frames = serializers.IntegerField()
    moved = serializers.IntegerField()
    iou = serializers.FloatField(allow_null=True)


class VideoDiffSerializer(serializers.Serializer):
    video = serializers.CharField()
    added = DiffTrackSerializer(many=True)
    gone = DiffTrackSerializer(many=True)
    changed = ChangedTrackSerializer(many=True)
    unchanged = serializers.IntegerField()


class DiffSerializer(serializers.Serializer):
    """From the release `before` to the release `after`."""

    before = serializers.CharField()
    after = serializers.CharField()
    videos = VideoDiffSerializer(many=True)


class TracedDecisionSerializer(serializers.Serializer):
    verdict = serializers.CharField()
    by = serializers.ChoiceField(choices=["rule", "reviewer"])
    version = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class TracedSubmissionSerializer(serializers.Serializer):
    id = serializers.CharField()
    worker = serializers.CharField()
    supports = serializers.BooleanField()
    benchmark_score = serializers.FloatField(allow_null=True)


class TracedSegmentSerializer(serializers.Serializer):
    segment = RangeSerializer()
    consensus = serializers.CharField(allow_null=True)
    track = serializers.CharField()
    source = serializers.CharField()
    method = serializers.CharField(allow_null=True)
    agreement = serializers.FloatField(allow_null=True)
    decisions = TracedDecisionSerializer(many=True)
    reviewed = serializers.IntegerField()
    submissions = TracedSubmissionSerializer(many=True)


class TracedJoinSerializer(serializers.Serializer):
    kind = serializers.CharField()
    confidence = serializers.FloatField()
    doubtful = serializers.BooleanField()
    decided = serializers.BooleanField()


class TraceSerializer(serializers.Serializer):
    """Where one box came from: the segments that show its frame, with their inputs and verdicts, and its joins."""

    release = serializers.CharField()
    video = serializers.CharField()
    track = serializers.IntegerField()
    frame = serializers.IntegerField()
    label = serializers.CharField()
    confidence = serializers.FloatField(allow_null=True)
    box = serializers.ListField(child=serializers.FloatField())
    occluded = serializers.BooleanField()
    segments = TracedSegmentSerializer(many=True)
    joins = TracedJoinSerializer(many=True)


class ExportInSerializer(serializers.Serializer):
    """Everything, unless less is asked for; media lie beside it on request."""

    format = serializers.ChoiceField(choices=list(FORMATS))
    release = serializers.CharField(required=False, allow_null=True)
    video = serializers.CharField(required=False, allow_null=True)
    labels = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True, min_length=1)
    min_confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    min_support = serializers.IntegerField(required=False, min_value=0, max_value=MOST)
    frame_step = serializers.IntegerField(required=False, min_value=1, max_value=MOST)
    media = serializers.ChoiceField(choices=MEDIA, required=False)
    pictures = serializers.ChoiceField(choices=list(PICTURES), required=False, allow_null=True)


class ExportSerializer(serializers.Serializer):
    id = serializers.CharField()
    format = serializers.CharField()
    release = serializers.CharField()
    video = serializers.CharField(allow_null=True)
    labels = serializers.ListField(child=serializers.CharField(), allow_null=True)
    min_confidence = serializers.FloatField()
    min_support = serializers.IntegerField()
    frame_step = serializers.IntegerField()
    media = serializers.ChoiceField(choices=MEDIA)
    pictures = serializers.ChoiceField(choices=list(PICTURES), allow_null=True)
    status = serializers.ChoiceField(choices=["building", "ready", "failed"])
    progress = serializers.FloatField(min_value=0, max_value=1)
    reason = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(allow_null=True)


class ImportInSerializer(GoldFileSerializer):
    """`start` and `stop` are gold's, which may be of any range of frames."""

    def get_fields(self) -> dict[str, serializers.Field]:
        # `as` is a word of Python's own.
        return super().get_fields() | {"as": serializers.ChoiceField(choices=ImportedAs.values)}


class ImportSerializer(serializers.Serializer):
    """What was made: `gold`, `pre_labels` or `batch` is its id, the others null."""

    id = serializers.CharField()
    project = serializers.CharField()
    video = serializers.CharField()
    format = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField()
    tracks = serializers.IntegerField()
    keyframes = serializers.IntegerField()
    gold = serializers.CharField(allow_null=True)
    pre_labels = serializers.CharField(allow_null=True)
    batch = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {"as": serializers.ChoiceField(choices=ImportedAs.values)}
