"""Guessing passwords: who fails too often waits, whether the next guess is right or not.

Failures are counted by name and by the address that they come from, so that who guesses from one place shuts nobody out
who logs in from another. From many places together a name may be guessed at a little more often. A name that nobody has
is counted too: else its answers would tell that it is free.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Now

from annotation.models import FailedLogin

WINDOW = timedelta(minutes=15)
FROM_ONE_PLACE, FROM_ALL = 10, 100


class GuardedForm(AuthenticationForm):
    """Name and password; after too many failures neither is looked at."""

    @property
    def waits(self) -> bool:
        return self.has_error(NON_FIELD_ERRORS, "too-many")

    def clean(self) -> dict[str, Any]:
        failed = _failed(self.cleaned_data.get("username") or "")
        here = str(self.request.META.get("REMOTE_ADDR", ""))[:45]
        if failed.filter(address=here).count() >= FROM_ONE_PLACE or failed.count() >= FROM_ALL:
            raise ValidationError("Too many wrong passwords. Wait a quarter of an hour, and try again.", "too-many")
        try:
            cleaned = super().clean()
        except ValidationError:
            FailedLogin.objects.create(name_sha256=_digest(self.cleaned_data.get("username") or ""), address=here)
            raise
        if self.get_user() is not None:  # without a password nobody was asked about
            failed.filter(address=here).delete()
        return cleaned


def _failed(name: str) -> QuerySet[FailedLogin]:
    return FailedLogin.objects.filter(name_sha256=_digest(name), at__gt=Now() - WINDOW)


def _digest(name: str) -> str:
    """A digest: somebody may have typed their password into the field for the name."""
    return hashlib.sha256(name.casefold().encode(errors="surrogatepass")).hexdigest()


def forget() -> None:
    FailedLogin.objects.filter(at__lte=Now() - WINDOW).delete()
