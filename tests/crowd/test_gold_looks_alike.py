"""Gold and real work run the same statements, and settle alike. What a classifier makes of it: `test_hidden_gold`."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from crowd import jobs, scoring, seeding
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, Task
from review import jobs as review_jobs
from tests import cast
from tests.crowd import stage
from tests.crowd.test_gold_in_use import with_extra_seats

pytestmark = [pytest.mark.django_db, pytest.mark.once]
KINDS, STEPS = {"extra", "gold", "real"}, 6
Told = dict[str, dict[str, set[tuple[str, ...]]]]  # what was run, by step and kind of task


@contextmanager
def statements() -> Iterator[list[str]]:
    """The words of every statement that is run meanwhile, without values and locks: who leaves an extra seat locks its
    batch beside, some microseconds that `test_hidden_gold` looks for among the times of releases."""
    said: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append(re.sub(r'"s\d+_x\d+"| FOR NO KEY UPDATE.*', "", sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield said


def one_task(client: Any, batch: Batch, last: str) -> tuple[str, dict[str, tuple[str, ...]]] | None:
    """What kind of task a claim got, and what each step of it ran; `last` is submit or release."""
    ran: dict[str, tuple[str, ...]] = {}

    def step(what: str, method: str, path: str, body: Any) -> Any:
        with statements() as said:
            answer = getattr(client, method)(f"{stage.API}/assignments/{path}", body)
        assert answer.status_code < 300, answer.content
        ran[what] = tuple(said)
        return answer

    claimed = step("claim", "post", "claim/", {"project": batch.project_id})
    if claimed.status_code == 204:
        return None
    seat = claimed.json()
    row = Assignment.objects.select_related("task").get(pk=seat["id"])
    body = {"token": seat["token"], "tracks": stage.tracks(seat["segment"]["start"], seat["segment"]["stop"])}
    step("detail", "get", f"{seat['id']}/", None)
    step("draft", "put", f"{seat['id']}/draft/", body)
    step("renew", "post", f"{seat['id']}/renew/", {"token": seat["token"]})
    step(last, "post", f"{seat['id']}/{last}/", body)
    return "extra" if row.extra else "gold" if row.task.gold_id else "real", ran


def test_every_step_runs_the_same_statements_for_gold_and_real_work() -> None:
    # Extra seats are given by chance, and only beside real work: 13 to 27 workers were enough in 40 runs, and 64 seats
    # are real ones.
    batch = stage.launched(frames=320, segment_frames=12, gold_share=0.5, max_redundancy=2)
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 52, "tracks": stage.tracks(0, 52)}
    assert cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", body).status_code == 201
    one_task(cast.client("Wanda"), batch, "submit")  # what is read once and kept: the ontology, the content types
    told: Told = defaultdict(lambda: defaultdict(set))
    workers = (f"worker{i}" for i in range(100))
    orders = itertools.cycle([("submit", "release"), ("release", "submit")])
    while not (len(told) == STEPS and all(set(by_kind) == KINDS for by_kind in told.values())):
        worker = cast.client(next(workers))
        worker.get(f"{stage.API}/me/")  # that a token is used is noted once in some minutes, whatever it is used for
        for last in next(orders):
            note(told, one_task(worker, batch, last))
        seeding.keep_extra_seats(batch_id=batch.pk)
    for step, by_kind in told.items():
        assert len(set.union(*by_kind.values())) == 1, (step, by_kind)


def note(told: Told, found: tuple[str, dict[str, tuple[str, ...]]] | None) -> None:
    kind, ran = found or ("", {})
    for step, words in ran.items():
        told[step][kind].add(words)


def test_an_extra_seat_settles_after_the_wait_of_a_real_one_and_no_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "COMPANIONS", 1)
    extra = drawn_in_an_extra_seat()
    real = Assignment.objects.get(worker__username="Will", task__gold=None)
    long_ago(extra, seconds=200)
    long_ago(real, seconds=300)
    assert settled(extra) == Seat.SUBMITTED  # the other one's work is not decided yet
    for _ in Task.objects.filter(status="open"):
        stage.submit(cast.client("Walt"), stage.claim(cast.client("Walt"), extra.project))
    cast.work_off()
    real.refresh_from_db()
    assert real.status == Seat.ACCEPTED
    assert settled(extra) == Seat.SUBMITTED  # that one waited for 300 s
    Assignment.objects.filter(pk=real.pk).update(decided_at=F("submitted_at") + timedelta(seconds=100))
    assert settled(extra) == Seat.ACCEPTED


def test_gold_whose_seats_filled_is_judged_after_the_wait_of_real_work_and_no_sooner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "COMPANIONS", 1)
    batch = stage.launched()
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 20, "tracks": stage.tracks(0, 20)}
    assert cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", body).status_code == 201
    golden = Task.objects.get(batch=batch, gold__isnull=False)
    real = Task.objects.filter(batch=batch, gold=None, status="open").earliest("pk")
    first = sat_at(real, "Will")
    long_ago(first, seconds=300)
    for name in ("Wanda", "Walt"):
        long_ago(sat_at(golden, name), seconds=200)
    assert judged(golden) == "filled"  # the other one's work is not decided yet
    sat_at(real, "Walt")
    cast.work_off()
    first.refresh_from_db()
    assert first.status == Seat.ACCEPTED and judged(golden) == "filled"  # that one waited for 300 s
    Assignment.objects.filter(pk=first.pk).update(decided_at=F("submitted_at") + timedelta(seconds=100))
    assert judged(golden) == "done"


def sat_at(task: Task, name: str) -> Assignment:
    """What somebody drew at this task, and handed in."""
    Assignment.objects.filter(task=task, status="open").update(priority=5)
    seat = stage.claim(cast.client(name), task.project)
    Assignment.objects.filter(task=task, status="open").update(priority=0)
    assert stage.submit(cast.client(name), seat).status_code == 200
    return Assignment.objects.get(pk=seat["id"], task=task)


def judged(task: Task) -> str:
    """The task's state after the job that judges it."""
    review_jobs.reconcile_job(task.pk)
    task.refresh_from_db()
    return task.status


def test_an_extra_seat_that_failed_waits_for_a_manager() -> None:
    extra = drawn_in_an_extra_seat(shift=30.0)
    long_ago(extra, seconds=3600)
    assert settled(extra) == Seat.SUBMITTED


def drawn_in_an_extra_seat(shift: float = 0.0) -> Assignment:
    """Wanda's submission at gold whose real seats Will and Walt filled, after one of Will's elsewhere; it is scored."""
    batch, _ = with_extra_seats()
    stage.submit(cast.client("Will"), stage.claim(cast.client("Will"), batch.project))
    seat = stage.claim(cast.client("Wanda"), batch.project)
    drawn = stage.tracks(seat["segment"]["start"], seat["segment"]["stop"], shift=shift)
    assert stage.submit(cast.client("Wanda"), seat, drawn).status_code == 200
    extra = Assignment.objects.get(pk=seat["id"])
    assert extra.extra
    with transaction.atomic():
        score = scoring.score(assignment_id=extra.pk)
    assert score is not None and score.passed == (shift == 0.0)
    return extra


def long_ago(seat: Assignment, *, seconds: int) -> None:
    back = timedelta(seconds=seconds)
    Assignment.objects.filter(pk=seat.pk).update(
        claimed_at=F("claimed_at") - back, submitted_at=F("submitted_at") - back
    )


def settled(extra: Assignment) -> str:
    """The seat's state after the job that settles it."""
    jobs.settle_extra_job(extra.pk)
    extra.refresh_from_db()
    return extra.status
