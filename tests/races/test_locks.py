"""Transactions that lock several rows of a kind lock them in one order, or two of them would wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from config import forgetting
from crowd import budgeting, claiming, completing, publishing, sanctioning, seating, seeding
from crowd.models import Assignment, Batch, Task
from tests import cast
from tests.crowd import stage
from tests.races.explorer import DEADLOCK, Explorer, Verb

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
STEPS = 25  # more than any of these sends before it waits for the other, or ends


class Lot:
    """Gold whenever it may be, and projects in the opposite order for each of two sessions."""

    def shuffle(self, projects: list[Any]) -> None:
        projects.sort(key=lambda offers: offers[0].project, reverse=threading.current_thread().name == "second")

    def random(self) -> float:
        return 0.0


@pytest.fixture(autouse=True)
def lot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claiming, "_chance", Lot())


def overtaken(explorer: Explorer, first: Verb, second: Verb) -> set[tuple[Any, Any]]:
    """What becomes of two where the first begins when the second has come so far, for every so far."""

    def outcomes() -> Iterator[tuple[Any, Any]]:
        explorer.remember()
        for steps in range(STEPS):
            turns = iter([1] * steps)
            yield explorer.run(
                (first, second),
                lambda ready, turns=turns: turn if (turn := next(turns, 0)) in ready else min(ready),
            )

    return set(outcomes())


def cancel(batch: Batch) -> Verb:
    return lambda: publishing.cancel(batch=Batch.objects.get(pk=batch.pk), by=cast.user("Mona"))


def test_two_accounts_of_one_person_claim_in_any_of_their_projects_at_once(explorer: Explorer) -> None:
    wanda, will = cast.user("Wanda"), cast.user("Will")
    for name in ("Crossing", "Yard"):
        batch = stage.launched(frames=20, project=cast.project(name=name))
        stage.claim(cast.client("Wanda"), batch.project)
        sanctioning.tell_same(project=batch.project, workers=(wanda, will), by=cast.user("Mona"), reason="one desk")
    Batch.objects.update(policy=Batch.objects.all()[0].policy | {"max_held": 2})

    def claim(name: str) -> Verb:
        return lambda: "fresh" if claiming.claim(worker=cast.user(name)) else "nothing"

    assert overtaken(explorer, claim("Will"), claim("Wanda")) == {("nothing", "nothing")}


def holding_gold_and_real_work() -> Batch:
    """Wanda holds an extra seat of a task that is done, and a seat of one after it that is not."""
    project = cast.project()
    batch = stage.launched(frames=38, project=project, redundancy=1, gold_share=0.5, max_held=2)
    first, second = Task.objects.filter(batch=batch).select_related("segment", "batch").order_by("pk")
    start, stop = first.segment.start, first.segment.stop
    body = {"video": first.segment.video_id, "start": start, "stop": stop, "tracks": stage.tracks(start, stop)}
    assert cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/gold/", body).status_code == 201
    will = cast.client("Will")
    assert stage.submit(will, stage.claim(will, project)).status_code == 200
    with transaction.atomic():
        completing.finish(task=seating.lock_task(first.pk))
    seeding.keep_extra_seats(batch_id=batch.pk)
    for _ in range(2):
        stage.claim(cast.client("Wanda"), project)
    held = Assignment.objects.filter(worker=cast.user("Wanda")).order_by("task_id")
    assert list(held.values_list("task_id", "extra")) == [(first.pk, True), (second.pk, False)]
    return batch


@pytest.mark.parametrize("how", ["banned", "erased"])
def test_who_holds_gold_and_real_work_is_banned_or_erased_while_the_batch_is_cancelled(
    explorer: Explorer, how: str
) -> None:
    batch = holding_gold_and_real_work()

    def ban() -> None:
        sanctioning.ban(project=batch.project, worker=cast.user("Wanda"), by=cast.user("Mona"), reason="sloppy")

    def erase() -> None:
        forgetting._leave_work(cast.user("Wanda"))

    assert overtaken(explorer, cancel(batch), {"banned": ban, "erased": erase}[how]) == {("ok", "ok")}


def test_who_holds_lapsed_gold_and_real_work_claims_while_the_batch_is_cancelled(explorer: Explorer) -> None:
    batch = holding_gold_and_real_work()
    for seat in Assignment.objects.filter(status="held"):
        stage.lapse({"id": seat.pk})

    def claim() -> str:
        return "fresh" if claiming.claim(worker=cast.user("Wanda"), project=batch.project) else "nothing"

    found = overtaken(explorer, cancel(batch), claim)
    assert not any(DEADLOCK in outcome for outcome in found)


def test_a_batch_is_cancelled_while_the_sweep_tries_what_the_budget_did_not_cover(explorer: Explorer) -> None:
    batch = stage.launched(frames=60, reward_micros=100, budget_micros=200)
    waiting = Task.objects.filter(batch=batch, status="opening")
    for task in waiting.order_by("-pk"):  # they lie in the table in the opposite order
        Task.objects.filter(pk=task.pk).update(priority=1)

    def sweep() -> None:
        publishing.retry_waiting(batch=batch)

    assert overtaken(explorer, sweep, cancel(batch)) == {("ok", "ok")}


@pytest.mark.parametrize("before", [600, None])
def test_a_budget_is_made_less_while_seats_are_opened(explorer: Explorer, before: int | None) -> None:
    batch = stage.launched(frames=60, reward_micros=100, budget_micros=500)
    Batch.objects.update(policy=batch.policy | {"budget_micros": before})
    Task.objects.filter(status="opening").update(reason="")  # whoever changes a budget locks those that wait for it
    task = Task.objects.filter(batch=batch, status="opening").order_by("pk")[0]

    def lower() -> None:
        budgeting.change(batch=batch, budget_micros=500, by=cast.user("Mona"))

    def open_task() -> int:
        publishing.open_task(task_id=task.pk)
        return task.assignments.count()

    assert overtaken(explorer, lower, open_task) == {("ok", 0), ("BudgetIsHeld", 2)}


def test_a_budget_is_made_less_while_the_batch_is_cancelled(explorer: Explorer) -> None:
    batch = stage.launched(frames=60, reward_micros=100, budget_micros=600)

    def lower() -> None:
        budgeting.change(batch=batch, budget_micros=500, by=cast.user("Mona"))

    assert overtaken(explorer, lower, cancel(batch)) <= {("ok", "ok"), ("WrongState", "ok"), ("BudgetIsHeld", "ok")}


def test_the_same_videos_are_launched_twice_at_once_in_different_orders(explorer: Explorer) -> None:
    project = cast.project()
    rules, videos = stage.ruled(project), [cast.video(project, 20, name=name) for name in ("a.mp4", "b.mp4")]

    def launch(*some: Any) -> Verb:
        def verb() -> None:
            publishing.open_batch(project=project, videos=some, policy=rules, by=project.owner)

        return verb

    found = overtaken(explorer, launch(*videos), launch(*videos[::-1]))
    assert found == {("ok", "VideoInUse"), ("VideoInUse", "ok")}
