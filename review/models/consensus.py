"""Consensus of a task's submissions, every build of it, and every verdict on it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from review import lifecycle
from review.lifecycle import ConsensusStatus, Verdict, Withheld


class Consensus(models.Model):
    """Where a task's consensus stands. What it says is its current build; what was accepted is `track_set`."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    task = models.OneToOneField("crowd.Task", on_delete=models.CASCADE, related_name="consensus")
    batch = models.ForeignKey("crowd.Batch", on_delete=models.CASCADE, related_name="consensus")
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="consensus")
    segment = models.OneToOneField("annotation.Segment", on_delete=models.CASCADE, related_name="consensus")
    status = models.CharField(max_length=16, choices=ConsensusStatus.choices, default=ConsensusStatus.PENDING)
    # Of the current build.
    version = models.PositiveIntegerField(default=0)
    agreement = models.FloatField(null=True)
    confidence = models.FloatField(null=True)
    difficulty = models.FloatField(null=True)
    # The current build's, or the reviewer's where it was amended.
    track_set = models.ForeignKey("annotation.TrackSet", null=True, on_delete=models.PROTECT, related_name="+")
    # Null where a rule decided.
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=lifecycle.DECIDED | lifecycle.UNDECIDED, name="an_accepted_consensus_knows_when"
            ),
            models.CheckConstraint(
                condition=~Q(status=ConsensusStatus.ACCEPTED) | Q(track_set__isnull=False),
                name="an_accepted_consensus_has_tracks",
            ),
        ]
        indexes = [models.Index(fields=["video", "status"], name="consensus_of_a_video")]


class Build(models.Model):
    """One making of a consensus. It names its inputs, method and version; what it was made of is never changed."""

    consensus = models.ForeignKey(Consensus, on_delete=models.CASCADE, related_name="builds")
    version = models.PositiveIntegerField()
    track_set = models.OneToOneField("annotation.TrackSet", on_delete=models.PROTECT, related_name="build")
    method = models.CharField(max_length=40)
    # Submission ids, sorted, and the soft track F of each with this consensus.
    inputs = models.JSONField()
    scores = models.JSONField()
    agreement = models.FloatField()
    confidence = models.FloatField()
    # What one more worker was expected to put right, as a share of the boxes, and why one was wanted ("": none was).
    gain = models.FloatField(null=True)
    wanted = models.CharField(max_length=16, default="", blank=True)
    # What kept the one more that was wanted from being asked for ("": it was asked for, or none was wanted).
    withheld = models.CharField(max_length=16, choices=Withheld.choices, default="", blank=True)
    # The weights of the submissions' votes, by id.
    weights = models.JSONField(default=dict)
    # What was heard of the neighbouring segments: ids of a decided TrackSet or of submissions, sorted. Null: of old.
    beside = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consensus", "version"], name="a_build_has_a_version_of_its_own"),
            models.CheckConstraint(
                condition=Q(agreement__gte=0, agreement__lte=1, confidence__gte=0, confidence__lte=1),
                name="agreement_and_confidence_are_shares",
            ),
            models.CheckConstraint(
                condition=Q(withheld="") | Q(withheld__in=Withheld.values) & ~Q(wanted=""),
                name="only_what_was_wanted_is_withheld",
            ),
        ]


class Decision(models.Model):
    """A reviewer's or a rule's verdict on one build. Rows are never changed."""

    consensus = models.ForeignKey(Consensus, on_delete=models.CASCADE, related_name="decisions")
    version = models.PositiveIntegerField()
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    # Null: the rule.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(default="", blank=True)
    # What was accepted: the build's tracks, or the reviewer's.
    track_set = models.ForeignKey("annotation.TrackSet", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict=Verdict.REJECT) | Q(track_set__isnull=False), name="what_is_accepted_has_tracks"
            ),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.REJECT) | ~Q(reason=""), name="a_rejection_has_a_reason"
            ),
        ]
