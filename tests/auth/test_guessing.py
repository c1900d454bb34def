"""Passwords cannot be guessed for long, and who guesses shuts nobody else out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client

from annotation import guarding
from annotation.models import FailedLogin
from tests import cast

pytestmark = pytest.mark.django_db
RIGHT = "a good long word 42"


@pytest.fixture(autouse=True)
def wanda(monkeypatch: pytest.MonkeyPatch) -> None:
    user = cast.user("Wanda")
    user.set_password(RIGHT)
    user.save()
    monkeypatch.setattr(guarding, "FROM_ONE_PLACE", 3)
    monkeypatch.setattr(guarding, "FROM_ALL", 5)


def tried(password: str, name: str = "Wanda", place: str = "192.0.2.1") -> HttpResponse:
    return Client(REMOTE_ADDR=place).post("/login/", {"username": name, "password": password})


def has_to_wait(answer: HttpResponse) -> bool:
    return answer.status_code == 200 and "Wait a quarter of an hour" in answer.content.decode()


def test_after_some_wrong_passwords_not_even_the_right_one_is_looked_at() -> None:
    assert not any(has_to_wait(tried("wrong")) for _ in range(3))
    assert has_to_wait(tried(RIGHT))
    assert FailedLogin.objects.count() == 3, "who waits is not counted, or nobody would ever get in again"
    FailedLogin.objects.update(at=Now() - timedelta(minutes=16))
    assert tried(RIGHT).status_code == 302
    guarding.forget()
    assert not FailedLogin.objects.exists()


def test_the_same_name_from_elsewhere_and_another_name_from_here_log_in() -> None:
    for _ in range(3):
        tried("wrong")
    assert tried(RIGHT, place="192.0.2.2").status_code == 302
    assert not has_to_wait(tried("wrong", name="Will"))


def test_who_knows_the_password_after_all_begins_anew() -> None:
    for _ in range(3):
        tried("wrong"), tried("wrong")
        assert tried(RIGHT).status_code == 302


def test_an_attempt_without_a_password_makes_nothing_forgotten() -> None:
    for _ in range(3):
        tried("wrong"), tried("")
    assert has_to_wait(tried(RIGHT))


def test_guesses_from_many_places_are_counted_together() -> None:
    for place in range(5):
        tried("wrong", place=f"192.0.2.{place}")
    assert has_to_wait(tried(RIGHT, place="192.0.2.99"))


def test_a_name_that_nobody_has_is_answered_alike() -> None:
    names = ("Wanda", "nobody of this name")
    answers = [[tried("wrong", name=name).content.decode() for _ in range(5)] for name in names]
    assert [has_to_wait(tried("wrong", name=name)) for name in names] == [True, True]
    assert ["Wait" in text for text in answers[0]] == ["Wait" in text for text in answers[1]]


def test_the_name_counts_however_it_is_written_and_is_not_kept() -> None:
    for name in ("wanda", "WANDA", "Wanda"):
        tried("wrong", name=name)
    assert has_to_wait(tried(RIGHT))
    assert "anda" not in repr(list(FailedLogin.objects.values()))
