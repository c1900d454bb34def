"""People who may log in: made, changed, and given their token."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from annotation import tokens
from annotation.core.languages import MOST_LANGUAGES, is_language
from annotation.errors import Invalid
from annotation.lifecycle import Role
from annotation.models import User

#: What stands where else a name does: `decided_by` of what no person decided.
RESERVED = frozenset({"rule"})


class NobodyLikeThis(Invalid):
    """This person cannot be added."""

    code = "nobody-like-this"


@transaction.atomic
def enrol(
    *,
    name: str,
    role: str = "",
    password: str = "",
    new_token: bool = False,
    languages: list[str] | None = None,
) -> str:
    """Makes the user of this name, or changes what is given, and returns their API token.

    Without `role`, `password` or `languages` what is there stays; somebody new needs a role. The old token stays unless
    `new_token`.
    """
    user = User.objects.filter(username=name).first() or User(username=name)
    if user._state.adding and name in RESERVED:
        raise NobodyLikeThis(f"Nobody may be called {name!r}: that word says that no person decided.")
    if role and role not in Role.values:
        raise NobodyLikeThis(f"{name!r}: there is no role {role!r}; it is one of {', '.join(Role.values)}")
    if user._state.adding and not role:
        raise NobodyLikeThis(f"{name!r} is new and needs a role: one of {', '.join(Role.values)}")
    user.role = role or user.role
    if password:
        user.set_password(password)
    elif user._state.adding:
        user.set_unusable_password()
    try:
        user.clean_fields(exclude=["password", "languages"])
    except ValidationError as error:
        raise NobodyLikeThis(f"{name!r}: {' '.join(error.messages)}") from None
    user.save()
    if languages is not None:
        set_languages(user=user, languages=languages)
    return tokens.issue(user=user) if new_token else tokens.recall(user=user)


def set_languages(*, user: User, languages: object) -> None:
    """What a person speaks, as tags such as en or pt-BR. Invalid, with pointers."""
    if not isinstance(languages, list) or len(languages) > MOST_LANGUAGES:
        raise Invalid.at("/languages", f"must be a list of at most {MOST_LANGUAGES} language tags")
    wrong = [i for i, tag in enumerate(languages) if not is_language(tag)]
    if wrong:
        errors = [{"pointer": f"/languages/{i}", "message": "must be a tag such as en or pt-BR"} for i in wrong]
        raise Invalid("Languages are told as tags such as en or pt-BR.", errors=errors)
    user.languages = list(dict.fromkeys(languages))
    user.save(update_fields=["languages"])
