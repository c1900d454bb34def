"""Real job workers in processes of their own, killed at the worst moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db.models.functions import Now

from annotation import queue
from annotation.lifecycle import JobStatus
from annotation.models import Job
from tests.conftest import PROJECT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]
Start = Callable[..., subprocess.Popen]


def eventually(true: Callable[[], object], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


@pytest.fixture
def start(child_env: dict[str, str]) -> Iterator[Start]:
    started: list[subprocess.Popen] = []
    environ = {**child_env, "DJANGO_SETTINGS_MODULE": "tests.config.poison"}

    def start(**settings: str) -> subprocess.Popen:
        worker = subprocess.Popen([sys.executable, "manage.py", "work"], cwd=PROJECT, env=environ | settings)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def test_a_job_whose_worker_is_killed_is_done_by_another(start: Start, tmp_path: Path) -> None:
    subject = str(tmp_path / "a")
    queue.want("hang", subject)
    first = start()
    eventually(Path(f"{subject}.started").exists)
    first.kill()
    first.wait()
    Job.objects.filter(kind="hang").update(lease_until=Now())  # instead of waiting for it
    Path(f"{subject}.go").touch()
    start()
    eventually(lambda: Job.objects.get(kind="hang").status == JobStatus.DONE)
    assert (Path(f"{subject}.done").read_text(), Job.objects.get(kind="hang").attempts) == ("x", 2)


def test_a_job_that_kills_its_worker_is_given_up_and_the_others_go_on(start: Start, tmp_path: Path) -> None:
    queue.want("kill", "poison")
    for _ in range(3):
        assert start().wait(60) == -signal.SIGKILL
        Job.objects.filter(status=JobStatus.RUNNING).update(lease_until=Now())
        queue.reclaim()
        Job.objects.filter(status=JobStatus.QUEUED).update(not_before=Now())
    assert Job.objects.get(kind="kill").status == JobStatus.QUARANTINED
    subject = str(tmp_path / "good")
    Path(f"{subject}.go").touch()
    queue.want("hang", subject)
    start()
    eventually(Path(f"{subject}.done").exists)


def test_a_worker_that_is_told_to_stop_gives_its_job_back_uncounted(start: Start, tmp_path: Path) -> None:
    subject = str(tmp_path / "a")
    queue.want("hang", subject)
    worker = start()
    eventually(Path(f"{subject}.started").exists)
    worker.terminate()
    assert worker.wait(20) == 0
    job = Job.objects.get(kind="hang")
    assert (job.status, job.attempts, job.token) == (JobStatus.QUEUED, 0, None)


def test_an_idle_worker_stops_at_once(start: Start) -> None:
    worker = start()
    time.sleep(3)
    worker.terminate()
    assert worker.wait(20) == 0 or worker.returncode == -signal.SIGTERM  # the latter while it was still starting


SLOW_TO_END = """
import os, signal, threading, time
import django
django.setup()
from annotation import working
working.PATIENCE_S = 1
threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
working.Worker().work()
time.sleep(2)
"""


def test_a_worker_that_is_slow_to_end_is_not_killed_by_its_own_alarm(child_env: dict[str, str]) -> None:
    command = [sys.executable, "-c", SLOW_TO_END]
    ran = subprocess.run(command, cwd=PROJECT, env=child_env, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_jobs_are_found_although_their_message_is_lost(start: Start, tmp_path: Path, monkeypatch) -> None:
    subject = str(tmp_path / "a")
    Path(f"{subject}.go").touch()
    monkeypatch.setattr(queue, "wake", lambda key: None)
    queue.want("hang", subject)
    start()
    eventually(lambda: Job.objects.filter(kind="hang", status=JobStatus.DONE).exists())


def test_jobs_are_done_while_redis_is_away(start: Start, tmp_path: Path) -> None:
    for subject in (str(tmp_path / "a"), str(tmp_path / "b")):
        Path(f"{subject}.go").touch()
        queue.want("hang", subject)
    worker = start(REDIS_URL="unix:///nowhere.sock")
    eventually(lambda: Job.objects.filter(kind="hang", status=JobStatus.DONE).count() == 2 or worker.poll() is not None)
    assert worker.poll() is None
    worker.terminate()
    assert worker.wait(10) == 0


BY_REDIS = """
import django
django.setup()
from annotation import queue
from django_q.models import OrmQ
queue.want("note", "a")
print(queue.receive(), OrmQ.objects.count())
"""


def test_with_redis_the_message_goes_through_redis(child_env: dict[str, str], redis_url: str) -> None:
    command = [sys.executable, "-c", BY_REDIS]
    ran = subprocess.run(
        command, cwd=PROJECT, env={**child_env, "REDIS_URL": redis_url}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["note:a", "0"]


def test_a_redis_that_is_away_loses_no_job(child_env: dict[str, str]) -> None:
    command = [sys.executable, "-c", BY_REDIS.replace("queue.receive()", "queue.Job.objects.count()")]
    environ = {**child_env, "REDIS_URL": "unix:///nowhere.sock"}
    ran = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "0"]
