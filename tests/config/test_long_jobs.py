"""Jobs whose worker was thought lost while it still worked."""

from __future__ import annotations

import pytest

from annotation import queue
from annotation.lifecycle import JobStatus
from annotation.models import Job
from crowd import paying
from crowd.invariants import broken
from crowd.models import Assignment, LedgerEntry
from tests import cast
from tests.config.test_queue import kind, lapse
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def test_a_job_longer_than_its_lease_has_one_effect() -> None:
    """Its heart stopped, another worker has done it, and then the first one comes to the end all the same."""
    batch = stage.launched(frames=20, reward_micros=100)
    seat = stage.claim(cast.client("Wanda"), batch.project)
    stage.submit(cast.client("Wanda"), seat)
    runs: list[str] = []

    def handler(subject: str) -> None:
        row = Assignment.objects.select_related("batch").get(pk=subject)
        runs.append(row.status)
        if len(runs) == 1:
            lapse()
            assert queue.reclaim() == 1
            lapse()
            assert queue.run("long:" + subject)
        paying.accept(seat=row)

    with kind("long", handler):
        queue.want("long", seat["id"])
        assert queue.run("long:" + seat["id"])
    job = Job.objects.get(kind="long")
    assert (runs, job.status, job.attempts) == (["submitted", "submitted"], JobStatus.DONE, 2)
    assert LedgerEntry.objects.count() == 1
    assert broken() == {}
