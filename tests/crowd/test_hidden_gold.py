"""Gold stays hidden: a classifier that sees all that a worker can see does no better than chance.

A claim is gold where its segment lies inside gold, its real seats and its extra ones alike. What was found, and how
much a leak has to say to be seen: docs/decisions/judgement.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from crowd import presenting, publishing
from crowd.models import Task
from tests.crowd.hiding import Watched, in_process, launched, served, watch
from tests.crowd.leaks import auc
from tests.crowd.observing import Observer

LOW, HIGH, SOUND = 0.45, 0.55, 0.01
CLAIMS, SEGMENTS = 580, 465  # so that 500 of either are submitted, and the others given back

PLANTED: dict[str, Callable[[dict[str, float]], dict[str, float]]] = {
    "a prefix": lambda seen: seen | {"seat.id[0]": ord("g")},
    "a byte more": lambda seen: seen | {"claim bytes": seen["claim bytes"] + 1},
    "a header": lambda seen: seen | {"clip headers": 998.0},
    "a millisecond more in a submit": lambda seen: seen | {"submit seconds": seen.get("submit seconds", 0.0) + 0.001},
    "settled a second sooner": lambda seen: seen | {"settled after": seen.get("settled after", 0.0) - 1.0},
}


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
# In one long transaction every update would leave a row that each later look walks over.
@pytest.mark.django_db(transaction=True)
def test_nothing_observable_tells_gold_from_real_work() -> None:
    # Rows of one segment are alike, so what counts are segments: with half as many, labels dealt anew to segments gave
    # an area of 0.50 with a standard deviation of 0.05, and a third of the runs would fail by chance.
    watched = watch(launched(2 * SEGMENTS), Observer(in_process()), 2 * CLAIMS)
    assert min((watched.table("submit")[2] == kind).sum() for kind in (0, 1)) >= 500
    alone = ("claim seconds", "submit seconds", "release seconds", "clip", "picture", "settled after")
    found = {only: round(watched.auc(only), 3) for only in ("", *alone)}
    name, most = watched.loudest()
    print(len(watched.gold), watched.table()[0].shape, found, name, most)
    assert LOW <= found[""] <= HIGH and LOW <= found["submit seconds"] <= HIGH, found
    assert most.p > SOUND, (name, most)
    # The same eyes see what is planted among the same observations.
    seen = {what: planted(watched, plant) for what, plant in PLANTED.items()}
    print({what: (round(leaky.auc(), 3), leaky.loudest()) for what, leaky in seen.items()})
    assert all(leaky.loudest()[1].p <= SOUND for leaky in seen.values())
    assert all(seen[what].auc() > HIGH for what in ("a prefix", "a header"))


def planted(watched: Watched, plant: Callable[[dict[str, float]], dict[str, float]]) -> Watched:
    pairs = zip(watched.sights, watched.gold, strict=True)
    return Watched([replace(s, seen=plant(s.seen)) if gold else s for s, gold in pairs], watched.gold)


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
@pytest.mark.django_db(transaction=True)
def test_submit_latency_alone_tells_nothing_through_a_real_web_process(
    child_env: dict[str, str], clips_without_files: None
) -> None:
    batch = launched(SEGMENTS)
    with served(child_env) as send:
        watched = watch(batch, Observer(send, only_submits=True), CLAIMS)
    found = {only: round(watched.auc(only), 3) for only in ("submit seconds", "claim seconds")}
    x, _, y, _ = watched.table("submit seconds")
    plain = auc(x[:, 0], y)
    print(len(y), found, round(plain, 3))
    assert LOW <= found["submit seconds"] <= HIGH and LOW <= plain <= HIGH, (found, plain)


@pytest.mark.long
@pytest.mark.django_db
def test_a_planted_leak_in_the_program_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gathering sees it, too, not the classifier alone: the program itself is made to tell."""
    whole = presenting.assignment_body
    monkeypatch.setattr(
        presenting, "assignment_body", lambda seat: whole(seat) | ({"note": ""} if seat.task.gold_id else {})
    )
    watched = watch(launched(90), Observer(in_process()), 60)
    assert watched.auc() > 0.9


@pytest.mark.django_db
def test_tasks_open_in_no_order_of_the_video(clips_without_files: None) -> None:
    """Else what is given out again would lie behind the day's work."""
    batch = launched(60)
    opened = Task.objects.filter(batch=batch, status="open")
    places = sorted(opened.values_list("segment__index", flat=True))
    assert len(places) == publishing.AHEAD
    assert places != list(range(len(places)))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level("ERROR")
    yield
