"""Cursors that nobody was given: a position is a value of the column that a list goes by, or there is no such page."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

import pytest

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
