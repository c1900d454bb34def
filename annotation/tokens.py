"""API tokens: `Authorization: Token KEY`. Only the key's SHA-256 is kept.

A key is derived from the SECRET_KEY, the user and the user's token serial, so that `adduser` can print the same one
again although nobody stored it. Whoever has the SECRET_KEY can sign sessions anyway, so this gives nothing away.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.functions import Now
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from annotation.errors import Conflict
from annotation.models import ApiToken, User

NAME = "cli"  # the token that `adduser` prints; others are named by their owners


#: Not noted as used for some minutes: a token that is used all the time is written to no more often.
_QUIET = Q(last_used_at=None) | Q(last_used_at__lte=Now() - timedelta(minutes=5))


class TokenLost(Conflict):
    """The token cannot be told again: it was revoked, or SECRET_KEY has changed since. --new-token makes another."""

    code = "token-lost"


def sha256_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def derive(user_id: str, serial: int) -> str:
    """The key that `user_id` has at `serial`: 64 hexadecimal characters."""
    words = f"trackweave api token:{user_id}:{serial}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), words, hashlib.sha256).hexdigest()


@transaction.atomic
def issue(*, user: User) -> str:
    """A new key for `user`; keys derived before stop working."""
    ApiToken.objects.filter(user=user, name=NAME, revoked_at=None).update(revoked_at=Now())
    User.objects.filter(pk=user.pk).update(token_serial=F("token_serial") + 1)
    user.refresh_from_db(fields=["token_serial"])
    key = derive(user.pk, user.token_serial)
    ApiToken.objects.create(user=user, name=NAME, key_sha256=sha256_of(key))
    return key


def recall(*, user: User) -> str:
    """The key that `user` has already, or a first one. Raises TokenLost when it can no longer be derived."""
    if user.token_serial == 0:
        return issue(user=user)
    key = derive(user.pk, user.token_serial)
    if not ApiToken.objects.filter(user=user, key_sha256=sha256_of(key), revoked_at=None).exists():
        raise TokenLost
    return key


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token KEY`."""

    keyword = b"token"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword:
            return None
        token = user_token(words[1]) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("The token is not known, was revoked, or its owner may not log in.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


def user_token(key: bytes) -> ApiToken | None:
    """The token whose key this is, with its user, if both may be used. For WebSocket's Authorization too."""
    digest = hashlib.sha256(key).hexdigest()
    rows = ApiToken.objects.select_related("user").annotate(quiet=ExpressionWrapper(_QUIET, BooleanField()))
    token = rows.filter(key_sha256=digest, revoked_at=None).first()
    if token is None or not token.user.is_active:
        return None
    if token.quiet:
        ApiToken.objects.filter(_QUIET, pk=token.pk).update(last_used_at=Now())
    return token


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes the token."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token KEY`"}
