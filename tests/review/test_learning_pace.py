"""How often skills are learnt while a crowd works: each time costs the same, so times must not grow with the tasks."""

from __future__ import annotations

from review.reconciling import LEARN_WITHIN_S, learn_after_s


def times_learnt(tasks: int, tasks_a_second: float) -> int:
    at, times = 0.0, 0
    while (judged := int(at * tasks_a_second)) < tasks:
        at += learn_after_s(judged)
        times += 1
    return times


def test_a_ten_times_longer_project_learns_skills_hardly_more_often() -> None:
    first = times_learnt(100, 1.0)
    assert first <= 20
    assert times_learnt(1000, 1.0) - first <= 10


def test_a_slow_crowd_waits_no_longer_than_ten_minutes() -> None:
    assert learn_after_s(100_000) == LEARN_WITHIN_S == 600
    assert learn_after_s(0) <= 2
