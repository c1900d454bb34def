"""What the crowd's addresses take and answer. Inputs are read by verbs of their own, which point at what is wrong."""

from __future__ import annotations

from rest_framework import serializers

from annotation.defining import INSTRUCTIONS_LENGTH
from annotation.formats.registry import READERS
from annotation.track_serializers import IntervalSerializer, TrackSerializer, TracksSerializer
from crowd.core.policies import MOST_MICROS
from crowd.money_serializers import BalanceSerializer
from crowd.policy_serializers import LabelSerializer, PolicySerializer, ProjectNameField
from crowd.qualification_serializers import (
    FeedbackSerializer,
    GoldEventSerializer,
    QualificationSerializer,
)


class ProjectInSerializer(serializers.Serializer):
    name = ProjectNameField()
    instructions = serializers.CharField(required=False, allow_blank=True, max_length=INSTRUCTIONS_LENGTH)
    labels = LabelSerializer(many=True)
    policy = PolicySerializer(required=False)


class ProjectChangeSerializer(serializers.Serializer):
    name = ProjectNameField(required=False)
    instructions = serializers.CharField(required=False, allow_blank=True, max_length=INSTRUCTIONS_LENGTH)
    labels = LabelSerializer(many=True, required=False)
    policy = PolicySerializer(required=False)


class ProjectSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    instructions = serializers.CharField(allow_blank=True)
    labels = LabelSerializer(many=True)
    policy = PolicySerializer()
    ontology_version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class RangeInSerializer(TracksSerializer):
    video = serializers.CharField()
    start = serializers.IntegerField(min_value=0)
    stop = serializers.IntegerField(min_value=1)


class TracksFileSerializer(serializers.Serializer):
    """A form with a file of tracks, in any format that can be read."""

    video = serializers.CharField()
    format = serializers.ChoiceField(choices=sorted(READERS))
    file = serializers.FileField()


class GoldFileSerializer(TracksFileSerializer):
    start = serializers.IntegerField(min_value=0, required=False)
    stop = serializers.IntegerField(min_value=1, required=False)


class GoldSerializer(serializers.Serializer):
    id = serializers.CharField()
    project = serializers.CharField(source="project_id")
    video = serializers.CharField(source="video_id")
    start = serializers.IntegerField()
    stop = serializers.IntegerField()
    tracks = serializers.IntegerField(source="track_set.track_count")
    intervals = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.DictField(), default=list)
    created_at = serializers.DateTimeField()
    exposures = serializers.IntegerField()
    retired_at = serializers.DateTimeField(allow_null=True)
    retired_reason = serializers.CharField(allow_blank=True)
    flagged_at = serializers.DateTimeField(allow_null=True)
    evidence = serializers.DictField(allow_null=True)
    events = GoldEventSerializer(many=True)


class GoldTracksSerializer(TracksSerializer):
    start = serializers.IntegerField()
    stop = serializers.IntegerField()


class PreLabelsInSerializer(TracksSerializer):
    video = serializers.CharField()


class PreLabelsSerializer(serializers.Serializer):
    id = serializers.CharField()
    project = serializers.CharField(source="project_id")
    video = serializers.CharField(source="video_id")
    tracks = serializers.IntegerField(source="track_set.track_count")
    created_at = serializers.DateTimeField()


class LaunchSerializer(serializers.Serializer):
    videos = serializers.ListField(child=serializers.CharField(), required=False)
    policy = PolicySerializer(required=False)


class BudgetSerializer(serializers.Serializer):
    budget_micros = serializers.IntegerField(allow_null=True, min_value=0, max_value=MOST_MICROS)


class SegmentCountsSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    clipped = serializers.IntegerField()
    accepted = serializers.IntegerField()


class TaskCountsSerializer(serializers.Serializer):
    opening = serializers.IntegerField()
    open = serializers.IntegerField()
    filled = serializers.IntegerField()
    in_review = serializers.IntegerField()
    done = serializers.IntegerField()
    quarantined = serializers.IntegerField()


class SeatCountsSerializer(serializers.Serializer):
    open = serializers.IntegerField()
    held = serializers.IntegerField()
    submitted = serializers.IntegerField()


class BatchSerializer(serializers.Serializer):
    id = serializers.CharField()
    project = serializers.CharField()
    status = serializers.ChoiceField(choices=["opening", "open", "paused", "done", "cancelled"])
    policy = PolicySerializer()
    videos = serializers.ListField(child=serializers.CharField())
    segments = SegmentCountsSerializer()
    tasks = TaskCountsSerializer()
    seats = SeatCountsSerializer()
    warnings = serializers.ListField(child=serializers.DictField())
    created_at = serializers.DateTimeField()


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField()


class AssignmentProjectSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    instructions = serializers.CharField(allow_blank=True)
    labels = LabelSerializer(many=True)


class AssignmentSegmentSerializer(serializers.Serializer):
    start = serializers.IntegerField()
    stop = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ClipSerializer(serializers.Serializer):
    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    frame_times_s = serializers.ListField(child=serializers.FloatField())


class StoredDraftSerializer(serializers.Serializer):
    """How often it was saved, and by which page last, in that page's own word."""

    version = serializers.IntegerField()
    page = serializers.CharField(allow_blank=True)
    saved_at = serializers.DateTimeField()


class AssignmentSerializer(serializers.Serializer):
    id = serializers.CharField()
    token = serializers.CharField()
    status = serializers.CharField()
    project = AssignmentProjectSerializer()
    segment = AssignmentSegmentSerializer()
    clip = ClipSerializer()
    frame_step = serializers.IntegerField()
    tracks = TrackSerializer(many=True)
    intervals = IntervalSerializer(many=True)
    # Of what is drawn so far; null where nothing was saved yet.
    draft = StoredDraftSerializer(allow_null=True)
    ghosts = TrackSerializer(many=True)
    lease_until = serializers.DateTimeField(allow_null=True)
    renewals_left = serializers.IntegerField()
    reward_micros = serializers.IntegerField()
    currency = serializers.CharField()


class ClaimSerializer(serializers.Serializer):
    project = serializers.CharField(required=False)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()


class ReleaseSeatSerializer(TokenSerializer):
    reason = serializers.CharField(required=False, allow_blank=True)


class WorkInSerializer(TracksSerializer):
    token = serializers.CharField()
    work_s = serializers.FloatField(required=False)
    # An opaque word of the page that sends this, and the version of the draft that it knows of (0: none): it is then
    # 409 `draft-changed` where another page saved since. Without a page nothing is compared.
    page = serializers.CharField(required=False, allow_blank=True, max_length=64)
    version = serializers.IntegerField(required=False, min_value=0)


class LeaseSerializer(serializers.Serializer):
    lease_until = serializers.DateTimeField()


class SeatStatusSerializer(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.CharField()


class DraftSavedSerializer(SeatStatusSerializer):
    version = serializers.IntegerField()


class CountsSerializer(serializers.Serializer):
    submitted = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    expired = serializers.IntegerField()


class MeSerializer(serializers.Serializer):
    name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    counts = CountsSerializer()
    earned_micros = serializers.IntegerField()
    paid_micros = serializers.IntegerField()
    balances = BalanceSerializer(many=True)
    languages = serializers.ListField(child=serializers.CharField())
    # By project.
    qualification = serializers.DictField(child=QualificationSerializer(), allow_null=True)
    feedback = FeedbackSerializer(many=True)


class SkillSerializer(serializers.Serializer):
    mean = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class WorkerSerializer(serializers.Serializer):
    user = serializers.CharField()
    submitted = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    expired = serializers.IntegerField()
    skill = SkillSerializer(allow_null=True)
    benchmark_score = serializers.FloatField(allow_null=True)
    agreement = serializers.FloatField(allow_null=True)
    work_s_median = serializers.FloatField(allow_null=True)
    earned_micros = serializers.IntegerField()
    flags = serializers.ListField(child=serializers.JSONField())
    state = serializers.ChoiceField(choices=["active", "paused", "banned"])
    # Null where they began none.
    qualification = serializers.ChoiceField(choices=["training", "waiting", "passed", "failed"], allow_null=True)


class SubmissionSerializer(serializers.Serializer):
    """A submission as a manager sees it."""

    id = serializers.CharField()
    worker = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    segment = AssignmentSegmentSerializer()
    video = serializers.CharField()
    benchmark_score = serializers.FloatField(allow_null=True)
    agreement = serializers.FloatField(allow_null=True)
    late = serializers.BooleanField()
    claimed_at = serializers.DateTimeField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
