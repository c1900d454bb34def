"""Ghosts: decided boxes of the neighbouring segments, on the shared frames."""

from __future__ import annotations

from typing import Any

import pytest

from annotation import recording
from annotation.core.ontology import parse_labels
from annotation.core.parsing import parse_tracks
from annotation.core.tracks import fill_track
from crowd import ghosting
from crowd.models import Assignment, Batch, Ghost, Task
from review.grading import scores_with
from tests import cast
from tests.crowd import stage
from tests.review.stage import launched, tracks, work

pytestmark = pytest.mark.django_db
ONTOLOGY = parse_labels(cast.LABELS)


def boxes(body: list[dict[str, Any]], start: int, stop: int) -> dict[tuple[str, int], list[float]]:
    """What a browser would show of a body's tracks, as (label, frame) → box."""
    read = parse_tracks({"tracks": body}, ontology=ONTOLOGY, start=start, stop=stop, width=96, height=64)
    return {key: box for track in read.tracks for key, box in _dense(track, start, stop)}


def _dense(track: Any, start: int, stop: int) -> Any:
    points, present, _ = fill_track(track, start, stop)
    return [((track.label, start + i), points[i].tolist()) for i in present.nonzero()[0]]


def half_done(**policy: Any) -> Batch:
    """Four segments of which only the second is decided; nobody sits at another."""
    batch = launched(frames=56, ghosts=True, redundancy=1, max_redundancy=1, **policy)
    middle = Task.objects.get(batch=batch, segment__index=1)
    Task.objects.filter(pk=middle.pk).update(priority=9)
    Assignment.objects.filter(task=middle).update(priority=9)
    wanda = cast.client("Wanda")
    assert stage.submit(wanda, stage.claim(wanda)).status_code == 200
    cast.work_off()
    middle.refresh_from_db()
    assert middle.status == "done"
    return batch


def test_the_decided_boxes_of_a_neighbour_are_shown_on_the_shared_frames_alone() -> None:
    batch = half_done()
    decided = Task.objects.get(batch=batch, segment__index=1).segment
    will, seen = cast.client("Will"), {}
    while (answer := stage.try_claim(will)).status_code == 201:
        seat = answer.json()
        start, stop = seat["segment"]["start"], seat["segment"]["stop"]
        seen[start] = sorted(frame for _, frame in boxes(seat["ghosts"], start, stop))
        assert stage.submit(will, seat).status_code == 200
    shared = {s.start: [f for f in range(s.start, s.stop) if decided.start <= f < decided.stop] for s in _others(batch)}
    assert seen == shared and sum(map(len, shared.values())) == 4


def _others(batch: Batch) -> list[Any]:
    return [t.segment for t in Task.objects.filter(batch=batch).exclude(segment__index=1).select_related("segment")]


def test_a_ghost_is_where_its_object_was_decided_to_be_and_says_nothing_of_who_drew_it() -> None:
    batch = half_done()
    last = Assignment.objects.filter(task__segment__index=2, task__batch=batch)
    last.update(priority=9)
    seat = stage.claim(cast.client("Will"))
    start, stop = seat["segment"]["start"], seat["segment"]["stop"]
    before = Task.objects.get(batch=batch, segment__index=1)
    drawn = boxes(tracks(before.segment.start, before.segment.stop), before.segment.start, before.segment.stop)
    shown = boxes(seat["ghosts"], start, stop)
    assert shown and all(box == pytest.approx(drawn[key], abs=0.5) for key, box in shown.items())
    assert not {"confidence", "support", "disputes"} & set(seat["ghosts"][0])
    assert seat["tracks"] == []


def test_what_is_decided_later_does_not_change_what_a_worker_sees() -> None:
    batch = launched(frames=38, ghosts=True, redundancy=1, max_redundancy=1)
    wanda, will = cast.client("Wanda"), cast.client("Will")
    early, other = stage.claim(will), stage.claim(wanda)
    stage.submit(wanda, other)
    cast.work_off()
    assert Task.objects.filter(batch=batch, outcome__isnull=False).count() == 1
    assert will.get(f"{stage.API}/assignments/{early['id']}/").json()["ghosts"] == []


def test_without_the_policy_nothing_is_shown() -> None:
    batch = launched(frames=38, redundancy=1, max_redundancy=1)
    work(batch, "Wanda")
    cast.work_off()
    assert not Ghost.objects.exists() and Task.objects.filter(batch=batch, outcome__isnull=False).count() == 2


def test_who_only_copies_what_was_shown_agrees_with_nobody() -> None:
    batch = half_done()
    Assignment.objects.filter(task__segment__index=2, task__batch=batch).update(priority=9)
    will = cast.client("Will")
    seat = stage.claim(will)
    start, stop = seat["segment"]["start"], seat["segment"]["stop"]
    copied = [{**track, "id": str(i)} for i, track in enumerate(seat["ghosts"])]
    assert stage.submit(will, seat, copied).status_code == 200
    row = Assignment.objects.select_related("task__segment", "task__batch").get(pk=seat["id"])
    assert ghosting.unseen(task=row.task, seats=[row]) == (start + 2, stop)
    read = {"tracks": tracks(start, stop)}
    truth = parse_tracks(read, ontology=ONTOLOGY, start=start, stop=stop, width=96, height=64)
    assert recording.load(row.track_set).tracks, "it did draw something, and right where it is"
    assert scores_with(task=row.task, seats=[row], tracks=truth) == {row.pk: 0.0}


def test_an_extra_gold_seat_is_shown_what_a_real_one_may_be_shown() -> None:
    """All neighbours of an old segment are decided: shown, they would tell gold from real work."""
    batch = half_done()
    task = Task.objects.get(batch=batch, segment__index=2)
    extra = Assignment.objects.filter(task=task).first()
    seat = Assignment(pk=extra.pk, task=task, batch=batch, project=batch.project, extra=True)
    assert ghosting._sides_of_others(seat) == set(), "no real seat was shown anything yet"
    ghosting.show(seat=seat)
    assert not Ghost.objects.exists()
