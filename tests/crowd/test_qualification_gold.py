"""The gold of a qualification in the stream: who was shown an answer is not asked; and the page that shows it."""

from __future__ import annotations

from typing import Any

import pytest

from crowd.lifecycle import Seat, TaskStatus
from crowd.models import Assignment, Batch, Task
from review.models import Consensus
from tests import cast
from tests.crowd import stage
from tests.crowd.test_qualification import asking, me, train

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clips_without_files")]


def overlapping(**asked: Any) -> Batch:
    """A launched video of three segments, the first of which is the qualification's gold."""
    project = cast.project()
    batch = stage.launched(project=project, qualification={"gold": 1} | asked)
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 20, "tracks": stage.tracks(0, 20)}
    assert cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/gold/", body).status_code == 201
    cast.work_off()
    return batch


def test_gold_that_everybody_is_shown_is_the_answer_of_its_segment() -> None:
    batch = overlapping()
    consensus = Consensus.objects.get(batch=batch)
    assert (consensus.status, consensus.segment.start, consensus.decided_by) == ("accepted", 0, None)
    assert Task.objects.get(segment=consensus.segment).status == TaskStatus.DONE
    assert not Assignment.objects.filter(task__segment=consensus.segment, status=Seat.OPEN).exists()


def test_who_trained_never_meets_that_gold_in_the_stream() -> None:
    batch = overlapping()
    wanda = cast.client("Wanda")
    stage.try_claim(wanda, batch.project)
    cast.work_off()
    train(wanda, batch)
    met = []
    while (answer := stage.try_claim(wanda, batch.project)).status_code == 201:
        seat = answer.json()
        met.append(seat["segment"]["start"])
        stage.submit(wanda, seat)
    assert len(met) == Task.objects.filter(batch=batch, status=TaskStatus.OPEN).count() > 0 and 0 not in met


def test_begun_segments_inside_gold_named_later_are_left_to_who_did_not_train() -> None:
    project = cast.project()
    batch = stage.launched(project=project, frames=20, qualification={"gold": 1})
    for name in ("Will", "Wanda"):
        qualified(batch, name)
    stage.submit(cast.client("Will"), stage.claim(cast.client("Will"), project))
    body = {"video": batch.batch_videos.get().video_id, "start": 0, "stop": 20, "tracks": stage.tracks(0, 20)}
    cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/gold/", body)
    cast.work_off()
    assert Task.objects.filter(batch=batch, status=TaskStatus.OPEN).count() == 1
    walt = cast.client("Walt")
    stage.try_claim(walt, project)
    cast.work_off()
    train(walt, batch)
    assert me(walt, batch)["status"] == "passed"
    assert stage.try_claim(walt, project).status_code == 204
    assert stage.try_claim(cast.client("Wanda"), project).status_code == 201


def qualified(batch: Batch, name: str) -> None:
    cast.user(name)
    address = f"{stage.API}/projects/{batch.project_id}/workers/{name}/qualify/"
    assert cast.client("Mona").post(address, {"reason": "known"}).status_code == 200


def test_the_training_page_shows_marks_and_boxes(client: Any) -> None:
    batch = asking(2)
    wanda = cast.client("Wanda")
    client.force_login(cast.user("Wanda"))
    train(wanda, batch, shift=15.0)
    page = client.get(f"/work/training/{batch.project_id}/").content.decode()
    assert page.count('class="mark yours"') == 3 and page.count('class="mark"') == 3
    assert "1 of 2" in page and "below the marks: objects and events as a whole, boxes found and none invented<" in page
    assert "<td>Right labels</td>" in page and "soft track f" not in page
    assert "Crossing" in client.get("/work/").content.decode()
    client.force_login(cast.user("Eve"))
    assert client.get(f"/work/training/{batch.project_id}/").status_code == 404
