"""What the overview of a project asks of the database does not grow with its batches."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Project
from crowd.models import Batch, Task
from crowd.seating import policy_of
from review import watching
from tests import cast
from tests.crowd import stage
from tests.pages.test_pages import browser

pytestmark = pytest.mark.django_db


def launched(first: Batch, name: str) -> None:
    """One more batch like the first, a task of which waits for money."""
    batch = stage.launch(first.project, cast.video(first.project, name=name), policy_of(first))
    Task.objects.filter(pk=batch.tasks.order_by("pk")[0].pk).update(status="opening")


def asked(project: Project) -> int:
    with CaptureQueriesContext(connection) as queries:
        html = browser("Mona").get(f"/projects/{project.pk}/live/").content.decode()
    assert "wait for seats that its budget" in html
    return len(queries)


def test_the_figures_look_through_all_seats_of_a_project_seldom_and_for_scores_not_at_all() -> None:
    project = stage.launched().project
    with CaptureQueriesContext(connection) as queries:
        watching.progress(project)
    said = [query["sql"] for query in queries]
    whole = [sql for sql in said if 'FROM "crowd_assignment"' in sql and "DISTINCT" not in sql and "LIMIT" not in sql]
    # By state, what is counted over all, what was drawn at done tasks; and leases that ran out, here and on the site.
    assert len(whole) == 5, whole
    assert not any('"crowd_score"' in sql and '"crowd_assignment"' in sql for sql in said)
    assert sum('"review_build"' in sql for sql in said) == 1


def test_five_batches_are_looked_at_by_as_many_questions_as_two() -> None:
    first = stage.launched(reward_micros=1, budget_micros=8, redundancy=1, max_redundancy=1)
    cast.user("Wanda")
    launched(first, "second.mp4")
    asked(first.project)
    few = asked(first.project)
    for k in range(3):
        launched(first, f"more{k}.mp4")
    assert asked(first.project) == few
