"""How people come to a project and to their keys: members, invites, registration, tokens of one's own."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef
from django.db.models.functions import Now

from annotation.access import Capability, capabilities_in, require_role
from annotation.enrolling import RESERVED
from annotation.errors import Conflict, Forbidden, Gone, Invalid, Missing
from annotation.lifecycle import Role
from annotation.models import ApiToken, Departure, Invite, Member, Project, User
from annotation.tokens import sha256_of

PROJECT_ROLES = (Role.CLIENT, Role.MANAGER, Role.REVIEWER, Role.WORKER)
DAY_S = 24 * 3600


class AlreadyOwner(Conflict):
    """The project is this user's own."""

    code = "already-owner"


class InviteExpired(Gone):
    """This invitation is no longer good; ask for a new one."""

    code = "invite-expired"


class RegistrationClosed(Forbidden):
    """People cannot register themselves here; ask whoever runs this site for an account."""

    code = "registration-closed"


def add_member(*, project: Project, user: User, role: str) -> tuple[Member, bool]:
    """Give a user a role in a project, or another one; and whether they are new."""
    if user.pk == project.owner_id:
        raise AlreadyOwner
    return Member.objects.update_or_create(project=project, user=user, defaults={"role": role})


def invite(*, project: Project, role: str, by: User, expires_s: int = 7 * DAY_S) -> tuple[Invite, str]:
    """An invitation and its secret, which is told only now."""
    secret = secrets.token_urlsafe(24)
    until = ExpressionWrapper(Now() + timedelta(seconds=expires_s), output_field=DateTimeField())
    made = Invite.objects.create(
        project=project, role=role, secret_sha256=sha256_of(secret), created_by=by, expires_at=until
    )
    made.refresh_from_db()
    return made, secret


def accept_invite(*, secret: str, user: User) -> Member:
    """Make a user a member as the invitation says; who is a member already keeps their role. Missing, InviteExpired."""
    invites = Invite.objects.filter(secret_sha256=sha256_of(secret)).select_related("project", "created_by")
    found = invites.first()
    if found is None:
        raise Missing
    shown_out = Departure.objects.filter(project=OuterRef("project"), user=user, left_at__gte=OuterRef("created_at"))
    if not (invites.filter(~Exists(shown_out), expires_at__gt=Now()).exists() and _stands(found)):
        raise InviteExpired
    if user.pk == found.project.owner_id:
        raise AlreadyOwner
    return Member.objects.get_or_create(project=found.project, user=user, defaults={"role": found.role})[0]


def _stands(invite: Invite) -> bool:
    """Whether who made an invitation may still invite: it is worth no more than their word."""
    return invite.created_by.is_active and Capability.PEOPLE in capabilities_in(invite.created_by, invite.project)


def show_out(*, member: Member) -> None:
    """End a membership. The links that were made before bring this person back no more."""
    Departure.objects.update_or_create(project=member.project, user=member.user, defaults={"left_at": Now()})
    member.delete()


def register(*, name: str, password: str) -> User:
    """A new worker who came by themselves. RegistrationClosed unless the site is open for it."""
    if not settings.OPEN_REGISTRATION:
        raise RegistrationClosed
    _check_account(name, password)
    try:
        with transaction.atomic():
            return User.objects.create_user(name, password=password, role=Role.WORKER)
    except IntegrityError:
        raise Invalid.at("/name", "is taken") from None


def _check_account(name: str, password: str) -> None:
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        raise Invalid.at("/name", "may hold letters, digits and @ . + - _ only") from None
    if name in RESERVED or User.objects.filter(username__iexact=name).exists():
        raise Invalid.at("/name", "is taken")
    try:
        validate_password(password, User(username=name))
    except ValidationError as error:
        raise Invalid.at("/password", " ".join(error.messages)) from None


def make_token(*, user: User, name: str) -> tuple[ApiToken, str]:
    """A token of one's own and its key, which is told only now."""
    require_role(user, Capability.RUN)
    key = secrets.token_hex(32)
    made = ApiToken.objects.create(user=user, name=name, key_sha256=sha256_of(key))
    made.refresh_from_db()
    return made, key


def revoke_token(*, token: ApiToken) -> None:
    """End a token; it opens nothing from now on."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now())
