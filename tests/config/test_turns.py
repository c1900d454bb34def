"""What a job worker does in one turn, in this process."""

from __future__ import annotations

import pytest

from annotation import queue, working

pytestmark = pytest.mark.django_db


def test_a_backlog_without_end_keeps_no_worker_from_looking_for_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    monkeypatch.setattr(queue, "autodiscover_modules", lambda name: None)
    monkeypatch.setattr(queue, "SWEEPS", [lambda: swept.append(len(done))])
    monkeypatch.setattr(working, "RECLAIM_S", 0.05)
    done: list[str] = []

    def again(subject: str) -> None:
        done.append(subject)
        if len(done) < 300:  # an end all the same, so that this one has one
            queue.want("again", str(len(done)))

    monkeypatch.setitem(queue.KINDS, "again", queue.Kind(again, None))
    queue.want("again", "0")
    working.Worker()._turn()
    assert 0 < swept[0] < 300
