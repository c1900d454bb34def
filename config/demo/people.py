"""The demo's people: one for each role, and a crowd of workers of whom one is a spammer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

import numpy as np

from annotation.lifecycle import Role
from annotation.models import Member, Project, User
from crowd.core.simulation import Worker, make_pool

STAFF = {"alice": Role.CLIENT, "mary": Role.MANAGER, "rita": Role.REVIEWER}


@dataclass(frozen=True)
class People:
    """Users by name with the password that was set for this run, and how each worker errs."""

    users: dict[str, User]
    passwords: dict[str, str]
    workers: dict[str, Worker]


def gather(*, workers: int, seed: int) -> People:
    """Make (or find) the demo's users and give them new passwords."""
    pool = make_pool(workers, np.random.default_rng(seed), spammers=0.0)
    names = [f"worker{i + 1}" for i in range(workers)]
    brains = dict(zip(names, pool, strict=True))
    if workers > 2:
        brains[names[-1]] = replace(brains[names[-1]], spammer="static")
    people = People({}, {}, {name: replace(brain, name=name) for name, brain in brains.items()})
    for name, role in [*STAFF.items(), *((name, Role.WORKER) for name in names)]:
        user, _ = User.objects.get_or_create(username=name, defaults={"role": role})
        password = secrets.token_urlsafe(9)
        user.set_password(password)
        user.save(update_fields=["password"])
        people.users[name], people.passwords[name] = user, password
    return people


def invite_staff(project: Project, people: People) -> None:
    """The manager and the reviewer work for the client's project."""
    for name in ("mary", "rita"):
        Member.objects.get_or_create(project=project, user=people.users[name], defaults={"role": STAFF[name]})
