from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from annotation.templatetags.figures import amount, clock, money, percent, size, when


@pytest.mark.parametrize(
    ("micros", "said"),
    [
        (0, "0.00 EUR"),
        (1_230_000, "1.23 EUR"),
        (1_200_000_000, "1,200.00 EUR"),
        (-500_000, "-0.50 EUR"),
        (1234, "0.001234 EUR"),
    ],
)
def test_money_is_said_to_the_micro(micros: int, said: str) -> None:
    assert money(micros) == said


def test_an_amount_in_a_field_is_read_back_to_the_micro() -> None:
    found = {0: "0", 10_000_000: "10", 1_230_000: "1.23", 1: "0.000001", 250_000: "0.25", None: ""}
    assert {micros: amount(micros) for micros in found} == found


def test_sizes_times_and_shares_are_said_as_people_say_them() -> None:
    assert [size(n) for n in (0, 999, 1500, 2_500_000_000)] == ["0 B", "999 B", "1.5 kB", "2.5 GB"]
    assert [clock(s) for s in (0, 75.2, 3661)] == ["0:00", "1:15", "1:01:01"]
    assert [percent(s) for s in (0.834, 1, 0)] == ["83 %", "100 %", "0 %"]


def test_what_is_not_known_is_a_dash() -> None:
    assert [show(None) for show in (money, size, clock, percent, when)] == ["–"] * 5


def test_a_moment_says_that_it_is_in_utc() -> None:
    said = '<time datetime="2026-03-01T00:05:09Z">2026-03-01 00:05 UTC</time>'
    assert when(datetime(2026, 3, 1, 0, 5, 9, tzinfo=UTC)) == said
    assert when(datetime(2026, 3, 1, 14, 5, 9, tzinfo=timezone(timedelta(hours=14)))) == said
