from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.lifecycle import Role
from annotation.models import User
from annotation.tokens import user_token
from tests.conftest import PROJECT

pytestmark = pytest.mark.django_db


def adduser(*words: str) -> str:
    out = io.StringIO()
    call_command("adduser", *words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("role", Role.values)
def test_the_token_stands_alone_on_the_last_line(role: str) -> None:
    token = adduser("ann", "--role", role).splitlines()[-1]
    user = user_token(token.encode()).user
    assert (user.username, user.role, user.has_usable_password()) == ("ann", role, False)


def test_the_old_token_stays_and_is_told_again() -> None:
    assert adduser("ann", "--role", "worker") == adduser("ann")


def test_a_new_token_ends_the_old_one() -> None:
    old = adduser("ann", "--role", "worker").strip()
    new = adduser("ann", "--new-token").strip()
    assert user_token(old.encode()) is None
    assert user_token(new.encode()).user.username == "ann"


def test_a_role_can_be_changed_and_stays_otherwise() -> None:
    adduser("ann", "--role", "worker")
    adduser("ann", "--role", "manager")
    adduser("ann")
    assert User.objects.get().role == "manager"


def test_languages_are_set_and_stay() -> None:
    adduser("ann", "--role", "worker", "--languages", "en, pt-BR")
    adduser("ann", "--role", "worker")
    assert User.objects.get().languages == ["en", "pt-BR"]
    with pytest.raises(CommandError):
        adduser("ann", "--languages", "klingon!")


def test_a_password_is_read_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    adduser("ann", "--role", "worker", "--password-stdin")
    adduser("ann")
    assert User.objects.get().check_password("correct horse")


def test_a_file_of_people_gives_a_csv_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,role,password\nann,worker,\nbob,manager,secret words\n")
    rows = list(csv.DictReader(io.StringIO(adduser("--file", str(path)))))
    assert [row["name"] for row in rows] == ["ann", "bob"]
    assert user_token(rows[1]["token"].encode()).user.role == "manager"
    assert User.objects.get(username="bob").check_password("secret words")


def test_names_alone_take_the_role_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name\nann\nbob\n")
    adduser("--file", str(path), "--role", "worker")
    assert set(User.objects.values_list("role", flat=True)) == {"worker"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "first line"),
        ("who\nann\n", "first line"),
        ("name,salary\nann,7\n", "first line"),
        ("name,role\nann,king\n", "line 2: 'ann': there is no role 'king'"),
        ("name,role\n\nann,worker\n\nbob,king\n", "line 5: 'bob'"),
        ("name,role\n  ,worker\n", "line 2: this is not one person"),
        ("name,role,languages\nann,worker,klingon!\n", "line 2: "),
        ("name,role\nann,worker\n,worker\n", "line 3"),
        ("name,role\nann,worker,more\n", "line 2"),
        ("name\nann\n", "needs a role"),
        ("name,role\nbob,worker\nann with spaces,worker\n", "ann with spaces"),
    ],
)
def test_a_file_that_is_wrong_anywhere_adds_nobody(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(content)
    with pytest.raises(CommandError, match=message):
        adduser("--file", str(path))
    assert not User.objects.exists()


def test_nobody_is_called_as_what_no_person_decided() -> None:
    with pytest.raises(CommandError, match="no person decided"):
        adduser("rule", "--role", "worker")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "words", [(), ("ann", "--file", "x.csv"), ("ann",), ("a b", "--role", "worker"), ("--file", "/no")]
)
def test_nonsense_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        adduser(*words)
    assert not User.objects.exists()


def test_an_empty_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="no password"):
        adduser("ann", "--role", "worker", "--password-stdin")


def test_a_token_that_cannot_be_told_again_is_a_clear_error(settings: pytest.FixtureRequest) -> None:
    adduser("ann", "--role", "worker")
    settings.SECRET_KEY = "another secret, as long as it has to be 0123456789 0123456789"
    with pytest.raises(CommandError, match="--new-token"):
        adduser("ann")
    assert len(adduser("ann", "--new-token").strip()) == 64


@pytest.mark.once
def test_the_first_person_is_added_before_anything_was_served(tmp_path: Path) -> None:
    command = [sys.executable, str(PROJECT / "manage.py"), "adduser", "ann", "--role", "manager"]
    environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "new")}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()[-1]) == 64
