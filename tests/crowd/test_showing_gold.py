"""What of gold is told to whom: how much it holds, what that is, and where it is shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from annotation import recording
from annotation.core.packing import Unreadable, count_intervals, pack
from annotation.core.tracks import Interval, Tracks
from annotation.models import Project
from crowd.models import Gold
from tests import cast
from tests.crowd import stage

pytestmark = pytest.mark.django_db
CROSSING = {"name": "crossing", "shape": "interval"}


def posted(tracks: int, events: int) -> Gold:
    project = cast.project(labels=[*cast.LABELS, CROSSING])
    video = cast.video(project, 20)
    spans = [{"label": "crossing", "start": k, "stop": k + 2} for k in range(events)]
    drawn = [{**stage.tracks(0, 20)[0], "id": str(k)} for k in range(tracks)]
    body = {"video": video.pk, "start": 0, "stop": 20, "tracks": drawn, "intervals": spans}
    answer = cast.client("Alice").post(f"{stage.API}/projects/{project.pk}/gold/", body)
    assert answer.status_code == 201 and (answer.json()["tracks"], answer.json()["intervals"]) == (tracks, events)
    return Gold.objects.get()


def page(name: str, address: str) -> Any:
    client = Client()
    client.force_login(cast.user(name))
    return client.get(address)


def address_of(gold: Gold, project: Project | None = None) -> str:
    return f"/projects/{(project or gold.project).pk}/gold/{gold.pk}/"


@pytest.mark.parametrize(
    ("tracks", "events", "said"),
    [
        (2, 3, "2 tracks, 3 events"),
        (1, 0, "1 track"),
        (0, 1, "1 event"),
        (0, 0, "0 tracks"),
        (1, 1, "1 track, 1 event"),
    ],
)
def test_the_list_of_gold_says_how_many_tracks_and_events_it_holds(tracks: int, events: int, said: str) -> None:
    gold = posted(tracks, events)
    listed = page("Mona", f"/projects/{gold.project_id}/").content.decode()
    assert f"frames 0 to 20</a>: {said}\n" in listed
    assert address_of(gold) in listed


def test_who_may_read_a_project_sees_its_gold_and_nobody_else_does() -> None:
    gold = posted(1, 1)
    whole = recording.load_json(gold.track_set)
    for name in ("Alice", "Mona", "Rita"):
        answer = cast.client(name).get(f"{stage.API}/gold/{gold.pk}/tracks/")
        assert answer.json() == {"start": 0, "stop": 20, **whole}
        assert f'data-gold="{gold.pk}"' in page(name, address_of(gold)).content.decode()
    for name in ("Eve", "Max", "Wanda"):
        assert cast.client(name).get(f"{stage.API}/gold/{gold.pk}/tracks/").status_code == 404
        assert page(name, address_of(gold)).status_code == 404
    assert page("Alice", address_of(gold, cast.project(name="Another"))).status_code == 404


def test_intervals_are_counted_without_reading_a_box() -> None:
    some = Tracks(0, 20, (), tuple(Interval("crossing", k, k + 1) for k in range(7)))
    payload = pack(some)
    assert (count_intervals(payload), count_intervals(memoryview(payload))) == (7, 7)
    assert count_intervals(pack(Tracks(0, 20))) == 0
    for broken in (b"", b"nothing", payload[:9]):
        with pytest.raises(Unreadable):
            count_intervals(broken)
