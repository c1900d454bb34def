from __future__ import annotations

import pytest

from crowd import scoring, seeding
from crowd.alarming import alarms
from crowd.core import policies
from crowd.core.ranking import wants_gold
from crowd.lifecycle import Seat
from crowd.models import Assignment, Batch, Score, Task
from crowd.starving import Starving
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db
EVERYBODY = ("Wanda", "Will", "Walt", "Wim", "Wes")


def golden(**policy: object) -> Batch:
    """One segment, and gold over all of it."""
    batch = stage.launched(frames=20, **{"gold_share": 0.2} | policy)
    video = batch.batch_videos.get().video_id
    body = {"video": video, "start": 0, "stop": 20, "tracks": stage.tracks(0, 20)}
    answer = cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", body)
    assert answer.status_code == 201, answer.content
    return batch


def work(batch: Batch, name: str, shift: float = 0.0) -> Assignment:
    worker = cast.client(name)
    seat = stage.claim(worker, batch.project)
    stage.submit(worker, seat, stage.tracks(seat["segment"]["start"], seat["segment"]["stop"], shift=shift))
    return Assignment.objects.get(pk=seat["id"])


def test_real_seats_inside_gold_are_scored_too() -> None:
    batch = golden()
    good, bad = work(batch, "Wanda"), work(batch, "Will", shift=30.0)
    for seat in (good, bad):
        scoring.score(assignment_id=seat.pk)
    assert Score.objects.get(assignment=good).value == pytest.approx(1.0)
    assert Score.objects.get(assignment=good).passed
    assert not Score.objects.get(assignment=bad).passed


def test_scoring_twice_is_scoring_once() -> None:
    seat = work(golden(), "Wanda")
    for _ in range(2):
        scoring.score(assignment_id=seat.pk)
    assert Score.objects.count() == 1


def test_extra_seats_are_kept_once_the_real_ones_are_filled() -> None:
    batch = golden()
    assert seeding.keep_extra_seats(batch_id=batch.pk) == 0
    for name in ("Wanda", "Will"):
        work(batch, name)
    assert seeding.keep_extra_seats(batch_id=batch.pk) == seeding.EXTRA_SEATS
    assert seeding.keep_extra_seats(batch_id=batch.pk) == 0


def test_extra_seats_are_offered_only_while_there_is_real_work_left() -> None:
    batch = golden()
    for name in ("Wanda", "Will"):
        work(batch, name)
    seeding.keep_extra_seats(batch_id=batch.pk)
    assert stage.try_claim(cast.client("Walt"), batch.project).status_code == 204


@pytest.mark.parametrize(("budget", "extra", "status"), [(400, 0, "open"), (300, 1, "opening")])
def test_open_extra_seats_make_way_for_real_ones_that_the_budget_covers_then(
    budget: int, extra: int, status: str
) -> None:
    batch = golden(reward_micros=100, budget_micros=budget)
    for name in ("Wanda", "Will"):
        work(batch, name)
    assert seeding.keep_extra_seats(batch_id=batch.pk) == budget // 100 - 2
    rules = policies.from_json(batch.policy)
    second = stage.launch(batch.project, cast.video(batch.project, 20, name="yard.mp4"), rules)
    assert second.tasks.get().status == status
    assert Assignment.objects.filter(extra=True, status=Seat.OPEN).count() == extra
    assert seeding.keep_extra_seats(batch_id=batch.pk) == 0


def test_no_alarm_tells_of_money_that_only_golds_open_seats_hold() -> None:
    batch = golden(reward_micros=100, budget_micros=300)
    for name in ("Wanda", "Will"):
        work(batch, name)
    assert seeding.keep_extra_seats(batch_id=batch.pk) == 1
    rules = policies.from_json(batch.policy)
    second = stage.launch(batch.project, cast.video(batch.project, 20, name="yard.mp4"), rules)
    assert (second.tasks.get().status, codes(batch)) == ("opening", ["budget"])
    Batch.objects.filter(pk=second.pk).update(policy=second.policy | {"budget_micros": 400})
    assert codes(batch) == []


def codes(batch: Batch) -> list[str]:
    return [alarm.code for alarm in alarms(project=batch.project, starving=Starving(0))]


def test_extra_seats_count_neither_in_figures_nor_in_the_task() -> None:
    batch = golden()
    for name in ("Wanda", "Will"):
        work(batch, name)
    seeding.keep_extra_seats(batch_id=batch.pk)
    body = cast.client("Alice").get(f"{stage.API}/batches/{batch.pk}/").json()
    assert body["seats"]["open"] == 0 and body["tasks"]["filled"] == 1


def test_gold_posted_late_scores_what_was_submitted_before() -> None:
    batch = stage.launched(frames=20, gold_share=0.2)
    seat = work(batch, "Wanda")
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 20, "tracks": stage.tracks(0, 20)}
    cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", body)
    cast.work_off()
    assert Score.objects.filter(assignment=seat).exists()


def test_gold_outside_of_the_video_is_refused() -> None:
    batch = stage.launched(frames=20)
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 21, "tracks": []}
    answer = cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", body)
    assert answer.status_code == 400


def test_pre_labels_are_the_first_draft() -> None:
    batch = stage.launched(frames=60)
    body = {"video": batch.batch_videos.get().video_id, "tracks": stage.tracks(0, 60)}
    answer = cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/pre-labels/", body)
    assert answer.status_code == 201
    seat = stage.claim(cast.client("Wanda"), batch.project)
    (track,) = seat["tracks"]
    frames = [k["frame"] for k in track["keyframes"]]
    assert frames[0] == seat["segment"]["start"] and frames[-1] == seat["segment"]["stop"] - 1


def test_gold_comes_early_and_then_at_its_share() -> None:
    import random

    rng, gold, after = random.Random(7), 0, []
    for tasks in range(4000):
        wanted = wants_gold(tasks=tasks, gold=gold, share=0.1, chance=rng.random())
        gold += wanted
        if tasks == 7:
            assert gold >= 4
        if tasks >= 8:
            after.append(wanted)
    assert 0.07 < sum(after) / len(after) < 0.13


def test_nothing_in_an_assignment_tells_gold_from_real_work() -> None:
    batch = stage.launched(frames=60, gold_share=0.5, redundancy=1, max_redundancy=3)
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 20, "tracks": stage.tracks(0, 20)}
    cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", body)
    golden_task = Task.objects.get(batch=batch, gold__isnull=False)
    bodies = {}
    for name in EVERYBODY:
        worker = cast.client(name)
        while (answer := stage.try_claim(worker, batch.project)).status_code == 201:
            seat = answer.json()
            on_gold = Assignment.objects.get(pk=seat["id"]).task_id == golden_task.pk
            bodies.setdefault(on_gold, []).append(seat)
            stage.submit(worker, seat)
    shapes = {on_gold: {_shape(seat) for seat in some} for on_gold, some in bodies.items()}
    assert shapes[True] == shapes[False]
    assert Assignment.objects.filter(status=Seat.HELD).count() == 0


def _shape(body: object) -> str:
    """Keys in their order and kinds of values, of what an answer looks like."""
    if isinstance(body, dict):
        return "{" + ",".join(f"{k}:{_shape(v)}" for k, v in body.items()) + "}"
    if isinstance(body, list):
        return "[" + ",".join(sorted({_shape(v) for v in body})) + "]"
    return f"{type(body).__name__}{len(body) if isinstance(body, str) and body.isalnum() else ''}"
