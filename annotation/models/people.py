"""People: who they are, what they may do in which project, and how their requests are known again."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now

from annotation.ids import new_id
from annotation.lifecycle import Role


class User(AbstractUser):
    """A person. `role` is what they are everywhere; a Member row says what they are in one project."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.WORKER)
    # Tags such as en or pt-BR (see `core.languages`).
    languages = models.JSONField(default=list)
    # Each new token has the next serial, so that it can be derived again and never stored (see `tokens`).
    token_serial = models.PositiveIntegerField(default=0)
    # What pseudonyms are derived from. Drawn anew when the person is erased, so that the old ones lead nowhere.
    alias_seed = models.CharField(max_length=16, default=new_id, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="a_user_has_a_known_role")]


class ApiToken(models.Model):
    """A key for `Authorization: Token KEY`, of which only the SHA-256 is kept."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, default="")
    key_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)
    # To some minutes (see `tokens`): which ones are dead.
    last_used_at = models.DateTimeField(null=True)


class FailedLogin(models.Model):
    """Somebody gave a wrong password for a name, which is kept as a digest (see `guarding`)."""

    name_sha256 = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["name_sha256", "at"], name="who_guesses_at_a_name")]


class Member(models.Model):
    """What a user is in one project. The owner needs no row."""

    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="a_user_has_one_role_in_a_project"),
            models.CheckConstraint(
                condition=models.Q(role__in=[Role.CLIENT, Role.MANAGER, Role.REVIEWER, Role.WORKER]),
                name="a_member_has_a_role_of_projects",
            ),
        ]


class Departure(models.Model):
    """Somebody was shown out of a project: what invited people to it until then lets them in no more."""

    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="departures")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    left_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="somebody_left_a_project_last_once")]


class Invite(models.Model):
    """A link that makes whoever opens it a member. Only the SHA-256 of its secret is kept."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    project = models.ForeignKey("annotation.Project", on_delete=models.CASCADE, related_name="invites")
    role = models.CharField(max_length=16, choices=Role.choices)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()


class IdempotencyKey(models.Model):
    """An answer that was given, kept a day so that a request that arrives twice has one effect and one answer.

    The row is written in the transaction of the effect: a crash leaves neither.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=100, default="application/json")
    answer = models.BinaryField(null=True)
    # Encrypted (see `idempotency`); what an older version kept is not.
    sealed = models.BooleanField(default=False, db_default=False)
    location = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "method", "path", "key"], name="a_key_has_one_answer"),
        ]
