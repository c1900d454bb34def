"""A batch that workers did: submissions in, jobs done, consensus where the rule left it."""

from __future__ import annotations

from typing import Any

from crowd.models import Batch
from review.models import Consensus
from tests import cast
from tests.crowd import stage
from tests.crowd.stage import API, launched, tracks

__all__ = ["API", "by_all", "decide", "disputed", "launched", "only_consensus", "tracks", "work"]


def work(batch: Batch, name: str, drawn: Any = None) -> list[str]:
    """A worker does everything that there is for them; `drawn(start, stop)` gives their tracks. The seats' ids."""
    worker, seats = cast.client(name), []
    while (answer := stage.try_claim(worker, batch.project)).status_code == 201:
        seat = answer.json()
        segment = seat["segment"]
        body = (drawn or tracks)(segment["start"], segment["stop"])
        answer = stage.submit(worker, seat, body)
        assert answer.status_code == 200, answer.content
        seats.append(seat["id"])
    return seats


def by_all(batch: Batch, **drawn: Any) -> None:
    """Everybody works (by name, with how they draw), then the jobs are done."""
    for name, how in drawn.items():
        work(batch, name, how)
    cast.work_off()


def disputed(**policy: Any) -> Consensus:
    """One segment on which two workers drew different things: it waits for a reviewer."""
    batch = launched(frames=20, max_redundancy=2, **policy)
    by_all(batch, Wanda=tracks, Will=lambda a, b: tracks(a, b, shift=25.0))
    return only_consensus(batch)


def only_consensus(batch: Batch) -> Consensus:
    return Consensus.objects.select_related("task", "video").get(batch=batch)


def decide(by: str, consensus: Consensus, verb: str, body: dict[str, Any] | None = None) -> Any:
    return cast.client(by).post(f"{API}/consensus/{consensus.pk}/{verb}/", body or {})
