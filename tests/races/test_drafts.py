"""Eight pages that save one seat's draft at the same moment: one of them does, and the others are told."""

from __future__ import annotations

from typing import Any

import pytest

from crowd.models import Draft
from tests import cast
from tests.crowd import stage
from tests.races.test_duplicates import AT_ONCE, ROUNDS, at_once, held, statuses

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


def put(seat: dict[str, Any], i: int, **more: Any) -> Any:
    tracks = [one | {"id": f"of {i}"} for one in stage.tracks(0, 20)]
    body = {"token": seat["token"], "tracks": tracks, **more}
    return cast.client("Wanda").put(f"{stage.API}/assignments/{seat['id']}/draft/", body)


def test_of_pages_that_know_the_same_draft_one_replaces_it() -> None:
    for _ in range(ROUNDS):
        _, seat = held()
        for version in (0, 1):
            answers = at_once(lambda i: put(seat, i, page=f"page {i} {version}", version=version))  # noqa: B023
            assert statuses(answers) == {200: 1, 409: AT_ONCE - 1}
            first = next(i for i, answer in enumerate(answers) if answer.status_code == 200)
            draft = Draft.objects.get(assignment=seat["id"])
            assert (draft.version, draft.page, f'"of {first}"' in draft.body) == (
                version + 1,
                f"page {first} {version}",
                True,
            )
            assert answers[first].json()["version"] == version + 1


def test_programs_that_name_no_page_all_save() -> None:
    _, seat = held()
    answers = at_once(lambda i: put(seat, i))
    assert statuses(answers) == {200: AT_ONCE}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, AT_ONCE + 1))
