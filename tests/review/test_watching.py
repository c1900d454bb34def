"""Figures of a project: what they count, and the number that says that they changed."""

from __future__ import annotations

import pytest

from crowd.models import Task
from review import watching
from tests import cast
from tests.crowd import stage as crowd
from tests.review.stage import API, by_all, tracks, work

pytestmark = pytest.mark.django_db


def test_a_cancelled_batch_is_not_counted_among_what_was_saved() -> None:
    project = cast.project()
    rules = crowd.ruled(project, max_redundancy=5)
    by_all(crowd.launch(project, cast.video(project, 20), rules), Wanda=tracks, Will=tracks)
    before = watching.progress(project)["redundancy"]
    assert before == {"mean": 2.0, "saved": 3, "why": {}}
    batch = crowd.launch(project, cast.video(project, 38), rules)
    work(batch, "Wanda")
    will = cast.client("Will")
    assert crowd.submit(will, crowd.claim(will, project)).status_code == 200
    cast.work_off()
    assert Task.objects.filter(batch=batch, status="done").count() == 1
    assert cast.client("Mona").post(f"{API}/batches/{batch.pk}/cancel/").status_code == 200
    assert watching.progress(project)["redundancy"] == before
