"""Which files in the storage are this site's own."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class KeptFile(models.Model):
    """A file that this site was about to put into the storage at `kept_at`, or puts there once more.

    Only what is noted here is ever cleared away. A file that is not may be another site's, or of a later day than this
    database, which was restored.
    """

    name = models.CharField(primary_key=True, max_length=255)
    kept_at = models.DateTimeField(db_default=Now())
