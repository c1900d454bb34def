from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.ids import new_id
from annotation.lifecycle import Source


class TrackSet(models.Model):
    """The tracks and intervals of one range of frames from one source: one row, one payload that never changes.

    A row per box would cost 40 times the space (see `annotation.recording`, the only reader and writer of payloads).
    """

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="track_sets")
    start = models.PositiveIntegerField()
    stop = models.PositiveIntegerField()
    source = models.CharField(max_length=16, choices=Source.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    payload = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    track_count = models.PositiveIntegerField()
    keyframe_count = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(stop__gt=F("start")), name="a_trackset_has_frames"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="a_trackset_has_a_known_source"),
        ]
