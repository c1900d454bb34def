"""Videos on their way in: what has arrived of each, in parts that lie in the storage."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.ids import new_id
from annotation.lifecycle import UploadStatus


class Upload(models.Model):
    """A file of `bytes` bytes of which `offset` are here. Whoever may run the project may go on with it."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    bytes = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    # What the sender says that the whole file's hash is; empty where nothing was said.
    sha256 = models.CharField(max_length=64, blank=True, default="")
    status = models.CharField(max_length=16, choices=UploadStatus.choices, default=UploadStatus.OPEN)
    reason = models.TextField(default="", blank=True)
    video = models.ForeignKey("annotation.Video", null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # Later with every part that arrives.
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(bytes__gt=0, offset__gte=0, offset__lte=F("bytes")), name="no_more_arrives_than_was_told"
            ),
            models.CheckConstraint(
                condition=~Q(status=UploadStatus.DONE) | Q(offset=F("bytes")), name="a_done_upload_is_whole"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="uploads_to_sweep")]


class UploadPart(models.Model):
    """Bytes `[start, start + bytes)` of an upload, as a file of their own; the row exists once the file does."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    start = models.BigIntegerField()
    bytes = models.BigIntegerField()
    file = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "start"], name="each_byte_of_an_upload_arrives_once"),
            models.CheckConstraint(condition=Q(bytes__gt=0, start__gte=0), name="a_part_of_an_upload_has_bytes"),
        ]
