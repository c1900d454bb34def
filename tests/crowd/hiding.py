"""A crowd at work in a batch with gold in it, each of whose claims is watched: for `test_hidden_gold`."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from django.db.models import F
from django.test import Client
from rest_framework.test import APIClient

from annotation import tokens
from annotation.models import Job
from annotation.queue import work_off
from config import web
from crowd import jobs, publishing
from crowd.core.policies import Policy, parse_policy
from crowd.models import Assignment, Batch, Gold, Task
from crowd.models import Policy as PolicyRow
from tests import cast
from tests.conftest import PROJECT
from tests.crowd import stage
from tests.crowd.leaks import Loudest, balanced, cross_validated_auc, loudest
from tests.crowd.observing import Answer, Observer, Send, Sight, table, timed

SEED, WORKERS, STRETCH = 20, 64, 60
# As much gold among a worker's first tasks as later: 4 of 8.
RULES = {"segment_frames": 12, "overlap_frames": 2, "gold_share": 0.5, "redundancy": 2, "reward_micros": 1000}


def launched(segments: int) -> Batch:
    """A batch of so many segments, one of each three inside gold, whose tasks open as the jobs get to them.

    Which of the three is left to chance: where gold lies is the client's choice, and shall tell nothing here.
    """
    project = cast.project()
    rules = parse_policy(RULES | {"adaptive": False, "agreement_floor": 0.5}, base=Policy())
    PolicyRow.objects.create(project=project, version=1, values=rules.to_json())
    video = cast.video(project, 10 * segments + 2)
    batch = publishing.open_batch(project=project, videos=[video], policy=rules, by=project.owner)
    client, rng = cast.client("Alice"), random.Random(SEED)
    golden = [first + rng.randrange(3) for first in range(0, segments, 3)]
    for index in golden:
        start, stop = 10 * index, 10 * index + 12
        body = {"video": video.pk, "start": start, "stop": stop, "tracks": stage.tracks(start, stop)}
        assert client.post(f"{stage.API}/projects/{project.pk}/gold/", body).status_code == 201
    work_off()
    assert Task.objects.filter(batch=batch, gold__isnull=False).count() == len(golden) == Gold.objects.count()
    return batch


def in_process() -> Send:
    """Through Django's client: no network hides what the program itself does."""
    clients: dict[str, Client] = {}

    def send(worker: str, method: str, path: str, body: Any) -> Answer:
        if worker not in clients:
            clients[worker] = APIClient()
            clients[worker].credentials(HTTP_AUTHORIZATION=f"Token {tokens.recall(user=cast.user(worker))}")
            clients[f"{worker}'s browser"] = Client()
            clients[f"{worker}'s browser"].force_login(cast.user(worker))
        call = getattr(clients[f"{worker}'s browser" if path.startswith("/work/") else worker], method.lower())

        def whole() -> tuple[Any, bytes]:
            answer = call(path) if body is None else call(path, body)
            return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content

        (answer, content), seconds = timed(whole)
        return Answer(answer.status_code, dict(answer.headers), content, seconds)

    return send


@dataclass
class Watched:
    """Rows of what was seen, as many of gold as of real work within each stretch of successive claims."""

    sights: list[Sight]
    gold: np.ndarray

    def table(self, only: str = "") -> tuple[np.ndarray, list[str], np.ndarray, list[int]]:
        """Columns, their names, which rows are gold, and the segments; only rows that have a column called so."""
        rows = [i for i, sight in enumerate(self.sights) if any(name.startswith(only) for name in sight.seen)]
        x, names = table([self.sights[i].seen for i in rows], only)
        return x, names, self.gold[rows], [self.sights[i].start for i in rows]

    def auc(self, only: str = "") -> float:
        x, _, y, starts = self.table(only)
        return cross_validated_auc(x, y, starts, SEED) if x.shape[1] else 0.5

    def loudest(self) -> tuple[str, Loudest]:
        x, names, y, starts = self.table()
        found = loudest(x, y, starts, SEED)
        return names[found.column], found


def watch(batch: Batch, observer: Observer, claims: int) -> Watched:
    """Claims by workers in any order, until there are so many of gold and of real work within the same stretches."""
    rng = random.Random(SEED)
    sights: list[Sight] = []
    gold: list[int] = []
    idle = 0
    while not gold or len(balanced(np.array(gold), STRETCH, SEED)) < 2 * claims:
        sight = observer.cycle(f"worker{rng.randrange(WORKERS)}", batch.project_id)
        if sight is None:
            idle += 1
            assert idle < 2000, f"out of work after {len(gold)} claims, {sum(gold)} of them gold"
        else:
            sights.append(sight)
            gold.append(int(Task.objects.filter(assignments=sight.seat, gold__isnull=False).exists()))
        _go_on(observer)
    _note_settled(sights)
    kept = balanced(np.array(gold), STRETCH, SEED)
    return Watched([sights[i] for i in kept], np.array(gold)[kept])


def _go_on(observer: Observer) -> None:
    """The jobs that are due, after each task: what they take is in nobody's time, and they come late for nobody."""
    if observer.claims % 10 == 0:
        jobs.go_on_with_batches()
    Job.objects.filter(kind="settle_extra", status="queued").update(not_before=F("wanted_at"))
    work_off()


def _note_settled(sights: list[Sight]) -> None:
    """After how long each was settled, as the worker's earnings say."""
    seats = Assignment.objects.filter(pk__in=[sight.seat for sight in sights], decided_at__isnull=False)
    decided = {seat.pk: (seat.decided_at - seat.submitted_at).total_seconds() for seat in seats}
    for sight in sights:
        if "submit seconds" in sight.seen:
            sight.seen["settled after"] = decided.get(sight.seat, -1.0)


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
