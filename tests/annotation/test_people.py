from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from annotation.lifecycle import Role
from annotation.models import ApiToken, Invite, Member, User
from annotation.tokens import sha256_of
from tests import cast

pytestmark = pytest.mark.django_db


def members_url(project) -> str:
    return f"/api/v1/projects/{project.pk}/members/"


def test_a_manager_brings_a_worker_in_and_shows_them_out() -> None:
    project, mona, will = cast.project(), cast.client("Mona"), cast.user("Will")
    made = mona.post(members_url(project), {"user": will.pk, "role": "worker"})
    assert made.status_code == 201
    assert made.json() == mona.get(f"{members_url(project)}{will.pk}/").json()
    assert (made.json()["user"], made.json()["name"], made.json()["role"]) == (will.pk, "Will", "worker")
    assert {m["name"] for m in mona.get(members_url(project)).json()["results"]} == {"Mona", "Rita", "Will"}
    assert mona.delete(f"{members_url(project)}{will.pk}/").status_code == 204
    assert mona.delete(f"{members_url(project)}{will.pk}/").status_code == 404
    assert not Member.objects.filter(user=will).exists()


def test_a_member_is_named_by_id_or_by_name_and_gets_another_role() -> None:
    project, mona = cast.project(), cast.client("Mona")
    cast.user("Will")
    assert mona.post(members_url(project), {"user": "Will", "role": "worker"}).status_code == 201
    again = mona.post(members_url(project), {"user": "Will", "role": "reviewer"})
    assert (again.status_code, again.json()["role"]) == (200, "reviewer")
    assert Member.objects.filter(project=project, user__username="Will").count() == 1


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"user": "Nobody", "role": "worker"}, ["/user"]),
        ({"user": "Will"}, ["/role"]),
        ({"role": "worker"}, ["/user"]),
        ({"user": "Will", "role": "admin"}, ["/role"]),
        ({"user": "Will", "role": "king"}, ["/role"]),
        ({"user": ["Will"], "role": {"a": 1}}, ["/user", "/role"]),
        ({"user": None, "role": None}, ["/user", "/role"]),
        ({"user": "x" * 1000, "role": "worker"}, ["/user"]),
    ],
)
def test_a_bad_member_is_400_with_pointers(body: dict, pointers: list[str]) -> None:
    cast.user("Will")
    answer = cast.client("Mona").post(members_url(cast.project()), body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


def test_the_owner_needs_no_membership() -> None:
    project = cast.project()
    answer = cast.client("Mona").post(members_url(project), {"user": "Alice", "role": "worker"})
    assert answer.status_code == 409 and not Member.objects.filter(user__username="Alice").exists()


@pytest.mark.parametrize(
    ("who", "status"),
    [("Mona", 200), ("Ada", 200), ("Alice", 403), ("Rita", 403), ("Eve", 404), ("Wanda", 404), (None, 401)],
)
def test_who_may_see_the_people(who: str | None, status: int) -> None:
    project, client = cast.project(), cast.client(who)
    assert client.get(members_url(project)).status_code == status
    assert client.get(f"/api/v1/projects/{project.pk}/invites/").status_code == status
    expected = 201 if status == 200 else status
    assert client.post(f"/api/v1/projects/{project.pk}/invites/", {"role": "worker"}).status_code == expected


def test_a_member_who_was_shown_out_sees_nothing_any_more() -> None:
    project, rita = cast.project(), cast.client("Rita")
    assert rita.get(f"/api/v1/projects/{project.pk}/videos/").status_code == 200
    cast.client("Mona").delete(f"{members_url(project)}{cast.user('Rita').pk}/")
    assert rita.get(f"/api/v1/projects/{project.pk}/videos/").status_code == 404


@pytest.mark.parametrize("odd", ["%00", "x" * 500, "..", "Will%00"])
def test_odd_people_are_404(odd: str) -> None:
    project, mona = cast.project(), cast.client("Mona")
    assert mona.get(f"{members_url(project)}{odd}/").status_code == 404
    assert mona.delete(f"{members_url(project)}{odd}/").status_code == 404


def invited(role: str = "reviewer", **how: object) -> tuple[str, str]:
    project = cast.project()
    made = cast.client("Mona").post(f"/api/v1/projects/{project.pk}/invites/", {"role": role, **how})
    assert made.status_code == 201
    assert made.json()["url"].endswith(f"/invites/{made.json()['secret']}/")
    return project.pk, made.json()["secret"]


def test_whoever_has_the_link_becomes_a_member_once() -> None:
    project, secret = invited()
    eve = cast.client("Eve")
    accepted = eve.post(f"/api/v1/invites/{secret}/accept/")
    assert accepted.status_code == 200
    assert (accepted.json()["project"], accepted.json()["role"]) == (project, "reviewer")
    assert eve.post(f"/api/v1/invites/{secret}/accept/").json() == accepted.json()
    assert eve.get(f"/api/v1/projects/{project}/videos/").status_code == 200


def test_the_secret_is_told_once_and_not_kept() -> None:
    project, secret = invited()
    listed = cast.client("Mona").get(f"/api/v1/projects/{project}/invites/")
    assert secret not in listed.content.decode() and "url" not in listed.json()["results"][0]
    assert Invite.objects.get().secret_sha256 == sha256_of(secret)


def test_a_manager_who_follows_a_workers_link_stays_a_manager() -> None:
    _, secret = invited("worker")
    assert cast.client("Mona").post(f"/api/v1/invites/{secret}/accept/").json()["role"] == "manager"
    assert cast.client("Alice").post(f"/api/v1/invites/{secret}/accept/").status_code == 409


def test_an_invitation_ends() -> None:
    project, secret = invited()
    Invite.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert cast.client("Eve").post(f"/api/v1/invites/{secret}/accept/").status_code == 410
    invite = Invite.objects.get()
    assert cast.client("Mona").delete(f"/api/v1/projects/{project}/invites/{invite.pk}/").status_code == 204
    for odd in (secret, "x", "%00", "ü"):
        assert cast.client("Eve").post(f"/api/v1/invites/{odd}/accept/").status_code == 404
    assert not Member.objects.filter(user__username="Eve").exists()


def test_who_was_shown_out_comes_back_by_a_newer_link_only() -> None:
    project, secret = invited()
    eve, mona = cast.client("Eve"), cast.client("Mona")
    eve.post(f"/api/v1/invites/{secret}/accept/")
    mona.delete(f"/api/v1/projects/{project}/members/{cast.user('Eve').pk}/")
    assert eve.post(f"/api/v1/invites/{secret}/accept/").status_code == 410
    assert eve.get(f"/api/v1/projects/{project}/").status_code == 404
    assert cast.client("Max").post(f"/api/v1/invites/{secret}/accept/").status_code == 200
    newer = mona.post(f"/api/v1/projects/{project}/invites/", {"role": "reviewer"}).json()["secret"]
    assert eve.post(f"/api/v1/invites/{newer}/accept/").status_code == 200


@pytest.mark.parametrize("end", ["shown out", "made a worker", "switched off"])
def test_a_link_is_worth_no_more_than_the_word_of_who_made_it(end: str) -> None:
    project, secret = invited("manager")
    mona = cast.user("Mona")
    if end == "shown out":
        cast.client("Ada").delete(f"/api/v1/projects/{project}/members/{mona.pk}/")
    elif end == "made a worker":
        cast.client("Ada").post(f"/api/v1/projects/{project}/members/", {"user": "Mona", "role": "worker"})
    else:
        User.objects.filter(pk=mona.pk).update(is_active=False)
    assert cast.client("Eve").post(f"/api/v1/invites/{secret}/accept/").status_code == 410
    assert not Member.objects.filter(user__username="Eve").exists()


@pytest.mark.parametrize("body", [{"role": "admin"}, {"expires_s": 10**30}, {"expires_s": "soon"}, {"expires_s": 0}])
def test_a_bad_invitation_is_400(body: dict) -> None:
    answer = cast.client("Mona").post(f"/api/v1/projects/{cast.project().pk}/invites/", body)
    assert answer.status_code == 400 and not Invite.objects.exists()


def test_a_token_of_ones_own_opens_and_is_revoked() -> None:
    alice = cast.client("Alice")
    made = alice.post("/api/v1/tokens/", {"name": "laptop"}).json()
    other = cast.client()
    other.credentials(HTTP_AUTHORIZATION=f"Token {made['key']}")
    listed = other.get("/api/v1/tokens/")
    assert [t["name"] for t in listed.json()["results"]] == ["cli", "laptop"]
    assert made["key"] not in listed.content.decode()
    assert ApiToken.objects.get(pk=made["id"]).key_sha256 == sha256_of(made["key"])
    assert alice.get(f"/api/v1/tokens/{made['id']}/").json()["name"] == "laptop"
    assert cast.client("Eve").delete(f"/api/v1/tokens/{made['id']}/").status_code == 404
    assert alice.delete(f"/api/v1/tokens/{made['id']}/").status_code == 204
    assert other.get("/api/v1/tokens/").status_code == 401
    assert alice.delete(f"/api/v1/tokens/{made['id']}/").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("Mona", 201), ("Ada", 201), ("Rita", 403), ("Wanda", 403), (None, 401)])
def test_who_has_tokens_of_their_own(who: str | None, status: int) -> None:
    assert cast.client(who).post("/api/v1/tokens/", {}).status_code == status


def register(**body: object):
    return cast.client().post("/api/v1/register/", body)


def test_nobody_registers_themselves_by_default() -> None:
    answer = register(name="Nora", password="a long and odd one 17")
    assert answer.status_code == 403 and not User.objects.filter(username="Nora").exists()


def test_a_worker_registers_where_the_site_is_open(settings: Any) -> None:
    settings.OPEN_REGISTRATION = True
    answer = cast.client().post(
        "/api/v1/register/",
        {"name": "Nora", "password": "a long and odd one 17", "role": "admin"},
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 201 and answer.json()["role"] == Role.WORKER
    nora = User.objects.get(username="Nora")
    assert nora.role == Role.WORKER and not nora.is_staff and nora.check_password("a long and odd one 17")
    client = cast.client()
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get("/api/v1/tokens/").status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "wanda", "password": "a long and odd one 17"}, "/name"),
        ({"name": "rule", "password": "a long and odd one 17"}, "/name"),
        ({"name": "a b", "password": "a long and odd one 17"}, "/name"),
        ({"name": "a\x00b", "password": "a long and odd one 17"}, ""),
        ({"name": "", "password": "a long and odd one 17"}, "/name"),
        ({"name": "x" * 151, "password": "a long and odd one 17"}, "/name"),
        ({"name": "Nora", "password": "password"}, "/password"),
        ({"name": "Nora"}, "/password"),
    ],
)
def test_a_bad_registration_is_400_with_its_place(body: dict, pointer: str, settings: Any) -> None:
    settings.OPEN_REGISTRATION = True
    cast.user("Wanda")
    answer = register(**body)
    assert answer.status_code == 400 and [e["pointer"] for e in answer.json()["errors"]] == [pointer]
