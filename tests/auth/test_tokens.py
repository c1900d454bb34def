from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from annotation import tokens
from annotation.models import ApiToken, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.auth.addresses")]
ME = "/api/v1/who/"


def status_with(authorization: str) -> int:
    return APIClient().get(ME, headers={"Authorization": authorization}).status_code


def test_a_token_opens_the_api(user: User) -> None:
    assert status_with(f"Token {tokens.issue(user=user)}") == 200


def test_without_a_token_the_api_says_how_to_log_in() -> None:
    response = APIClient().get(ME)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("words", ["Token", "Token x", "Token a b", "Token \xff", "token " + "0" * 64])
def test_a_key_that_is_none_is_refused(words: str, user: User) -> None:
    assert status_with(words) == 401


def test_only_the_hash_of_a_key_is_kept(user: User) -> None:
    key = tokens.issue(user=user)
    row = ApiToken.objects.get()
    assert row.key_sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert key not in repr(ApiToken.objects.values().get())


def test_the_same_token_can_be_told_again(user: User) -> None:
    key = tokens.recall(user=user)
    assert tokens.recall(user=User.objects.get(pk=user.pk)) == key


def test_a_new_token_ends_the_old_one(user: User) -> None:
    old, new = tokens.issue(user=user), tokens.issue(user=user)
    assert (status_with(f"Token {old}"), status_with(f"Token {new}")) == (401, 200)


def test_a_token_made_under_another_secret_cannot_be_told_again(user: User, settings: pytest.FixtureRequest) -> None:
    tokens.issue(user=user)
    settings.SECRET_KEY = "another secret, as long as it has to be 0123456789 0123456789"
    with pytest.raises(tokens.TokenLost, match="SECRET_KEY"):
        tokens.recall(user=user)


def test_the_token_of_somebody_who_may_not_log_in_is_refused(user: User) -> None:
    key = tokens.issue(user=user)
    User.objects.update(is_active=False)
    assert status_with(f"Token {key}") == 401


def test_two_users_never_share_a_key(user: User) -> None:
    other = User.objects.create_user("bob")
    assert tokens.issue(user=user) != tokens.issue(user=other)


def test_when_a_token_was_last_used_is_noted_once_in_some_minutes(
    user: User, django_assert_num_queries: Callable[[int], AbstractContextManager]
) -> None:
    key = tokens.issue(user=user)
    assert ApiToken.objects.get().last_used_at is None
    assert status_with("Token " + "0" * 64) == 401 and ApiToken.objects.get().last_used_at is None
    status_with(f"Token {key}")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        status_with(f"Token {key}")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=6))
    status_with(f"Token {key}")
    assert ApiToken.objects.get().last_used_at >= first


def test_a_revoked_token_is_used_no_more(user: User) -> None:
    key = tokens.issue(user=user)
    tokens.issue(user=user)
    assert status_with(f"Token {key}") == 401
    assert not ApiToken.objects.exclude(last_used_at=None).exists()
