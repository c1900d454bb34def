"""The stitched whole of a video: versioned joins and identities over its accepted segments' tracks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id


class Stitch(models.Model):
    """One stitching of a video, never changed. Boxes are not stored again: they are the inputs' tracks, and the
    borders' frames are resolved when read."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="stitches")
    version = models.PositiveIntegerField()
    # Over the inputs, the verdicts on joins and the method: the same content is stitched once.
    content_sha256 = models.CharField(max_length=64)
    # [[segment id, track set id], …] in order of the video.
    inputs = models.JSONField()
    # Packed joins and identities: (segment id, track id) → the track's number in the video (see `review.stitching`).
    payload = models.BinaryField()
    track_count = models.PositiveIntegerField()
    borders_computed = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["video", "version"], name="a_stitch_has_a_version_of_its_own"),
        ]


class Join(models.Model):
    """Two segments' tracks that may be the same object, and too close to call: a review item. The verdict, once
    given, binds every later stitch."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="joins")
    left_segment = models.ForeignKey("annotation.Segment", on_delete=models.CASCADE, related_name="+")
    left_track = models.CharField(max_length=200)
    right_segment = models.ForeignKey("annotation.Segment", on_delete=models.CASCADE, related_name="+")
    right_track = models.CharField(max_length=200)
    kind = models.CharField(max_length=16)
    confidence = models.FloatField()
    # Whether the newest stitch still finds it doubtful, and joins it as its best guess.
    doubtful = models.BooleanField(default=True)
    same = models.BooleanField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["left_segment", "left_track", "right_segment", "right_track"], name="a_join_is_asked_once"
            ),
            models.CheckConstraint(
                condition=Q(same__isnull=True, decided_at__isnull=True)
                | Q(same__isnull=False, decided_at__isnull=False),
                name="a_decided_join_knows_when",
            ),
        ]
