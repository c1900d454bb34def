"""Jobs: wanted once, taken once, counted before they start, healed when their worker is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django_q.brokers import get_broker
from django_q.models import OrmQ

from annotation import queue
from annotation.lifecycle import JobStatus
from annotation.models import Job

pytestmark = pytest.mark.django_db
commits = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_other_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the apps bring is not at stake here."""
    monkeypatch.setattr(queue, "autodiscover_modules", lambda name: None)
    monkeypatch.setattr(queue, "SWEEPS", [])


@pytest.fixture
def done() -> Iterator[list[str]]:
    """A kind "note" whose jobs only write their subject down."""
    subjects: list[str] = []
    with kind("note", subjects.append):
        yield subjects


class kind:
    def __init__(self, name: str, handler: queue.Handler, given_up: queue.GivenUp | None = None) -> None:
        self.name, self.kind = name, queue.Kind(handler, given_up)

    def __enter__(self) -> None:
        queue.KINDS[self.name] = self.kind

    def __exit__(self, *_: object) -> None:
        del queue.KINDS[self.name]


def fail(subject: str) -> None:
    raise RuntimeError(f"{subject} cannot be done")


def lapse() -> None:
    """Time passes: what is held or waited for lies in the past."""
    Job.objects.filter(status=JobStatus.RUNNING).update(lease_until=Now() - timedelta(seconds=1))
    Job.objects.filter(status=JobStatus.QUEUED).update(not_before=Now() - timedelta(seconds=1))


def test_a_wanted_job_is_done(done: list[str]) -> None:
    queue.want("note", "a")
    assert queue.work_off() == 1
    assert done == ["a"]
    job = Job.objects.get()
    assert (job.status, job.attempts, job.token) == (JobStatus.DONE, 1, None)


def test_a_job_wanted_twice_is_done_once(done: list[str]) -> None:
    queue.want("note", "a")
    queue.want("note", "a")
    queue.work_off()
    assert done == ["a"]


def test_a_job_wanted_again_after_it_was_done_is_done_again(done: list[str]) -> None:
    for _ in range(2):
        queue.want("note", "a")
        queue.work_off()
    assert done == ["a", "a"]


@commits
def test_a_job_wanted_in_a_transaction_that_fails_is_not_wanted(done: list[str]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        queue.want("note", "a")
        fail("it")
    assert queue.work_off() == 0
    assert not Job.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_delayed_job_waits(done: list[str]) -> None:
    queue.want("note", "a", delay_s=3600)
    assert queue.work_off() == 0
    lapse()
    assert queue.work_off() == 1


def test_a_delayed_job_that_is_wanted_at_once_waits_no_longer(done: list[str]) -> None:
    queue.want("note", "a", delay_s=3600)
    queue.want("note", "a")
    assert queue.work_off() == 1


def test_a_job_wanted_at_once_is_not_held_up_by_a_later_wish_to_wait(done: list[str]) -> None:
    queue.want("note", "a")
    queue.want("note", "a", delay_s=3600)
    assert queue.work_off() == 1


@commits
def test_the_message_that_wakes_a_worker_names_the_job(done: list[str]) -> None:
    queue.want("note", "a")
    key = queue.receive()
    assert key == "note:a"
    assert queue.run(key)
    assert done == ["a"]


@commits
def test_a_message_is_gone_once_it_is_received(done: list[str]) -> None:
    queue.want("note", "a")
    queue.receive()
    assert not OrmQ.objects.exists()


@commits
def test_a_message_that_is_not_signed_with_the_queues_own_key_is_dropped() -> None:
    get_broker().enqueue("gAN9cQAu:forged")
    assert queue.receive() is None
    assert not OrmQ.objects.exists()


def test_the_same_job_run_twice_is_done_once(done: list[str]) -> None:
    queue.want("note", "a")
    assert [queue.run("note:a"), queue.run("note:a")] == [True, False]
    assert done == ["a"]


def test_a_job_that_is_wanted_while_it_runs_is_done_once_more() -> None:
    seen: list[str] = []

    def handler(subject: str) -> None:
        seen.append(subject)
        if len(seen) == 1:
            queue.want("echo", subject)

    with kind("echo", handler):
        queue.want("echo", "a")
        queue.work_off()
    assert seen == ["a", "a"]


def test_the_attempt_is_counted_before_the_work_starts() -> None:
    counted: list[int] = []
    with kind("peek", lambda _: counted.append(Job.objects.get().attempts)):
        queue.want("peek", "a")
        queue.work_off()
    assert counted == [1]


def test_a_failed_job_is_tried_again_later_and_given_up_after_three() -> None:
    given_up: list[tuple[str, str]] = []
    with kind("bad", fail, lambda subject, reason: given_up.append((subject, reason))):
        queue.want("bad", "a")
        waits = []
        for _ in range(3):
            assert queue.work_off() == 1
            waits += Job.objects.filter(status=JobStatus.QUEUED).values_list(
                F("not_before") - F("wanted_at"), flat=True
            )
            lapse()
        assert queue.work_off() == 0
    job = Job.objects.get()
    assert (job.status, job.attempts) == (JobStatus.QUARANTINED, 3)
    assert "a cannot be done" in job.reason
    assert given_up == [("a", job.reason)]
    assert waits[0] < waits[1]


def test_a_job_whose_giving_up_fails_is_given_up_all_the_same_and_ends_no_worker() -> None:
    def fail_again(subject: str, reason: str) -> None:
        Job.objects.filter(subject=subject).update(subject="half done")
        raise LookupError(subject)

    with kind("bad", fail, fail_again):
        queue.want("bad", "a")
        for _ in range(3):
            assert queue.work_off() == 1
            lapse()
        assert (queue.work_off(), queue.reclaim()) == (0, 0)
    job = Job.objects.get()
    assert (job.status, job.subject) == (JobStatus.QUARANTINED, "a")
    assert "a cannot be done" in job.reason


def test_a_job_of_a_kind_that_nobody_knows_ends_in_quarantine() -> None:
    queue.want("unheard-of", "a")
    for _ in range(3):
        queue.work_off()
        lapse()
    assert "nobody handles" in Job.objects.get(status=JobStatus.QUARANTINED).reason


def test_a_job_whose_worker_was_lost_is_done_by_another(done: list[str]) -> None:
    queue.want("note", "a")
    queue._take("note:a")
    assert queue.reclaim() == 0, "its lease still runs"
    lapse()
    assert queue.reclaim() == 1
    lapse()
    assert queue.work_off() == 1
    assert (done, Job.objects.get().attempts) == (["a"], 2)


def test_a_job_that_loses_every_worker_is_given_up_after_three(done: list[str]) -> None:
    queue.want("note", "poison")
    for _ in range(3):
        assert queue._take("note:poison")
        lapse()
        queue.reclaim()
        lapse()
    job = Job.objects.get()
    assert (job.status, job.attempts) == (JobStatus.QUARANTINED, 3)
    assert queue.work_off() == 0


def test_poison_that_is_wanted_again_while_it_kills_is_given_up_all_the_same(done: list[str]) -> None:
    for _ in range(3):
        queue.want("note", "poison")
        assert queue._take("note:poison")
        queue.want("note", "poison")
        lapse()
        queue.reclaim()
        lapse()
    assert Job.objects.filter(status=JobStatus.QUARANTINED).count() == 1


def test_a_worker_that_was_thought_lost_cannot_end_a_job_that_another_has(done: list[str]) -> None:
    queue.want("note", "a")
    first = queue._take("note:a")
    lapse()
    queue.reclaim()
    lapse()
    second = queue._take("note:a")
    queue._put_back(first, "late")
    job = Job.objects.get()
    assert (job.status, job.token) == (JobStatus.RUNNING, second.token)


@commits
def test_a_long_job_keeps_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "BEAT_S", 0.05)
    leases = []

    def handler(_: str) -> None:
        leases.append(Job.objects.get().lease_until)
        for _attempt in range(200):
            if Job.objects.get().lease_until != leases[0]:
                break
            queue.threading.Event().wait(0.05)
        leases.append(Job.objects.get().lease_until)

    with kind("long", handler):
        queue.want("long", "a")
        queue.work_off()
    assert leases[1] > leases[0]


def test_one_sweep_that_fails_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[str] = []
    monkeypatch.setattr(queue, "SWEEPS", [lambda: fail("sweep"), lambda: swept.append("second")])
    queue.sweep_all()
    assert swept == ["second"]


def test_a_handler_that_is_named_twice_is_an_error() -> None:
    with kind("note", fail), pytest.raises(ValueError, match="two handlers"):
        queue.job("note")(lambda subject: None)


def test_reasons_hold_what_the_database_can_store(done: list[str]) -> None:
    def handler(_: str) -> None:
        raise RuntimeError("a\0b" + "x" * 5000)

    with kind("odd", handler):
        queue.want("odd", "a")
        queue.work_off()
    assert Job.objects.get().reason.startswith("RuntimeError: abx")


def test_jobs_done_long_ago_are_forgotten_and_those_given_up_are_not(done: list[str]) -> None:
    for subject in "ab":
        queue.want("note", subject)
    queue.work_off()
    Job.objects.create(kind="k", subject="s", status=JobStatus.QUARANTINED, reason="poison", finished_at=Now())
    Job.objects.exclude(subject="b").update(finished_at=Now() - timedelta(days=8))
    queue.sweep_all()
    assert set(Job.objects.values_list("subject", flat=True)) == {"b", "s"}
