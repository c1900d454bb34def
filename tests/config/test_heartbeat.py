"""The lease of a job while it goes on: renewed from a thread with a connection of its own."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from django.db import connection

from annotation import queue
from annotation.models import Job
from tests.config.test_queue import kind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]


def lease() -> datetime:
    return Job.objects.values_list("lease_until", flat=True).get(kind="long")


def test_a_lease_is_renewed_after_its_connection_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "BEAT_S", 0.1)
    monkeypatch.setattr(queue, "wake", lambda key: None)
    renewed: list[bool] = []

    def handler(subject: str) -> None:
        eventually_later_than(lease())
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        renewed.append(eventually_later_than(lease()))

    with kind("long", handler):
        queue.want("long", "a")
        queue.run("long:a")
    assert renewed == [True]


def eventually_later_than(moment: datetime) -> bool:
    for _ in range(30):
        time.sleep(0.1)
        if lease() > moment:
            return True
    return False
