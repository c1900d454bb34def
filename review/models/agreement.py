from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Agreement(models.Model):
    """How far a project's workers agree with each other, measured by a job now and then: Krippendorff's alpha over
    `1 − soft track F`, with its bootstrap interval. Null where there is too little to say."""

    project = models.OneToOneField(
        "annotation.Project", on_delete=models.CASCADE, primary_key=True, related_name="agreement"
    )
    alpha = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    units = models.PositiveIntegerField(default=0)
    measured_at = models.DateTimeField(db_default=Now())
