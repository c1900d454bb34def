"""What is read in plain SQL says the same as what is read through the ORM."""

from __future__ import annotations

import pytest

from annotation.core.parsing import parse_tracks
from annotation.lifecycle import Role
from annotation.models import Member, Video
from crowd import claiming, prelabelling
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db


def test_a_fresh_seat_is_told_as_it_is_read_again() -> None:
    batch = stage.launched()
    video = Video.objects.get(project=batch.project)
    known = parse_tracks({"tracks": stage.tracks(0, 60)}, ontology=None, start=0, stop=60)
    prelabelling.post_pre_labels(project=batch.project, video=video, tracks=known, by=batch.project.owner)
    wanda = cast.client("Wanda")
    told = stage.try_claim(wanda, batch.project).json()
    assert told["tracks"] and told == wanda.get(f"{stage.API}/assignments/{told['id']}/").json()


def test_a_project_is_found_by_its_id_or_name_where_the_worker_may_work_and_nowhere_else() -> None:
    shut = stage.launched(open=False).project
    opened = stage.launched(project=cast.project(name="Roundabout")).project
    wanda = cast.user("Wanda")
    Member.objects.create(project=shut, user=wanda, role=Role.WORKER)
    seen = set()
    for worker in (wanda, cast.user("Will"), shut.owner):
        allowed = set(claiming.workable(worker))
        for project in (shut, opened):
            found = [claiming.workable_called(worker, called) for called in (project.pk, project.name)]
            assert found == [[project] if project in allowed else []] * 2
            seen.add(project in allowed)
    assert seen == {True, False}
