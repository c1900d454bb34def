from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from crowd import suspecting
from crowd.models import Assignment, Batch, Score, Suspicion
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db
HONEST = ("Will", "Walt")


def two_objects(start: int, stop: int, shift: float) -> list[dict[str, Any]]:
    one = stage.tracks(start, stop, shift=shift)[0]
    other = stage.tracks(start, stop, shift=20.0 - 2 * shift)[0]
    return [one, other | {"id": "2"}]


def work(batch: Batch, name: str, shift: float, *, seconds: float = 60.0, still: bool = False) -> None:
    """All the tasks of a batch, done by one worker in a steady time."""
    worker = cast.client(name)
    while (answer := stage.try_claim(worker, batch.project)).status_code == 201:
        seat = answer.json()
        drawn = two_objects(seat["segment"]["start"], seat["segment"]["stop"], shift)
        for track in drawn if still else ():
            track["keyframes"][1]["points"] = track["keyframes"][0]["points"]
        assert stage.submit(worker, seat, drawn).status_code == 200
        Assignment.objects.filter(pk=seat["id"]).update(claimed_at=F("submitted_at") - timedelta(seconds=seconds))


def flags(batch: Batch) -> dict[str, list[str]]:
    suspecting.flag_workers(project_id=batch.project_id)
    listed = cast.client("Mona").get(f"{stage.API}/projects/{batch.project_id}/workers/").json()["results"]
    return {worker["user"]: [flag["code"] for flag in worker["flags"]] for worker in listed}


def crowd(redundancy: int = 3) -> Batch:
    batch = stage.launched(redundancy=redundancy)
    for i, name in enumerate(HONEST):
        work(batch, name, 1.0 + 3.0 * i)
    return batch


def test_honest_work_raises_no_flag() -> None:
    batch = crowd()
    work(batch, "Wanda", -3.0)
    assert flags(batch) == {"Wanda": [], "Will": [], "Walt": []}


def test_who_copies_is_flagged_with_what_was_copied() -> None:
    batch = crowd()
    work(batch, "Wanda", 1.0)
    assert flags(batch) == {"Wanda": ["copied"], "Will": [], "Walt": []}
    evidence = Suspicion.objects.get().evidence
    assert Assignment.objects.get(pk=evidence["submission"]).worker.username == "Wanda"
    assert Assignment.objects.get(pk=evidence["of"]).worker.username == "Will"


def test_who_is_much_too_fast_is_flagged() -> None:
    batch = crowd()
    work(batch, "Wanda", -3.0, seconds=2.0)
    assert flags(batch) == {"Wanda": ["too_fast"], "Will": [], "Walt": []}


def test_who_never_moves_a_box_is_flagged() -> None:
    batch = crowd()
    work(batch, "Wanda", -3.0, still=True)
    assert "never_moves" in flags(batch)["Wanda"]


def test_a_flag_takes_nothing_and_is_forgotten_when_it_no_longer_holds() -> None:
    batch = crowd()
    work(batch, "Wanda", -3.0, seconds=2.0)
    assert flags(batch)["Wanda"] == ["too_fast"]
    assert Assignment.objects.filter(worker__username="Wanda", status="submitted").count() == 4
    Assignment.objects.filter(worker__username="Wanda").update(claimed_at=F("submitted_at") - timedelta(seconds=60))
    assert flags(batch)["Wanda"] == []
    assert not Score.objects.exists()
