from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Score(models.Model):
    """How far one submission agrees with gold: its benchmark score."""

    assignment = models.OneToOneField(
        "crowd.Assignment", on_delete=models.CASCADE, primary_key=True, related_name="score"
    )
    gold = models.ForeignKey("crowd.Gold", on_delete=models.PROTECT, related_name="scores")
    # Soft track F with the gold.
    value = models.FloatField()
    passed = models.BooleanField()
    figures = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(value__gte=0, value__lte=1), name="a_score_is_a_share")]


class PeerScore(models.Model):
    """How far one submission agrees with the consensus of the others: the soft track F, its own voice left out."""

    assignment = models.OneToOneField(
        "crowd.Assignment", on_delete=models.CASCADE, primary_key=True, related_name="peer_score"
    )
    value = models.FloatField()
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(value__gte=0, value__lte=1), name="a_peer_score_is_a_share")]


class Skill(models.Model):
    """How far a worker is to be trusted in a project, computed anew from all evidence by a job."""

    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="skills")
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="skills")
    mean = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    # The whole estimate (see `crowd.core.skill.Skill`).
    figures = models.JSONField()
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "worker"], name="a_worker_has_one_skill_in_a_project"),
            models.CheckConstraint(
                condition=Q(low__gte=0, mean__gte=0, mean__lte=1, high__lte=1), name="a_skill_is_a_share"
            ),
        ]


class Suspicion(models.Model):
    """A flag on a worker's work in a project, with its evidence. It says: have a look; nothing follows from it."""

    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="suspicions")
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="suspicions")
    code = models.CharField(max_length=32)
    evidence = models.JSONField()
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "worker", "code"], name="a_flag_is_raised_once"),
        ]
