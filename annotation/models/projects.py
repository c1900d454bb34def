from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from annotation.ids import new_id


class Project(models.Model):
    """What a client wants labelled."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    name = models.CharField(max_length=200, db_index=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="projects")
    instructions = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())


class Ontology(models.Model):
    """A project's labels. A change is a new version; a batch keeps the version that it was launched with."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="ontologies")
    version = models.PositiveIntegerField()
    labels = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="an_ontology_version_is_written_once"),
        ]
