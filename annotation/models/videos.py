"""What was filmed: videos, the times of their frames, and the segments that they are given out in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.ids import new_id
from annotation.lifecycle import VideoStatus


class Video(models.Model):
    """One uploaded file and the facts probed from it. Width and height are after rotation."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="videos")
    name = models.CharField(max_length=200)
    file = models.CharField(max_length=255)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=VideoStatus.choices, default=VideoStatus.UPLOADED)
    reason = models.TextField(default="", blank=True)
    frame_count = models.PositiveIntegerField(null=True)
    # Frames [0, settled_frames) were decoded once: their numbers and times never change again.
    settled_frames = models.PositiveIntegerField(default=0)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    fps = models.FloatField(null=True)
    duration_s = models.FloatField(null=True)
    variable_frame_rate = models.BooleanField(null=True)
    warnings = models.JSONField(default=list)
    frame_map_sha256 = models.CharField(max_length=64, default="", blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=VideoStatus.READY)
                | Q(frame_count__gt=0, width__gt=0, height__gt=0, fps__gt=0, variable_frame_rate__isnull=False)
                & ~Q(frame_map_sha256=""),
                name="a_ready_video_has_its_facts",
            ),
            models.CheckConstraint(
                condition=~Q(status=VideoStatus.REJECTED) | ~Q(reason=""), name="a_rejected_video_has_a_reason"
            ),
        ]


class FrameMapRow(models.Model):
    """A video's frame map, packed (see `annotation.media.frame_map`). Apart, since lists of videos never need it."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="frame_map_row")
    payload = models.BinaryField()


class Cut(models.Model):
    """One cutting of a video into segments."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="cuts")
    segment_frames = models.PositiveIntegerField()
    overlap_frames = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now())


class Segment(models.Model):
    """Frames `[start, stop)` of a video, given out as one piece."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    cut = models.ForeignKey(Cut, on_delete=models.CASCADE, related_name="segments")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="segments")
    index = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    stop = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cut", "index"], name="a_segment_has_one_place_in_its_cut"),
            models.CheckConstraint(condition=Q(stop__gt=F("start")), name="a_segment_has_frames"),
        ]
        indexes = [models.Index(fields=["video", "start"], name="segments_of_a_video")]


class Clip(models.Model):
    """The encoded file that shows one segment, frame for frame. The row exists once the file does."""

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, primary_key=True, related_name="clip")
    file = models.CharField(max_length=255)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frame_times_s = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
