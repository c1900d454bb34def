"""The figures that watchers are told, where only time goes by."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from review import live
from review.consumers import UNKNOWN, ProgressConsumer
from tests import cast


def test_what_time_alone_changes_is_told_to_who_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.0)
    monkeypatch.setattr(live, "ANEW_EVERY_S", 0.0)
    quiet = {"code": "quiet", "message": "Seats are open, and nobody has claimed one for more than 1 hour."}
    looks: list[list[dict[str, str]]] = [[], [], [quiet]]

    async def seq() -> int:
        return 7

    async def progress() -> dict[str, Any]:
        return {"seq": 7, "alarms": looks.pop(0) if len(looks) > 1 else looks[0]}

    async def told() -> list[Any]:
        watch = live.Watch(seq, progress)
        watch.start()
        first = await asyncio.wait_for(watch.newer_than(None), 10)
        second = await asyncio.wait_for(watch.newer_than(first), 10)
        watch.stop()
        return [first["progress"]["alarms"], second["progress"]["alarms"]]

    assert asyncio.run(told()) == [[], [quiet]]


def test_where_figures_take_long_to_read_they_are_read_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.0)
    pauses, sleep = [], asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    async def number() -> int:
        return len(pauses)

    async def progress() -> dict[str, Any]:
        if not pauses:
            await sleep(0.05)
        return {"seq": len(pauses)}

    async def told() -> None:
        watch = live.Watch(number, progress)
        watch.start()
        first = await asyncio.wait_for(watch.newer_than(None), 10)
        await asyncio.wait_for(watch.newer_than(first), 10)
        watch.stop()

    monkeypatch.setattr(live.asyncio, "sleep", pause)
    asyncio.run(told())
    assert pauses[0] > 0.4


def test_figures_are_not_read_again_for_each_look_while_their_number_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.0)
    numbers, read = [7, 7, 7, 7, 8], []

    async def seq() -> int:
        return numbers.pop(0)

    async def progress() -> dict[str, Any]:
        read.append(len(numbers))
        return {"seq": 7 if numbers else 8}

    async def told() -> None:
        watch = live.Watch(seq, progress)
        watch.start()
        first = await asyncio.wait_for(watch.newer_than(None), 10)
        await asyncio.wait_for(watch.newer_than(first), 10)
        watch.stop()

    asyncio.run(told())
    assert read == [5, 0]


@pytest.mark.django_db(transaction=True)
def test_who_logs_out_watches_no_longer() -> None:
    project, browser = cast.project(), Client()
    browser.force_login(cast.user("Alice"))
    consumer = ProgressConsumer()
    consumer.project_id = project.pk
    session = SessionStore(browser.session.session_key)
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    consumer.scope = {"headers": headers, "session": session}
    refusal = async_to_sync(consumer._refusal)
    assert refusal() is None
    browser.logout()
    assert refusal() == UNKNOWN
