"""Every cell of the table, asked of the real addresses: one world, one savepoint for each request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from annotation.ids import new_id
from tests.openapi import document
from tests.permissions.table import BY_KEY, COLUMNS, NO_IDS, PATTERNS, PREFIX, ROWS, Row
from tests.permissions.world import World, filled

pytestmark = pytest.mark.django_db
#: Who may see nearly everything is asked for things that do not exist, too.
LOOKS = "admin"


def in_schema() -> set[str]:
    paths = document()["paths"]
    return {f"{m.upper()} {path.removeprefix(PREFIX)}" for path, methods in paths.items() for m in methods}


HOW = """\
{missing} in the OpenAPI schema, but not in the table of permissions. Who may do this? Add a line to ROWS in
tests/permissions/table.py, next to its like, for instance

    Row("{method}", "{path}", "RUN", 200, {{"body": "if any"}}),

where "RUN" is one of PATTERNS ({patterns}), the line that says what each role gets,
and 200 what those get who may. If the path has a parameter that is new (here: {parameters}), make such a thing
in tests/permissions/world.py and add its id to `ids` under that name."""


def how_to_add(keys: set[str]) -> str:
    method, _, path = min(keys).partition(" ")
    names = ", ".join(re.findall(r"{(\w+)}", path)) or "none"
    listed = ", ".join(sorted(keys)) + (" is" if len(keys) == 1 else " are")
    return HOW.format(missing=listed, method=method, path=path, patterns=", ".join(PATTERNS), parameters=names)


def test_every_endpoint_has_a_row() -> None:
    missing = in_schema() - BY_KEY.keys()
    assert not missing, how_to_add(missing)


def test_every_row_has_an_endpoint_and_every_pattern_is_whole() -> None:
    assert not BY_KEY.keys() - in_schema(), "take these rows out: their endpoints are gone"
    assert len(BY_KEY) == len(ROWS), "an endpoint has two rows"
    assert all(len(cells) == len(COLUMNS) for cells in PATTERNS.values())


def ask(world: World, row: Row, column: str, **other_ids: str) -> Any:
    """The answer to a row's request by who stands in a column; what it did is undone."""
    ids = world.ids | {parameter: world.ids[thing] for parameter, thing in row.at.items()} | other_ids
    path, body, query = (filled(part, ids) for part in (row.path, row.body, row.query))
    if row.form:
        body = {k: SimpleUploadedFile("a.txt", v.encode()) if k == "file" else v for k, v in body.items()}
    with transaction.atomic():
        send = getattr(world.client(column), row.method.lower())
        how = {"QUERY_STRING": query} if query else {}
        given = {"format": "multipart" if row.form else "json"}
        if "Content-Type" in row.headers:
            given = {"content_type": row.headers["Content-Type"]}
        answer = send(PREFIX + path, body, headers=row.headers, **given, **how)
        transaction.set_rollback(True)
    return answer


def told(answer: Any) -> str:
    return "a stream" if answer.streaming else answer.content.decode(errors="replace")[:500]


@pytest.mark.parametrize("key", BY_KEY)
def test_each_role_gets_what_the_table_says(world: World, key: str) -> None:
    row = BY_KEY[key]
    wrong = [f"{column} {fault}" for column in COLUMNS for fault in faults(world, row, column)]
    assert not wrong, "\n".join([key, *wrong])


def faults(world: World, row: Row, column: str) -> Iterator[str]:
    """What is wrong with the answer in one cell, and with that to an id that nothing has."""
    answer, expected = ask(world, row, column), row.expected(column)
    if answer.status_code != expected:
        yield f"gets {answer.status_code} instead of {expected}: {told(answer)}"
        return
    if "stranger" in column:
        yield from (f"is told the id of {name}" for name in leaked(world, row, answer))
    for parameter in row.parameters if expected == 404 or column == LOOKS else ():
        missing = ask(world, row, column, **{parameter: new_id()})
        if missing.status_code != 404 and expected != 403:
            yield f"gets {missing.status_code} instead of 404 for no {parameter}: {told(missing)}"
        elif expected == 404 and (answer.content, answer.headers) != (missing.content, missing.headers):
            yield f"can tell a foreign {parameter} from none: {told(answer)} {told(missing)}"


def leaked(world: World, row: Row, answer: Any) -> list[str]:
    """Things of the project that an answer to a stranger names, but for those of which they could know."""
    if answer.streaming or row.pattern == "JOIN":  # who was invited is told of the project
        return []
    asked = f"{row.path} {row.body} {row.query}"
    names = [n for n in world.ids if n not in NO_IDS and n not in row.at.values() and f"{{{n}}}" not in asked]
    return [n for n in names if world.ids[n] in answer.content.decode(errors="replace")]
