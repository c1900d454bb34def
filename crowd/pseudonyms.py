"""Other names for workers: the same within a project, of no use outside of it.

They are derived from a seed of each person's own, which is drawn anew when the person is erased: nothing that is left
leads from an old pseudonym to a row. Who decides has one as well, for those who may not read who people are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from annotation.access import Capability, capabilities_in
from annotation.models import Project, User

NOBODY = "nobody"


def pseudonyms(project_id: str, worker_ids: Iterable[str]) -> dict[str, str]:
    """What clients, reviewers and exports call some workers of a project, by their ids."""
    seeds = User.objects.filter(pk__in=set(worker_ids)).values_list("pk", "alias_seed")
    return {pk: _derive(project_id, seed) for pk, seed in seeds}


def pseudonym(project_id: str, worker_id: str | None) -> str:
    """One worker's; for many, `pseudonyms` asks the database once."""
    return NOBODY if worker_id is None else pseudonyms(project_id, [worker_id]).get(worker_id, NOBODY)


@dataclass(frozen=True)
class Reader:
    """Who reads of a project: they see the names that they may, their own always, and else pseudonyms."""

    user: User
    project_id: str
    names: bool

    @classmethod
    def of(cls, user: User, project: Project) -> Reader:
        return cls(user, project.pk, Capability.NAMES in capabilities_in(user, project))

    def name_of(self, person: User | None) -> str | None:
        """What this reader calls who decided something."""
        if person is None or self.names or person.pk == self.user.pk:
            return person and person.username
        return _derive(self.project_id, person.alias_seed, "r")


def _derive(project_id: str, seed: str, kind: str = "w") -> str:
    purpose = "pseudonym" if kind == "w" else f"pseudonym-{kind}"
    digest = hmac.new(settings.SECRET_KEY.encode(), f"{purpose}:{project_id}:{seed}".encode(), hashlib.sha256)
    return f"{kind}-" + base64.b32encode(digest.digest())[:10].decode().lower()
