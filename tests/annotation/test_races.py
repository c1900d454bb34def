"""Many at once, on PostgreSQL: what one conditional UPDATE and one unique constraint are worth."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event
from time import sleep
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from annotation import clipping, defining, ingesting, joining, settling, storing
from annotation.errors import Conflict
from annotation.models import Clip, KeptFile, Member, Ontology, Video
from annotation.signals import video_ready
from annotation.tidying import clear_orphans
from tests import cast, openapi

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]
MANY = 6


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """What each of MANY threads got, or its exception; all begin at the same moment."""
    barrier = Barrier(MANY)

    def one(i: int) -> Any:
        try:
            barrier.wait()
            return work(i)
        except Exception as error:  # noqa: BLE001  what it is, is for the test to say
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(one, range(MANY)))


def test_a_video_that_many_index_is_told_of_once() -> None:
    project = cast.project()
    video = ingesting.register(project=project, file=cast.video_file(40), name="a.mp4", by=None)
    told: list[str] = []

    def hear(video: Video, **_: object) -> None:
        told.append(video.pk)

    video_ready.connect(hear)
    try:
        assert at_once(lambda _: ingesting.index(video.pk)) == [None] * MANY
    finally:
        video_ready.disconnect(hear)
    assert told == [video.pk] and Video.objects.get().status == "ready"


def test_of_many_stretches_from_one_frontier_one_is_written() -> None:
    video = cast.video(cast.project(), 60, settled=0)
    frame_map = settling.read_frame_map(video)
    stretches = [replace(frame_map.without([50 + i]), settled=10 + i) for i in range(MANY)]
    got = at_once(lambda i: settling.commit_stretch(video.pk, 0, stretches[i]))
    assert got.count(None) == 1 and sum(isinstance(g, settling.AlreadySettled) for g in got) == MANY - 1
    video.refresh_from_db()
    stored = settling.read_frame_map(video)
    assert (stored.settled, stored.sha256) == (video.settled_frames, video.frame_map_sha256)


def test_the_same_file_from_many_is_whole_for_each() -> None:
    content = os.urandom(3 * 2**20)
    for stored in at_once(lambda _: storing.keep(io.BytesIO(content), "races")):
        with storing.default_storage.open(stored.name) as file:
            assert file.read() == content


def test_a_file_that_is_stored_while_it_is_cleared_away_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    name = storing.keep(io.BytesIO(b"again"), "races").name
    KeptFile.objects.filter(name=name).update(kept_at=Now() - timedelta(days=2))
    delete, begun = storing.default_storage.delete, Event()

    def slowly(name: str) -> None:
        begun.set()
        sleep(0.5)
        delete(name)

    def one(i: int) -> Any:
        return storing.keep(io.BytesIO(b"again"), "races") if i and begun.wait(10) else clear_orphans()

    monkeypatch.setattr(storing.default_storage, "delete", slowly)
    cleared, *stored = at_once(one)
    assert cleared == [name] and [storing.read(s.name) for s in stored] == [b"again"] * (MANY - 1)


def test_a_clip_that_many_make_has_one_row() -> None:
    cut = clipping.cut_video(video=cast.video(cast.project()), segment_frames=30, overlap_frames=6)
    segment = cut.segments.order_by("index").first()
    made = at_once(lambda _: clipping.make_clip(segment.pk))
    assert {clip.created_at for clip in made} == {Clip.objects.get().created_at}


def test_of_many_changes_of_the_labels_each_is_a_version_or_a_conflict() -> None:
    project = cast.project()
    got = at_once(lambda i: defining.change_ontology(project=project, labels=[{"name": f"label {i}"}]))
    made = [g for g in got if isinstance(g, Ontology)]
    assert made and all(isinstance(g, Ontology | Conflict) for g in got)
    assert sorted(o.version for o in made) == list(range(2, 2 + len(made)))


def test_who_follows_an_invitation_many_times_is_one_member() -> None:
    project, eve = cast.project(), cast.user("Eve")
    _, secret = joining.invite(project=project, role="worker", by=cast.user("Mona"))
    got = at_once(lambda _: joining.accept_invite(secret=secret, user=eve))
    assert {g.pk for g in got} == {Member.objects.get(user=eve).pk}


def test_an_upload_that_is_sent_many_times_with_one_key_is_one_video() -> None:
    project = cast.project()
    clients = [cast.client("Alice") for _ in range(MANY)]
    content = cast.video_file(40).read_bytes()
    openapi.document()

    def upload(i: int) -> Any:
        file = io.BytesIO(content)
        file.name = "a.mp4"
        address = f"/api/v1/projects/{project.pk}/videos/"
        return clients[i].post(address, {"file": file}, format="multipart", headers={"Idempotency-Key": "k"})

    answers = at_once(upload)
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 1 == Video.objects.count()
