"""Lists ask the database as often for a long page as for a short one, and for nothing that they do not show."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review.jobs import stitch_video_job
from tests import cast
from tests.review.rows import accepted
from tests.review.stage import API, by_all, launched, tracks
from tests.review.test_joins import twins

pytestmark = pytest.mark.django_db


def asked(address: str, rows: int) -> list[str]:
    """The queries for a page of a list that has so many rows."""
    mona = cast.client("Mona")
    mona.get(f"{API}/me/")  # a token's first use is noted
    with CaptureQueriesContext(connection) as queries:
        body = mona.get(f"{API}/{address}?page_size={rows}").json()
    assert len(body["results"]) == rows
    return [query["sql"] for query in queries]


def test_consensus_is_listed_by_as_many_queries_however_many_there_are() -> None:
    batch = launched(frames=74, max_redundancy=2)
    by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    address = f"projects/{batch.project_id}/consensus/"
    queries = asked(address, 4)
    assert len(queries) == len(asked(address, 1))
    assert not any("payload" in query or "frame_times_s" in query for query in queries)


def test_joins_are_listed_by_as_many_queries_however_many_there_are() -> None:
    rows = accepted(6, twins)
    stitch_video_job(rows[0].video_id)
    address = f"projects/{rows[0].video.project_id}/joins/"
    assert len(asked(address, 10)) == len(asked(address, 1))


def test_workers_are_listed_by_as_many_queries_however_many_there_are() -> None:
    batch = launched(frames=20, redundancy=5)
    by_all(batch, **dict.fromkeys(("Wanda", "Will", "Walt", "Wim", "Wilma"), tracks))
    address = f"projects/{batch.project_id}/workers/"
    assert len(asked(address, 5)) == len(asked(address, 1))
