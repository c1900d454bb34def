from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.ids import new_id
from review.lifecycle import ImportedAs

GOLD = Q(kind=ImportedAs.GOLD, gold__isnull=False, pre_labels__isnull=True, batch__isnull=True)
PRE_LABELS = Q(kind=ImportedAs.PRE_LABELS, gold__isnull=True, pre_labels__isnull=False, batch__isnull=True)
TRACKS = Q(kind=ImportedAs.TRACKS, gold__isnull=True, pre_labels__isnull=True, batch__isnull=False)


class Import(models.Model):
    """A file that a client brought, and what was made of it."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="imports")
    video = models.ForeignKey("annotation.Video", on_delete=models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=16, choices=ImportedAs.choices)
    format = models.CharField(max_length=16)
    # The file's own name and hash; the file is not kept.
    name = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=64)
    tracks = models.PositiveIntegerField()
    keyframes = models.PositiveIntegerField()
    gold = models.ForeignKey("crowd.Gold", null=True, on_delete=models.CASCADE, related_name="+")
    pre_labels = models.ForeignKey("crowd.PreLabels", null=True, on_delete=models.CASCADE, related_name="+")
    batch = models.ForeignKey("crowd.Batch", null=True, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=GOLD | PRE_LABELS | TRACKS, name="an_import_names_what_it_made"),
        ]
