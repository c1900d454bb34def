from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from review.lifecycle import WorkStatus


class Release(models.Model):
    """An immutable, numbered set of accepted full-video tracks."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="releases")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=WorkStatus.choices, default=WorkStatus.BUILDING)
    reason = models.TextField(default="", blank=True)
    # Over tracks, ontology version and frame maps; null until built.
    sha256 = models.CharField(max_length=64, null=True)
    # What is released, as of the call: {"ontology": version, "videos": {video id: [[segment id, track set id], …]}}.
    decided = models.JSONField()
    # Over `decided` and the verdicts on joins: the same content is released once.
    decided_sha256 = models.CharField(max_length=64)
    # {video id: stitch id, …} and what the manifest needs; null until built.
    content = models.JSONField(null=True)
    videos = models.PositiveIntegerField(default=0)
    tracks = models.PositiveIntegerField(default=0)
    progress = models.FloatField(default=0.0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="a_release_has_a_number_of_its_own"),
            models.UniqueConstraint(fields=["project", "decided_sha256"], name="the_same_content_is_released_once"),
            models.CheckConstraint(
                condition=~Q(status=WorkStatus.READY) | Q(sha256__isnull=False, content__isnull=False),
                name="a_ready_release_has_its_content",
            ),
        ]


class Export(models.Model):
    """A release written in one format to a file."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="exports")
    video = models.ForeignKey("annotation.Video", null=True, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=16)
    # What of the release is written, and its digest (see `review.core.selection`); empty for everything.
    selection = models.JSONField(default=dict)
    selection_sha256 = models.CharField(max_length=64, blank=True, default="")
    status = models.CharField(max_length=16, choices=WorkStatus.choices, default=WorkStatus.BUILDING)
    reason = models.TextField(default="", blank=True)
    file = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    bytes = models.BigIntegerField(null=True)
    progress = models.FloatField(default=0.0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "format", "video", "selection_sha256"], name="an_export_of_a_video_is_made_once"
            ),
            models.UniqueConstraint(
                fields=["release", "format", "selection_sha256"],
                condition=Q(video__isnull=True),
                name="an_export_of_a_release_is_made_once",
            ),
            models.CheckConstraint(
                condition=~Q(status=WorkStatus.READY) | ~Q(file="") & ~Q(sha256="") & Q(bytes__isnull=False),
                name="a_ready_export_has_its_file",
            ),
        ]
