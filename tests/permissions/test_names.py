"""Who people are: nothing that a client, a reviewer or a worker can read has the name of a worker, but their own."""

from __future__ import annotations

import re

import pytest

from annotation.models import User
from tests.permissions.table import ROWS, Row
from tests.permissions.test_permissions import ask
from tests.permissions.world import PEOPLE, World

pytestmark = pytest.mark.django_db
WORKING = [row for row in ROWS if row.expected("worker holder") in (200, 201)]


def names_in(world: World, row: Row, column: str) -> set[str]:
    """Others' names in an answer, its headers included. Pictures and archives hold no text to look through."""
    answer = ask(world, row, column)
    assert answer.status_code < 300, (row.key, answer.status_code)
    is_text = not answer.streaming and "image" not in answer.get("Content-Type", "")
    text = (answer.content.decode() if is_text else "") + str(dict(answer.headers))
    hidden = User.objects.filter(role="worker") if not column.startswith("worker") else User.objects.all()
    others = set(hidden.values_list("username", flat=True)) - {PEOPLE[column].name}
    return {name for name in others if re.search(rf"\b{re.escape(name)}\b", text)}


@pytest.mark.parametrize("column", ["client own", "reviewer invited"])
def test_clients_and_reviewers_read_pseudonyms(world: World, column: str) -> None:
    rows = [row for row in ROWS if row.method == "GET" and row.expected(column) == 200]
    assert len(rows) > 20
    assert {row.key: found for row in rows if (found := names_in(world, row, column))} == {}


def test_workers_read_nobodys_name(world: World) -> None:
    rows = [row for row in WORKING if row.status in (200, 201)]
    assert len(rows) > 8
    assert {row.key: found for row in rows if (found := names_in(world, row, "worker holder"))} == {}


def test_managers_read_names_so_the_search_finds_them(world: World) -> None:
    (row,) = [row for row in ROWS if row.key == "GET /projects/{project_id}/workers/"]
    assert "Una" in names_in(world, row, "manager invited")
