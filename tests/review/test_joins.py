"""Doubtful joins as review items: asked for by the video as it stands, whoever stitched it first."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.core.tracks import Tracks, make_track
from annotation.queue import sweep_all
from crowd import publishing
from crowd.importing import withdraw_done_batch
from crowd.models import Batch
from review import releasing
from review.jobs import stitch_video_job
from review.models import Consensus, Join, Stitch
from tests import cast
from tests.review.rows import accepted
from tests.review.stage import API

pytestmark = pytest.mark.django_db


def twins(start: int, stop: int) -> Tracks:
    """Two who go so close together that nobody can tell who is who beyond a border."""
    at = [start, stop - 1]
    places = [[[100 + row / 10 + f / 50, 5.0, 140 + row / 10 + f / 50, 60.0] for f in at] for row in (0, 1)]
    return Tracks(start, stop, tuple(make_track(f"{start}-{r}", "person", at, p) for r, p in enumerate(places)))


def doubtful(rows: list[Consensus]) -> list[dict[str, Any]]:
    answer = cast.client("Rita").get(f"{API}/projects/{rows[0].video.project_id}/joins/?status=doubtful")
    return answer.json()["results"]


def stitch(rows: list[Consensus]) -> None:
    """The job that each decision wants."""
    stitch_video_job(rows[0].video_id)


def test_what_is_doubtful_is_asked_although_a_release_stitched_it_first() -> None:
    rows = accepted(3, twins)
    project = rows[0].video.project
    releasing.build_release(release_id=releasing.release(project=project, by=project.owner).pk)
    assert doubtful(rows) == []
    stitch(rows)
    assert (len(doubtful(rows)), Stitch.objects.count()) == (4, 1)
    stitch(rows)
    assert (len(doubtful(rows)), Join.objects.count()) == (4, 4)


def test_joins_of_an_import_that_is_undone_are_asked_no_more() -> None:
    rows = accepted(3, twins)
    stitch(rows)
    assert len(doubtful(rows)) == 4
    withdraw_done_batch(batch=rows[0].batch)
    stitch(rows)
    assert doubtful(rows) == []


def test_joins_of_a_cancelled_batch_are_asked_no_more_once_the_sweep_came_by() -> None:
    rows, others = accepted(3, twins), accepted(3, twins, project=cast.project(name="Bridge"))
    stitch(rows)
    stitch(others)
    Batch.objects.filter(pk=rows[0].batch_id).update(status="open")  # the rest of it is still to be done
    rows[0].batch.refresh_from_db()
    publishing.cancel(batch=rows[0].batch, by=cast.user("Mona"))
    sweep_all()
    cast.work_off()
    assert (doubtful(rows), len(doubtful(others))) == ([], 4)
