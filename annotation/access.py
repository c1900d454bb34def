"""Who may do what in which project: the table of roles of the public contract, in one place, as data.

What somebody may not see does not exist for them: `visible` leaves it out, and `require` answers 404 as if it were
missing. Workers see nothing of a project but what they hold (see `crowd.claiming`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from annotation.errors import Forbidden, Missing
from annotation.lifecycle import Role
from annotation.models import Member, Project, User

Row = TypeVar("Row", bound=Model)


class Capability(StrEnum):
    #: Make a project, upload, gold, pre-labels, launch, release, export, webhooks, tokens of one's own.
    RUN = "run"
    #: Read videos, frames, clips, progress, consensus, joins, tracks; people under pseudonyms.
    READ = "read"
    #: Read who people are.
    NAMES = "names"
    #: Accept, reject, amend, joins.
    DECIDE = "decide"
    #: Invite, pause, ban, pay, late submissions.
    PEOPLE = "people"
    CLAIM = "claim"


C = Capability
CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.CLIENT: frozenset({C.RUN, C.READ}),
    Role.REVIEWER: frozenset({C.READ, C.DECIDE}),
    Role.MANAGER: frozenset({C.RUN, C.READ, C.NAMES, C.DECIDE, C.PEOPLE}),
    Role.WORKER: frozenset({C.CLAIM}),
    Role.ADMIN: frozenset({C.RUN, C.READ, C.NAMES, C.DECIDE, C.PEOPLE}),
}
WORDS = {
    C.RUN: "run a project",
    C.READ: "read a project",
    C.NAMES: "see who people are",
    C.DECIDE: "decide",
    C.PEOPLE: "manage a project's people",
    C.CLAIM: "claim",
}
#: Roles that see a project.
READING = [role for role, able in CAPABILITIES.items() if C.READ in able]


def may(user: User, capability: Capability) -> bool:
    """Whether the user's own role allows something that belongs to no project."""
    return capability in CAPABILITIES.get(getattr(user, "role", ""), ())


def require_role(user: User, capability: Capability) -> None:
    """403 where the user's own role does not allow it."""
    if not may(user, capability):
        raise Forbidden(f"Your role does not allow you to {WORDS[capability]}.")


def roles_in(user: User, project: Project) -> frozenset[str]:
    """A user's roles in a project: an admin's everywhere, the owner's own, and the one of their membership."""
    roles = set(Member.objects.filter(project=project, user=user.pk).values_list("role", flat=True))
    if user.role == Role.ADMIN:
        roles.add(Role.ADMIN)
    if project.owner_id == user.pk:
        # An owner who was made something else since still has what they brought.
        roles.add(Role.MANAGER if user.role == Role.MANAGER else Role.CLIENT)
    return frozenset(roles)


def capabilities_in(user: User, project: Project) -> frozenset[Capability]:
    return frozenset().union(*(CAPABILITIES[role] for role in roles_in(user, project)))


def visible_projects(user: User) -> QuerySet[Project]:
    """The projects that a user may read."""
    if user.role == Role.ADMIN:
        return Project.objects.all()
    membership = Member.objects.filter(project=OuterRef("pk"), user=user.pk, role__in=READING)
    return Project.objects.filter(Q(owner=user.pk) | Exists(membership))


def visible(rows: QuerySet[Row], user: User, through: str = "project") -> QuerySet[Row]:
    """Those of some rows whose project, found `through` a lookup, the user may read."""
    if user.role == Role.ADMIN:
        return rows
    return rows.filter(**{f"{through}__in": visible_projects(user)})


def require(user: User, project: Project, *capabilities: Capability) -> None:
    """404 where the user may not even read the project, 403 where they lack one of the capabilities."""
    able = capabilities_in(user, project)
    if C.READ not in able:
        raise Missing
    missing = [c for c in capabilities if c not in able]
    if missing:
        raise Forbidden(f"Your role in this project does not allow you to {words(missing)}.")


def words(capabilities: Iterable[Capability]) -> str:
    return " or to ".join(WORDS[c] for c in capabilities)
