"""Gold stays hidden: a classifier that sees all that a worker can see does no better than chance.

A claim is gold where its segment lies inside gold, its real seats and its extra ones alike. Clips are rows without
files here, so media are not looked at: the making of clips is told a segment and a quality, and knows of no gold.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from django.db.models import F
from rest_framework.test import APIClient

from annotation import clipping, tokens
from annotation.models import Clip, Job, Segment
from annotation.queue import work_off
from config import web
from crowd import jobs, presenting, publishing
from crowd.core.policies import Policy, parse_policy
from crowd.models import Batch, Gold, Task
from crowd.models import Policy as PolicyRow
from tests import cast
from tests.conftest import PROJECT
from tests.crowd import stage
from tests.crowd.leaks import auc, balanced, cross_validated_auc
from tests.crowd.observing import Answer, Observer, Send, table, timed

LOW, HIGH, SEED = 0.45, 0.55, 20
CLAIMS, WORKERS, SEGMENTS, GOLDEN = 510, 48, 240, 80
RULES = {"segment_frames": 12, "overlap_frames": 2, "gold_share": 0.55, "redundancy": 3, "reward_micros": 1000}


def launched(segments: int, golden: int, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A batch of so many segments, some of them inside gold, whose tasks open as the jobs get to them."""
    monkeypatch.setattr(clipping, "make_clip", lambda segment_id, **_: _clip(segment_id))
    project = cast.project()
    rules = parse_policy(RULES | {"adaptive": False, "agreement_floor": 0.5}, base=Policy())
    PolicyRow.objects.create(project=project, version=1, values=rules.to_json())
    video = cast.video(project, 10 * segments + 2)
    batch = publishing.open_batch(project=project, videos=[video], policy=rules, by=project.owner)
    client = cast.client("Alice")
    for index in sorted(random.Random(SEED).sample(range(segments), golden)):
        start, stop = 10 * index, 10 * index + 12
        body = {"video": video.pk, "start": start, "stop": stop, "tracks": stage.tracks(start, stop)}
        assert client.post(f"{stage.API}/projects/{project.pk}/gold/", body).status_code == 201
    work_off()
    assert Task.objects.filter(batch=batch, gold__isnull=False).count() == golden == Gold.objects.count()
    return batch


def _clip(segment_id: str) -> Any:
    return Clip.objects.filter(pk=segment_id).first() or cast.clip(Segment.objects.get(pk=segment_id))


def in_process() -> Send:
    """Through Django's client: no network hides what the program itself does."""
    clients: dict[str, Any] = {}

    def send(worker: str, method: str, path: str, body: Any) -> Answer:
        if worker not in clients:
            clients[worker] = APIClient()
            clients[worker].credentials(HTTP_AUTHORIZATION=f"Token {tokens.recall(user=cast.user(worker))}")
        call = getattr(clients[worker], method.lower())
        answer, seconds = timed(lambda: call(path) if body is None else call(path, body))
        return Answer(answer.status_code, dict(answer.headers), answer.content, seconds)

    return send


def observe(batch: Batch, observer: Observer, claims: int) -> tuple[list[dict[str, float]], np.ndarray, list[int]]:
    """Claims by workers in any order until there are so many of either kind within the same stretches of time."""
    rng = random.Random(SEED)
    records, labels, starts = [], [], []
    idle = 0
    while len(balanced(np.array(labels), STRETCH, SEED)) < 2 * claims if labels else True:
        found = observer.cycle(f"worker{rng.randrange(WORKERS)}", batch.project_id)
        if found is None:
            idle += 1
            assert idle < 2000, f"out of work after {len(labels)} claims, {sum(labels)} of them gold"
        else:
            seat, start, seen = found
            records.append(seen)
            labels.append(int(Task.objects.filter(assignments=seat, gold__isnull=False).exists()))
            starts.append(start)
        if (len(labels) + idle) % 10 == 0:
            jobs.go_on_with_batches()
            Job.objects.filter(kind="settle_extra", status="queued").update(not_before=F("wanted_at"))
            work_off()
    kept = balanced(np.array(labels), STRETCH, SEED)
    return [records[i] for i in kept], np.array(labels)[kept], [starts[i] for i in kept]


STRETCH = 60


def told(records: list[dict[str, float]], y: np.ndarray, starts: list[int], only: str = "") -> float:
    x, _ = table(records, only)
    return cross_validated_auc(x, y, starts, SEED) if x.shape[1] else 0.5


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.django_db
def test_nothing_observable_tells_gold_from_real_work(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = launched(SEGMENTS, GOLDEN, monkeypatch)
    records, y, starts = observe(batch, Observer(in_process()), CLAIMS)
    found = {name: told(records, y, starts, name) for name in ("", "claim seconds", "submit seconds", "draft seconds")}
    print(len(y), found)
    assert min((y == 1).sum(), (y == 0).sum()) >= CLAIMS
    assert all(LOW <= value <= HIGH for value in found.values()), found
    # The same eyes see what is planted among the real observations.
    for plant in PLANTED.values():
        leaky = [dict(record) for record in records]
        for record, gold in zip(leaky, y, strict=True):
            if gold:
                plant(record)
        assert told(leaky, y, starts) > HIGH


PLANTED: dict[str, Callable[[dict[str, float]], None]] = {
    "a prefix": lambda seen: seen.update({"seat.id[0]": ord("g")}),
    "a byte more": lambda seen: seen.update({"claim bytes": seen["claim bytes"] + 1}),
    "a header": lambda seen: seen.update({"submit headers": 998.0}),
    "a slower submit": lambda seen: seen.update({"submit seconds": seen["submit seconds"] * 1.5}),
}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.django_db(transaction=True)
def test_submit_latency_alone_tells_nothing_through_a_real_web_process(
    monkeypatch: pytest.MonkeyPatch, child_env: dict[str, str]
) -> None:
    batch = launched(SEGMENTS, GOLDEN, monkeypatch)
    with served(child_env) as send:
        records, y, starts = observe(batch, Observer(send, only_submits=True), CLAIMS)
    found = {name: told(records, y, starts, name) for name in ("submit seconds", "claim seconds")}
    plain = auc(np.array([record["submit seconds"] for record in records]), y)
    print(len(y), found, plain)
    assert LOW <= found["submit seconds"] <= HIGH and LOW <= plain <= HIGH, (found, plain)


class served:
    """A web process of its own over the test's database."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    def __enter__(self) -> Send:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        port = listening.getsockname()[1]
        listening.set_inheritable(True)
        command = [sys.executable, "-m", web.__name__, str(listening.fileno()), str(os.getpid())]
        self.process = subprocess.Popen(command, cwd=PROJECT, env=self.environ, pass_fds=[listening.fileno()])
        listening.close()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
        keys: dict[str, str] = {}

        def send(worker: str, method: str, path: str, body: Any) -> Answer:
            if worker not in keys:
                keys[worker] = tokens.recall(user=cast.user(worker))
            headers = {"Authorization": f"Token {keys[worker]}"}
            answer, seconds = timed(lambda: self.http.request(method, path, json=body, headers=headers))
            return Answer(answer.status_code, dict(answer.headers), answer.content, seconds)

        return send

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(30)


@pytest.mark.long
@pytest.mark.django_db
def test_a_planted_leak_in_the_program_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gathering sees it, too, not the classifier alone: the program itself is made to tell."""
    batch = launched(90, 40, monkeypatch)
    whole = presenting.assignment_body
    monkeypatch.setattr(
        presenting, "assignment_body", lambda seat: whole(seat) | ({"note": ""} if seat.task.gold_id else {})
    )
    records, y, starts = observe(batch, Observer(in_process()), 60)
    assert told(records, y, starts) > 0.9


@pytest.mark.django_db
def test_tasks_open_in_no_order_of_the_video(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what is given out again would lie behind the day's work."""
    batch = launched(60, 5, monkeypatch)
    opened = Task.objects.filter(batch=batch, status="open")
    places = sorted(opened.values_list("segment__index", flat=True))
    assert len(places) == publishing.AHEAD
    assert places != list(range(len(places)))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level("WARNING")
    yield
