"""Jobs whose files cannot be reached or written for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from annotation import queue
from annotation.lifecycle import JobStatus
from annotation.models import Job
from tests.config.test_queue import kind, lapse, no_other_jobs  # noqa: F401  a fixture for each test here, too

pytestmark = pytest.mark.django_db


def away(subject: str) -> None:
    raise FileNotFoundError(f"{subject} is not there")


def test_a_job_whose_files_are_away_is_not_given_up_before_a_day_has_passed() -> None:
    given_up: list[str] = []
    with kind("far", away, lambda subject, reason: given_up.append(subject)):
        queue.want("far", "a")
        for minutes in (0, 2, 60, 23 * 60):
            wanted = Now() - timedelta(minutes=minutes, seconds=1)
            Job.objects.update(created_at=wanted, not_before=wanted)
            assert queue.work_off() == 1
            job = Job.objects.get()
            assert (job.status, job.attempts, given_up) == (JobStatus.QUEUED, 0, [])
            assert job.reason == "FileNotFoundError: a is not there"
        Job.objects.update(created_at=Now() - timedelta(days=1))
        for _ in range(3):
            lapse()
            assert queue.work_off() == 1
    assert (Job.objects.get().status, given_up) == (JobStatus.QUARANTINED, ["a"])


@pytest.mark.parametrize(("minutes", "wait_s"), [(0, 2), (1, 60), (60, 300)])
def test_a_job_whose_files_are_away_waits_for_as_long_as_it_has_waited(minutes: int, wait_s: int) -> None:
    with kind("far", away):
        queue.want("far", "a")
        Job.objects.update(created_at=Now() - timedelta(minutes=minutes))
        queue.work_off()
    soon = Job.objects.filter(not_before__gt=Now() + timedelta(seconds=0.9 * wait_s - 1))
    assert soon.filter(not_before__lt=Now() + timedelta(seconds=wait_s + 30)).exists()


def test_a_job_that_is_wanted_again_while_it_finds_its_files_away_waits_and_is_given_up_like_another() -> None:
    given_up: list[str] = []

    def wanted_meanwhile(subject: str) -> None:
        queue.want("far", subject)
        away(subject)

    with kind("far", wanted_meanwhile, lambda subject, reason: given_up.append(subject)):
        queue.want("far", "a")
        Job.objects.update(created_at=Now() - timedelta(hours=23))
        assert [queue.run_due(), queue.run_due()] == [True, False], "it waits, though it is wanted"
        Job.objects.update(created_at=F("created_at") - timedelta(hours=2))
        for _ in range(3):
            lapse()
            assert queue.run_due()
    assert given_up == ["a"]
