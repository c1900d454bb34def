"""Flags, from assignments and submissions that came by the real verbs; each within a stated number of tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.db.models import F
from django.db.models.functions import Now

from annotation import recording
from annotation.core.clipping import clip_to
from annotation.core.piling import MOST
from annotation.core.tracks import Tracks, make_track, to_json
from annotation.models import Job, User
from crowd import suspecting
from crowd.core import flags as core_flags
from crowd.core import simulation, spamming
from crowd.core.policies import from_json
from crowd.core.simulation import Worker
from crowd.lifecycle import TaskStatus
from crowd.models import Assignment, Batch, Gold, LedgerEntry, Skill, Suspicion, Task
from review import reconciling, witnessing
from review.core.consensus import make_consensus
from review.core.learning import Answers
from review.core.learning import learn as core_learn
from review.models import Build
from review.witnessing import Around
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db
WIDTH, HEIGHT = 96.0, 64.0
HONEST = {
    "Will": Worker("Will", keyframe_step=4, missed=0.01, invented=0.05),
    "Walt": Worker("Walt", keyframe_step=4, missed=0.01, invented=0.05, noise=0.07),
}
# On how many tasks each kind of spammer is flagged, and by what.
SPAMMERS = {
    "static": (3, "never_moves"),
    "random": (4, "no_better_than_chance"),
    "same": (3, "same_everywhere"),
    "one": (5, "draws_little"),
    "fast": (3, "too_fast"),
    "copy": (5, "copied"),
}


def truth(frames: int = 110) -> Tracks:
    """Four objects on their ways through the picture."""
    starts = [(5, 5), (60, 8), (10, 40), (70, 36)]
    paths = [(40, 10), (-40, 5), (45, -8), (-50, 3)]
    tracks = []
    for i, ((x, y), (dx, dy)) in enumerate(zip(starts, paths, strict=True), start=1):
        box = np.array([x, y, x + 16, y + 18], float)
        turn = frames // 2
        way = [box, box + [dx, dy, dx, dy], box]
        tracks.append(make_track(str(i), "person", [0, turn, frames - 1], way))
    return Tracks(0, frames, tuple(tracks))


TRUTH = truth()


def drawing(worker: Worker, start: int, stop: int, seed: int = 0) -> Tracks:
    rng = np.random.default_rng([seed, start, sum(map(ord, worker.name))])
    return simulation.draw(TRUTH, start, stop, worker, rng, WIDTH, HEIGHT)


def launched(frames: int = 62, **policy: Any) -> Batch:
    return stage.launched(frames=frames, segment_frames=12, overlap_frames=2, **{"redundancy": 3} | policy)


def work(batch: Batch, worker: Worker, *, tasks: int = 99, seconds: float = 60.0, of: str | None = None) -> None:
    """So many tasks of a batch, done by one worker in a steady time, or copied from another one."""
    client, name = cast.client(worker.name), worker.name
    while tasks and (answer := stage.try_claim(client, batch.project)).status_code == 201:
        seat, tasks = answer.json(), tasks - 1
        start, stop = seat["segment"]["start"], seat["segment"]["stop"]
        body = to_json(drawing(worker, start, stop) if of is None else copy(of, start, stop))
        for track in body["tracks"]:
            track["label"] = "person"
        assert stage.submit(client, seat, body["tracks"]).status_code == 200, name
        Assignment.objects.filter(pk=seat["id"]).update(claimed_at=F("submitted_at") - timedelta(seconds=seconds))


def copy(of: str, start: int, stop: int) -> Tracks:
    return spamming.copied(drawing(HONEST[of], start, stop), np.random.default_rng(start), jitter=0.004)


def flags(batch: Batch) -> dict[str, list[dict[str, Any]]]:
    suspecting.flag_workers(project_id=batch.project_id)
    listed = cast.client("Mona").get(f"{stage.API}/projects/{batch.project_id}/workers/").json()["results"]
    return {worker["user"]: worker["flags"] for worker in listed}


def codes(batch: Batch) -> dict[str, list[str]]:
    return {worker: [flag["code"] for flag in raised] for worker, raised in flags(batch).items()}


def crowd(**policy: Any) -> Batch:
    batch = launched(**policy)
    for worker in HONEST.values():
        work(batch, worker)
    return batch


def spam(batch: Batch, kind: str, tasks: int) -> None:
    brain = Worker("Wanda", keyframe_step=4) if kind in ("fast", "copy") else Worker("Wanda", spammer=kind)
    seconds = 4.0 if kind == "fast" else 60.0
    work(batch, brain, tasks=tasks, seconds=seconds, of="Will" if kind == "copy" else None)


def test_honest_work_raises_no_flag() -> None:
    batch = crowd()
    work(batch, Worker("Wanda", keyframe_step=4))
    assert codes(batch) == {"Wanda": [], "Will": [], "Walt": []}


@pytest.mark.once
@pytest.mark.parametrize("kind", SPAMMERS)
def test_each_kind_of_spammer_is_flagged_with_evidence_and_the_honest_are_not(kind: str) -> None:
    tasks, code = SPAMMERS[kind]
    batch = crowd()
    spam(batch, kind, tasks)
    raised = flags(batch)
    assert code in [flag["code"] for flag in raised.pop("Wanda")]
    assert raised == {"Will": [], "Walt": []}
    assert Suspicion.objects.get(code=code).evidence


@pytest.mark.once
def test_a_worker_whose_gold_scores_fall_is_flagged() -> None:
    batch = launched(110, gold_share=0.5, redundancy=1, max_redundancy=1)
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 110, **to_json(TRUTH)}
    for track in body["tracks"]:
        track["label"] = "person"
    assert cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/gold/", body).status_code == 201
    work(batch, Worker("Wanda", noise=0.02, keyframe_step=4, missed=0.0, invented=0.0), tasks=5)
    work(batch, Worker("Wanda", noise=0.2, keyframe_step=4, missed=0.6), tasks=5)
    cast.work_off()
    assert codes(batch)["Wanda"] == ["drifting"]
    Gold.objects.update(flagged_at=Now())  # it was the gold that is wrong
    suspecting.flag_workers(project_id=batch.project_id)
    assert codes(batch).get("Wanda", []) == []


@pytest.mark.once
def test_who_copies_is_flagged_with_what_was_copied() -> None:
    batch = crowd()
    spam(batch, "copy", 6)
    assert codes(batch) == {"Wanda": ["copied"], "Will": [], "Walt": []}
    evidence = Suspicion.objects.get().evidence
    assert evidence["tasks"] >= 2
    for one in evidence["copies"]:
        assert Assignment.objects.get(pk=one["submission"]).worker.username == "Wanda"
        assert Assignment.objects.get(pk=one["of"]).worker.username == "Will"
        assert one["difference"] < one["usual_difference"] / 3


def test_of_hundreds_of_boxes_in_one_place_a_few_are_compared() -> None:
    batch = crowd()
    client = cast.client("Wanda")
    for _ in range(3):
        seat = stage.try_claim(client, batch.project).json()
        keyframes = [{"frame": seat["segment"]["start"], "points": [20, 20, 36, 38]}]
        heap = [{"id": str(i), "label": "person", "keyframes": keyframes} for i in range(300)]
        assert stage.submit(client, seat, heap).status_code == 200
        Assignment.objects.filter(pk=seat["id"]).update(claimed_at=F("submitted_at") - timedelta(seconds=600))
    with mock.patch.object(core_flags, "repeats", wraps=core_flags.repeats) as repeats:
        assert "same_everywhere" in codes(batch)["Wanda"]
    assert max(len(a.ids) * len(b.ids) for (a, b), _ in repeats.call_args_list) <= MOST**2


def test_once_alike_is_a_coincidence() -> None:
    batch = crowd()
    spam(batch, "copy", 1)
    assert codes(batch).get("Wanda", []) == []


def test_who_left_the_same_pre_labels_alone_copied_nobody() -> None:
    batch = launched()
    body = {"video": batch.batch_videos.get().video_id, **to_json(clip_to(TRUTH, 0, 62))}
    for track in body["tracks"]:
        track["label"] = "person"
    assert cast.client("Alice").post(f"{stage.API}/projects/{batch.project_id}/pre-labels/", body).status_code == 201
    for name in ("Will", "Walt", "Wanda"):
        client = cast.client(name)
        while (answer := stage.try_claim(client, batch.project)).status_code == 201:
            seat = answer.json()
            assert stage.submit(client, seat, seat["tracks"]).status_code == 200
            Assignment.objects.filter(pk=seat["id"]).update(claimed_at=F("submitted_at") - timedelta(seconds=60))
    assert codes(batch) == {"Wanda": [], "Will": [], "Walt": []}


@pytest.mark.once
def test_workers_who_are_all_perfect_copied_nobody_once_that_is_known() -> None:
    batch = launched()
    for name in ("Will", "Walt", "Wanda"):
        work(batch, Worker(name, noise=0, bias=0, keyframe_step=1, missed=0, invented=0, swaps=0, edge_frames=0))
    learn(batch)
    assert codes(batch) == {"Wanda": [], "Will": [], "Walt": []}


def learn(batch: Batch) -> None:
    cast.work_off()
    Job.objects.filter(kind="learn_skills", status="queued").update(not_before=F("wanted_at"))
    cast.work_off()
    assert Skill.objects.filter(project=batch.project_id).exists()


@pytest.mark.once
def test_suspected_copies_have_one_voice_and_no_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wanda repeats what Will says. Once she is suspected, their tasks come out as if she had not been there."""
    batch = launched(redundancy=3, max_redundancy=3, agreement_floor=1.0)
    work(batch, HONEST["Will"])
    work(batch, HONEST["Walt"])
    spam(batch, "copy", 99)
    cast.work_off()
    before = {build.consensus.task_id: build for build in Build.objects.select_related("consensus")}
    assert all(len(build.scores) == 3 for build in before.values())
    assert codes(batch)["Wanda"] == ["copied"]
    beside: dict[str, Around] = {}

    def listening(task: Task, alone: witnessing.Alone) -> Around:
        beside[task.pk] = witnessing.around(task, alone)
        return beside[task.pk]

    with monkeypatch.context() as patch:
        patch.setattr(reconciling, "around", listening)
        again, echoed = heard_again(batch), set()
    assert again.keys() == before.keys()
    for task_id, (tracks, scores) in again.items():
        seats = list(Assignment.objects.filter(task=task_id).select_related("worker", "track_set").order_by("pk"))
        assert scores.keys() == {seat.pk for seat in seats}  # still judged, and paid, like everybody
        task = Task.objects.select_related("segment", "batch", "project").get(pk=task_id)
        groups = suspecting.voices(task=task, seats=seats)
        echoes = [seat for seat in seats if groups and seat.pk in groups[0][1:]]
        assert [seat.worker.username for seat in echoes] in ([], ["Wanda"])
        echoed |= {seat.pk for seat in echoes}
        # As if she had not been there, to the keyframe and in how sure it is.
        rest = reconciling.submissions(task, [seat for seat in seats if seat not in echoes])
        heard = beside[task_id].tracks
        without = make_consensus(rest, task.segment.start, task.segment.stop, around=heard).tracks
        assert to_json(tracks) == to_json(without)
    assert len(echoed) >= 3
    known = {"low": 0.8, "mean": 0.9, "high": 1.0, "figures": {}}  # on a slow machine something is learnt by now
    Skill.objects.update_or_create(project=batch.project, worker=cast.user("Wanda"), defaults=known)
    learn(batch)
    learnt = {skill.worker.username: skill.figures for skill in Skill.objects.select_related("worker")}
    without = learnt_without(batch, echoed)
    assert learnt.keys() == without.keys()
    for name, figures in without.items():
        assert learnt[name]["mean"] == pytest.approx(figures["mean"])
        assert learnt[name]["spread"] == pytest.approx(figures["spread"])


def learnt_without(batch: Batch, seats: set[str]) -> dict[str, Any]:
    """What the other submissions alone say of their workers."""
    answers = []
    for task in Task.objects.filter(batch=batch).select_related("segment").order_by("-opened_at", "pk"):
        given = Assignment.objects.filter(task=task, track_set__isnull=False).exclude(pk__in=seats).order_by("pk")
        rows = [(seat.worker_id, recording.load(seat.track_set)) for seat in given.select_related("track_set")]
        workers, drawn = zip(*rows, strict=True)
        answers.append(Answers(task.segment.start, task.segment.stop, workers, drawn))
    return {User.objects.get(pk=pk).username: skill.to_json() for pk, skill in core_learn(answers).skills.items()}


def heard_again(batch: Batch) -> dict[str, Any]:
    Task.objects.filter(batch=batch).update(status=TaskStatus.FILLED)
    Build.objects.update(method="another one")
    out = {}
    for task in Task.objects.filter(batch=batch):
        reconciling.reconcile(task_id=task.pk)
        build = Build.objects.filter(consensus__task=task).latest("version")
        out[task.pk] = (recording.load(build.track_set), build.scores)
    return out


def test_a_flag_takes_nothing_and_is_forgotten_when_it_no_longer_holds() -> None:
    batch = crowd(reward_micros=5, agreement_floor=0.01, gold_floor=0.01, max_redundancy=3)
    spam(batch, "fast", 99)
    assert codes(batch)["Wanda"] == ["too_fast"]
    cast.work_off()
    mine = Assignment.objects.filter(worker__username="Wanda")
    assert mine.exists() and set(mine.values_list("status", flat=True)) == {"accepted"}
    assert LedgerEntry.objects.filter(worker__username="Wanda").count() == mine.count()
    fresh = launched_again(batch)
    assert stage.try_claim(cast.client("Wanda"), fresh.project).status_code == 201
    mine.filter(status="accepted").update(claimed_at=F("submitted_at") - timedelta(seconds=60))
    assert codes(batch).get("Wanda", []) == []


def launched_again(batch: Batch) -> Batch:
    return stage.launch(batch.project, cast.video(batch.project, 60, name="more.mp4"), from_json(batch.policy))
