"""Requests that schemathesis makes up from the OpenAPI schema, with all of its checks: right ones are taken, wrong ones
refused, every answer is as described, and nothing is ever a fault of ours. FUZZ_EXAMPLES=500 tries for longer."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from annotation import tokens
from tests import cast
from tests.openapi import document
from tests.permissions.table import BY_KEY, PREFIX, Row
from tests.permissions.world import PEOPLE, World, filled

pytestmark = [pytest.mark.django_db, pytest.mark.long]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
schema = schemathesis.openapi.from_dict(copy.deepcopy(document()))
schema.app = get_wsgi_application()
schema.config.seed = 3
schema.config.generation.update(max_examples=EXAMPLES, database="none", deterministic=True)
for check in (schema.config.checks.negative_data_rejection, schema.config.checks.missing_required_header):
    check.expected_statuses += ["412", "413"]  # another version of tus; more than is taken
# HTTP knows no wrong headers, only unknown ones, which are to be ignored (RFC 9110, 5.1).
STRANGE_HEADER = "x-schemathesis-unknown-property"


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A request's end would end the connection, and with it the world."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
def test_any_request(case: Any, world: World) -> None:
    row = BY_KEY[f"{case.operation.method.upper()} {case.operation.path.removeprefix(PREFIX)}"]
    point_at_things(case, world, row)
    excluded = [positive_data_acceptance] if carries_tracks(case) else []
    if STRANGE_HEADER in (case.headers or {}) or is_a_wrong_form(case):
        excluded.append(negative_data_rejection)
    with transaction.atomic():
        case.call_and_validate(headers=headers(row), excluded_checks=excluded)
        transaction.set_rollback(True)


def headers(row: Row) -> dict[str, str]:
    """Of somebody who may."""
    column = next((c for c in ("admin", "client own", "worker holder") if row.expected(c) < 300), "admin")
    return {"Authorization": f"Token {tokens.recall(user=cast.user(PEOPLE[column].name))}"}


def point_at_things(case: Any, world: World, row: Row) -> None:
    """Ids that nobody can make up, where what was made up is meant to be right: in the path, and those in the body."""
    meta = case.meta
    if case.path_parameters and not meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters |= {p: world.ids[row.at.get(p, p)] for p in row.parameters}
    if isinstance(case.body, dict) and isinstance(row.body, dict) and not meta.is_negative_at(ParameterLocation.BODY):
        agree(case.body)
        real = {k: v for k, v in filled(row.body, world.ids).items() if v != row.body[k] or isinstance(v, list)}
        case.body |= {k: v for k, v in real.items() if k in case.body}
    if case.headers and not meta.is_negative_at(ParameterLocation.HEADER):
        case.headers.update({name: value for name, value in row.headers.items() if name in case.headers})
    if isinstance(case.query, dict) and not meta.is_negative_at(ParameterLocation.QUERY):
        real = dict(pair.split("=") for pair in filled(row.query, world.ids).split("&") if pair)
        case.query |= {k: v for k, v in real.items() if k in case.query}


def agree(body: dict[str, Any]) -> None:
    """What no schema can say: how two fields of one body belong together."""
    for i, label in enumerate(body.get("labels") or [] if "format" not in body else []):
        label["name"] = f"label {i}"
        for k, attribute in enumerate(label.get("attributes") or []):
            attribute |= {"name": f"attribute {k}", "kind": "number", "values": [k], "default": k}
    if "user" in body:  # who there is
        body["user"] = "Paul"
    if body.get("url"):  # which networks are public
        body["url"] = "https://example.org/hook"
    if body.get("pictures"):
        body["media"] = "frames"
    if policy := body.get("policy"):
        policy |= {"overlap_frames": 0, "redundancy": 1, "quorum": "2/3", "qualification": None}


def is_a_wrong_form(case: Any) -> bool:
    """A form carries texts alone, so what is wrong by its type arrives as a right one."""
    return case.media_type == "multipart/form-data" and case.meta.is_negative_at(ParameterLocation.BODY)


def carries_tracks(case: Any) -> bool:
    """No schema can say which frames a segment has."""
    return isinstance(case.body, dict) and "tracks" in case.body
