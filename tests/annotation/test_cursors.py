"""Cursors that nobody was given: a position is a value of the column that a list goes by, or there is no such page."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db.models.functions import Now

from annotation.models import Project, User
from crowd import paying
from crowd.models import LedgerEntry
from tests import cast

pytestmark = pytest.mark.django_db

NUMBERS, TIMES, NAMES = ("abc", "\0", "nan", "1e999", ""), ("abc", "2020", "2020-01-01T00:00:00", "\0"), ("\0",)
LISTS = {
    "consensus/": NUMBERS,
    "consensus/?order=difficulty": NUMBERS,
    "joins/": NUMBERS,
    "releases/": ("abc", "\0", "1.5", ""),
    "imports/": TIMES,
    "videos/": TIMES,
    "ledger/": TIMES,
    "exports/": NAMES,
    "workers/": NAMES,
    "batches/": NAMES,
}


def give_bonus(project: Project, micros: int) -> LedgerEntry:
    who = {"worker": cast.user("Wanda"), "by": cast.user("Mona"), "reason": "well done"}
    made = paying.give_bonus(project=project, amount_micros=micros, currency="EUR", **who)
    made.refresh_from_db()
    return made


def cursor(position: str) -> str:
    return base64.b64encode(urlencode({"p": position}).encode()).decode()


@pytest.mark.parametrize(("path", "position"), [(path, p) for path, positions in LISTS.items() for p in positions])
def test_a_position_that_is_none_of_the_list_is_no_page(path: str, position: str) -> None:
    address = f"/api/v1/projects/{cast.project().pk}/{path}"
    mona = cast.client("Mona")
    assert mona.get(address).status_code == 200
    told = mona.get(f"{address}{'&' if '?' in path else '?'}{urlencode({'cursor': cursor(position)})}")
    assert told.status_code == 404, told.content


@pytest.mark.parametrize(
    ("path", "position"),
    [("consensus/", "0.25"), ("releases/", "3"), ("releases/", "1" * 40), ("imports/", "2026-01-01 00:00:00+00:00")],
)
def test_a_position_of_its_kind_is_a_page(path: str, position: str) -> None:
    address = f"/api/v1/projects/{cast.project().pk}/{path}?{urlencode({'cursor': cursor(position)})}"
    assert cast.client("Mona").get(address).json()["results"] == []


@pytest.mark.parametrize("size", [1, 2, 3])
def test_lists_newest_first_tell_each_row_once_whatever_the_size_of_a_page(size: int) -> None:
    project = cast.project()
    for micros in range(1, 6):
        give_bonus(project, micros)
    rows = list(LedgerEntry.objects.filter(project=project).order_by("-created_at", "pk"))
    address, told = f"/api/v1/projects/{project.pk}/ledger/?page_size={size}", []
    while address and len(told) <= len(rows):
        page = cast.client("Mona").get(address).json()
        told += [entry["id"] for entry in page["results"]]
        address = page["next"]
    assert told == [row.pk for row in rows]


@pytest.mark.parametrize("micros", [0, 1, 120, 213000, 213456, 213450, 999999])
def test_a_row_is_found_by_the_very_moment_that_is_read_from_it(micros: int) -> None:
    moment = datetime(2026, 3, 1, 12, 0, 5, micros, tzinfo=UTC)
    entry = give_bonus(cast.project(), 1)
    by_the_clock, by_hand = cast.user("Wanda"), cast.user("Will")
    User.objects.filter(pk=by_hand.pk).update(last_login=moment)
    User.objects.filter(pk=by_the_clock.pk).update(last_login=Now())
    at = User.objects.values_list("last_login", flat=True).get(pk=by_the_clock.pk)
    for pk, found in ((by_the_clock.pk, at), (by_hand.pk, moment)):
        rows = User.objects.filter(pk=pk)
        assert rows.filter(last_login=found).exists() and not rows.filter(last_login__lt=found).exists()
        assert not rows.filter(last_login__gt=found).exists()
        near = timedelta(microseconds=1)
        assert rows.filter(last_login__gt=found - near, last_login__lt=found + near).exists()
    assert LedgerEntry.objects.filter(pk=entry.pk, created_at=entry.created_at).exists()
