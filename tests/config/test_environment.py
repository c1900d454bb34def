from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from config.environment import BadSetting, Bucket, Database, folder, kept_secret, parse_database, read
from tests.conftest import PROJECT

HERE = Path("/srv/data")


def test_with_nothing_set_all_is_local_and_safe() -> None:
    environment = read({"DATA_DIR": "/srv/data"})
    assert environment.database == Database("sqlite", "/srv/data/trackweave.sqlite3")
    assert environment.storage_dir == Path("/srv/data/files")
    assert environment.allowed_hosts == ("127.0.0.1", "localhost", "[::1]")
    nothing = (environment.redis_url, environment.public_url, environment.secret_key)
    assert nothing == (None, None, None)
    assert not (environment.debug or environment.open_registration or environment.https)


def test_an_empty_variable_counts_as_left_out() -> None:
    names = [
        "DATABASE_URL",
        "REDIS_URL",
        "DATA_DIR",
        "SECRET_KEY",
        "PUBLIC_URL",
        "ALLOWED_HOSTS",
        "DEBUG",
        "STORAGE_URL",
    ]
    assert read(dict.fromkeys(names, "")) == read({})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////srv/x.db", Database("sqlite", "/srv/x.db")),
        ("sqlite:///x%20y.db", Database("sqlite", str(Path("x y.db").absolute()))),
        ("sqlite:////x.db?synchronous=off", Database("sqlite", "/x.db", options=(("synchronous", "OFF"),))),
        ("postgres://h/n", Database("postgres", "n", host="h")),
        (
            "postgresql://us%40er:p%2Fw@db.example.org:5433/name?sslmode=require",
            Database("postgres", "name", "us@er", "p/w", "db.example.org", 5433, (("sslmode", "require"),)),
        ),
        ("postgres://u@/n?host=/run/pg", Database("postgres", "n", "u", "", "/run/pg")),
    ],
)
def test_database_addresses(url: str, expected: Database) -> None:
    assert parse_database(url, HERE) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "s3://k%2Fy:s%40t@store:9000/bucket/some/prefix?region=r&tls=off&links=no",
            Bucket("bucket", "some/prefix", "http://store:9000", "r", "k/y", "s@t", False),
        ),
        (
            "s3://key:secret@store.example.org/b",
            Bucket("b", "", "https://store.example.org", None, "key", "secret", True),
        ),
        ("s3:///bucket?region=eu-central-1", Bucket("bucket", "", None, "eu-central-1", None, None, True)),
        ("file:///srv/files", None),
    ],
)
def test_addresses_of_files(url: str, expected: Bucket | None) -> None:
    found = read({"STORAGE_URL": url, "DATA_DIR": "/srv/host"})
    assert (found.bucket, found.storage_dir) == (expected, Path("/srv/host" if expected else "/srv/files"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u:p@h/n"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite://x.db"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:////x.db?synchronous=SOMETIMES"),
        ("DATABASE_URL", "sqlite:////x.db?journal=WAL"),
        ("DATABASE_URL", "postgres://h"),
        ("DATABASE_URL", "postgres://h:port/n"),
        ("DATABASE_URL", "postgres://h:99999/n"),
        ("DATABASE_URL", "postgres://h/a/b"),
        ("DATABASE_URL", "postgres://[::1/n"),
        ("DATABASE_URL", "postgres://h/n?sslmode"),
        ("DATABASE_URL", "postgres://h/n?prepare_threshold=often"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://h"),
        ("REDIS_URL", "redis://"),
        ("STORAGE_URL", "s3://bucket"),
        ("STORAGE_URL", "s3://key@store/bucket"),
        ("STORAGE_URL", "s3://key:secret@store"),
        ("STORAGE_URL", "s3://key:secret@store/bucket?acl=public"),
        ("STORAGE_URL", "s3://key:secret@store/bucket?tls=perhaps"),
        ("STORAGE_URL", "relative/folder"),
        ("STORAGE_CACHE_BYTES", "20G"),
        ("STORAGE_CACHE_BYTES", "-1"),
        ("PUBLIC_URL", "labels.example.org"),
        ("PUBLIC_URL", "ftp://labels.example.org"),
        ("PUBLIC_URL", "https://labels.example.org/path"),
        ("PUBLIC_URL", "https://"),
        ("ALLOWED_HOSTS", "http://labels.example.org"),
        ("ALLOWED_HOSTS", ","),
        ("DEBUG", "maybe"),
        ("OPEN_REGISTRATION", "2"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "x" * 60),
    ],
)
def test_nonsense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        read({name: value})


def test_an_error_shows_no_password() -> None:
    with pytest.raises(BadSetting) as caught:
        read({"DATABASE_URL": "mysql://user:geheim@host/name"})
    assert "geheim" not in str(caught.value)
    with pytest.raises(BadSetting) as caught:
        read({"SECRET_KEY": "geheim"})
    assert "geheim" not in str(caught.value)


def test_a_public_address_names_the_host_and_turns_https_on() -> None:
    environment = read({"PUBLIC_URL": "https://labels.example.org:8443/"})
    assert environment.public_url == "https://labels.example.org:8443"
    assert environment.allowed_hosts[-1] == "labels.example.org"
    assert environment.https


def test_named_hosts_replace_the_default() -> None:
    assert read({"ALLOWED_HOSTS": "a.example, b.example"}).allowed_hosts == ("a.example", "b.example")


def test_the_secret_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret_key"
    first = kept_secret(path)
    assert kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert len(set(pool.map(kept_secret, [tmp_path / "secret_key"] * 16))) == 1


def test_a_secret_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("abc")
    with pytest.raises(BadSetting, match="SECRET_KEY"):
        kept_secret(tmp_path / "secret_key")


def manage(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=PROJECT, env={**kept, **environ}, capture_output=True, text=True)


def test_a_command_says_which_setting_is_wrong_in_one_line(tmp_path: Path) -> None:
    ran = manage("check", DATA_DIR=str(tmp_path), DEBUG="perhaps")
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "DEBUG='perhaps'" in ran.stderr


@pytest.mark.parametrize("place", ["a file", "a file/below it"])
def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").touch()
    for environ in ({"DATA_DIR": str(tmp_path / place)}, {"DATABASE_URL": f"sqlite:///{tmp_path / place / 'x.db'}"}):
        ran = manage("check", **({"DATA_DIR": str(tmp_path / "data")} | environ))
        assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1), ran.stderr
        assert next(iter(environ)) in ran.stderr and "no folder can be made there" in ran.stderr


def test_a_folder_of_somebody_elses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "access", lambda path, mode: False
    )  # root, who runs some of these tests, may write anywhere
    with pytest.raises(BadSetting, match="DATA_DIR=.* may not write"):
        folder("DATA_DIR", tmp_path)


def test_a_site_on_https_passes_djangos_own_deployment_checks(tmp_path: Path) -> None:
    ran = manage(
        "check", "--deploy", "--fail-level", "WARNING", DATA_DIR=str(tmp_path), PUBLIC_URL="https://labels.example.org"
    )
    assert ran.returncode == 0, ran.stderr
