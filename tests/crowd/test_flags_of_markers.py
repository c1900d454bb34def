"""Flags of those who mark events and draw nothing, from submissions that came by the real verbs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db.models import F

from crowd import suspecting
from crowd.models import Assignment, Batch, Task
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db
EVENTS = [{"name": "crossing", "shape": "interval"}]
LENGTH = 122
Hand = Callable[[int], list[tuple[int, int]]]
Draws = Callable[[str, int, int], list[dict[str, Any]]]


def nothing(name: str, start: int, stop: int) -> list[dict[str, Any]]:
    return []


def marked(draws: Draws = nothing, **hands: Hand) -> Batch:
    """A batch of five segments, which all of these workers mark, each by the segment's number, from its start on."""
    project = cast.project(labels=EVENTS if draws is nothing else [*EVENTS, {"name": "person"}])
    rules = {"redundancy": len(hands), "max_redundancy": len(hands), "segment_frames": LENGTH, "overlap_frames": 2}
    batch = stage.launched(frames=5 * (LENGTH - 2) + 2, project=project, **rules)
    for name, hand in hands.items():
        client = cast.client(name)
        while (answer := stage.try_claim(client, project)).status_code == 201:
            seat = answer.json()
            start = seat["segment"]["start"]
            spans = [{"label": "crossing", "start": start + a, "stop": start + b} for a, b in hand(start)]
            drawn = draws(name, start, seat["segment"]["stop"])
            body = {"token": seat["token"], "tracks": drawn, "intervals": spans}
            assert client.post(f"{stage.API}/assignments/{seat['id']}/submit/", body).status_code == 200
            Assignment.objects.filter(pk=seat["id"]).update(claimed_at=F("submitted_at") - timedelta(seconds=60))
    return batch


def hand(seed: int) -> Hand:
    """Five events in each segment, whose ends are missed by up to six frames."""

    def marks(segment: int) -> list[tuple[int, int]]:
        off = np.random.default_rng([seed, segment]).integers(0, 7, (5, 2))
        return [(2 + 23 * k + int(a), 18 + 23 * k + int(b)) for k, (a, b) in enumerate(off)]

    return marks


def once(seed: int) -> Hand:
    """One event, at another time of each segment."""
    return lambda segment: [(3 + segment % 47, 9 + segment % 47 + seed)]


def flags(batch: Batch) -> dict[str, list[dict[str, Any]]]:
    suspecting.flag_workers(project_id=batch.project_id)
    listed = cast.client("Mona").get(f"{stage.API}/projects/{batch.project_id}/workers/").json()["results"]
    return {worker["user"]: worker["flags"] for worker in listed}


def test_who_marks_the_whole_clip_each_time_is_flagged_and_the_honest_are_not() -> None:
    raised = flags(marked(Will=once(1), Walt=once(2), Wanda=lambda _: [(0, LENGTH)]))
    (flag,) = [flag for flag in raised.pop("Wanda") if flag["code"] == "same_everywhere"]
    assert flag["evidence"]["events"] == [{"label": "crossing", "start": 0, "stop": LENGTH}]
    assert raised == {"Will": [], "Walt": []}


def test_who_marks_events_anywhere_is_no_better_than_chance() -> None:
    raised = flags(
        marked(Will=once(1), Walt=once(2), Wanda=lambda segment: [(segment * 13 % 50, segment * 13 % 50 + 4)])
    )
    assert "no_better_than_chance" in [flag["code"] for flag in raised.pop("Wanda")]
    assert raised == {"Will": [], "Walt": []}


def test_who_copies_events_is_flagged_and_has_one_voice_with_the_source() -> None:
    batch = marked(Will=hand(1), Walt=hand(2), Wim=hand(3), Wanda=hand(1))
    raised = flags(batch)
    (flag,) = raised.pop("Wanda")
    assert flag["code"] == "copied" and flag["evidence"]["tasks"] == 5
    assert raised == {"Will": [], "Walt": [], "Wim": []}
    task = Task.objects.filter(batch=batch)[0]
    seats = list(Assignment.objects.filter(task=task).select_related("worker", "track_set"))
    names = {seat.pk: seat.worker.username for seat in seats if seat.worker}
    groups = suspecting.voices(task=task, seats=seats)
    assert [[names[pk] for pk in group] for group in groups] == [["Will", "Wanda"]]


def test_who_mark_what_anybody_sees_to_the_frame_copied_nobody() -> None:
    raised = flags(marked(Will=hand(1), Walt=hand(1), Wanda=hand(1)))
    assert raised == {"Will": [], "Walt": [], "Wanda": []}


def test_a_task_of_which_boxes_and_events_are_copied_is_one_task() -> None:
    hands = {"Will": hand(1), "Walt": hand(2), "Wim": hand(3), "Wanda": hand(1)}

    def boxes(name: str, start: int, stop: int) -> list[dict[str, Any]]:
        off = np.random.default_rng([{"Walt": 2, "Wim": 3}.get(name, 1), start]).normal(0, 1.0, (3, 13, 4))
        frames = np.linspace(start, stop - 1, 13).astype(int).tolist()
        drawn = []
        for row in range(3):
            way = [[5.0 + 2 * k, 3.0 + 18 * row, 25.0 + 2 * k, 18.0 + 18 * row] for k in range(13)]
            points = np.clip(np.array(way) + off[row], 0, None).round(2).tolist()
            keyframes = [{"frame": f, "points": p} for f, p in zip(frames, points, strict=True)]
            drawn.append({"id": str(row), "label": "person", "keyframes": keyframes})
        return drawn

    (flag,) = [flag for flag in flags(marked(boxes, **hands))["Wanda"] if flag["code"] == "copied"]
    copies = flag["evidence"]["copies"]
    assert [copy["objects"] for copy in copies] == [3] * 5 and [copy["ends_of_events"] for copy in copies] == [10] * 5
    assert flag["evidence"]["tasks"] == 5
