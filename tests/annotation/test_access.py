from __future__ import annotations

import pytest

from annotation.access import Capability as C
from annotation.access import capabilities_in, may, require, roles_in, visible, visible_projects
from annotation.errors import Forbidden, Missing
from annotation.lifecycle import Role
from annotation.models import Member, Project, User, Video
from tests import cast

pytestmark = pytest.mark.django_db

#: The table of the public contract, written out once more.
TABLE = {
    Role.CLIENT: {C.RUN, C.READ},
    Role.REVIEWER: {C.READ, C.DECIDE},
    Role.MANAGER: {C.RUN, C.READ, C.NAMES, C.DECIDE, C.PEOPLE},
    Role.WORKER: {C.CLAIM},
    Role.ADMIN: {C.RUN, C.READ, C.NAMES, C.DECIDE, C.PEOPLE},
}


@pytest.mark.parametrize("role", TABLE)
def test_what_a_role_may_do_of_its_own(role: str) -> None:
    user = User(role=role)
    assert {c for c in C if may(user, c)} == TABLE[role]


@pytest.mark.parametrize("role", [Role.CLIENT, Role.MANAGER, Role.REVIEWER, Role.WORKER])
def test_what_a_member_may_do_in_a_project_is_their_role_there(role: str) -> None:
    project, user = cast.project(), cast.user("Walt")
    Member.objects.create(project=project, user=user, role=role)
    assert roles_in(user, project) == {role}
    assert capabilities_in(user, project) == TABLE[role]


def test_owners_and_admins_need_no_membership() -> None:
    alices, monas = cast.project("Alice"), cast.project("Max", name="Max's")
    assert capabilities_in(cast.user("Alice"), alices) == TABLE[Role.CLIENT]
    assert capabilities_in(cast.user("Max"), monas) == TABLE[Role.MANAGER]
    assert capabilities_in(cast.user("Ada"), alices) == TABLE[Role.ADMIN]
    for who in ("Eve", "Max", "Wanda"):
        assert capabilities_in(cast.user(who), alices) == frozenset()


def test_an_owner_who_was_made_a_worker_keeps_what_they_brought() -> None:
    project = cast.project()
    User.objects.filter(username="Alice").update(role=Role.WORKER)
    assert capabilities_in(cast.user("Alice"), project) == TABLE[Role.CLIENT]


@pytest.mark.parametrize("who", [*cast.PEOPLE, "Member"])
def test_the_list_the_row_and_the_check_agree(who: str) -> None:
    mine, other = cast.project("Alice", name="One"), cast.project("Eve", name="Two")
    member = cast.user("Member")
    Member.objects.create(project=mine, user=member, role=Role.WORKER)
    Member.objects.filter(project=other, user__username="Rita").delete()
    videos = {project.pk: cast.video(project).pk for project in (mine, other)}
    user = cast.user(who)
    seen = set(visible_projects(user).values_list("pk", flat=True))
    assert set(visible(Video.objects.all(), user).values_list("pk", flat=True)) == {videos[pk] for pk in seen}
    for project in Project.objects.all():
        assert (C.READ in capabilities_in(user, project)) == (project.pk in seen)
        if project.pk in seen:
            require(user, project)
        else:
            with pytest.raises(Missing):
                require(user, project, C.RUN)


def test_who_sees_a_project_but_lacks_a_capability_is_told_so() -> None:
    project = cast.project()
    require(cast.user("Rita"), project, C.READ, C.DECIDE)
    with pytest.raises(Forbidden, match="run a project"):
        require(cast.user("Rita"), project, C.DECIDE, C.RUN)
    with pytest.raises(Forbidden, match="decide"):
        require(cast.user("Alice"), project, C.DECIDE)


def test_a_project_is_listed_once_however_one_came_to_it() -> None:
    project = cast.project("Max")
    Member.objects.create(project=project, user=cast.user("Max"), role=Role.REVIEWER)
    assert visible_projects(cast.user("Max")).count() == 1
    assert roles_in(cast.user("Max"), project) == {Role.MANAGER, Role.REVIEWER}
