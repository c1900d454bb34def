"""The pages about money, for whoever may see them, in every state that has buttons."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from crowd import disputing, paying, paying_out
from crowd.models import Payout
from tests import cast
from tests.crowd import stage
from tests.crowd.test_money import bonus, earned, locked, sent
from tests.pages.test_pages import Markup, browser, status

pytestmark = pytest.mark.django_db


def test_a_worker_sees_what_was_earned_and_may_dispute_a_rejection() -> None:
    seat = earned()
    assert "1.50 EUR" in browser("Wanda").get("/work/earnings/").content.decode()
    paying.reject(seat=seat, by=cast.user("Mona"), reason="boxes are loose")
    html = browser("Wanda").get("/work/earnings/").content.decode()
    assert f"/assignments/{seat.pk}/dispute/" in html and "boxes are loose" in html and "Mona" not in html
    dispute = disputing.dispute(seat=seat, worker=cast.user("Wanda"), reason="they are not")
    disputing.decline(dispute=dispute, by=cast.user("Mona"), answer="look again")
    html = browser("Wanda").get("/work/earnings/").content.decode()
    assert f"/assignments/{seat.pk}/dispute/" not in html and "look again" in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []


def test_a_worker_sees_what_was_earned_in_each_currency() -> None:
    assert re.search(r"<b>–</b><span>earned", browser("Wanda").get("/work/").content.decode())
    earned()
    harbour = cast.project(name="Harbour")
    earned(project=stage.launched(project=harbour, reward_micros=2_000_000, currency="USD").project)
    html = browser("Wanda").get("/work/").content.decode()
    assert re.findall(r"<b>([\d.]+ \w+)</b><span>earned, ([\d.]+ \w+) paid", html) == [
        ("1.50 EUR", "0.00 EUR"),
        ("2.00 USD", "0.00 USD"),
    ]


def test_two_payouts_of_one_minute_have_names_of_their_own() -> None:
    project = earned().project
    for second in (5, 50):
        payout = paying_out.draft(project=project, by=cast.user("Mona"))
        Payout.objects.filter(pk=payout.pk).update(created_at=datetime(2026, 3, 1, 10, 0, second, tzinfo=UTC))
    html = browser("Mona").get(f"/projects/{project.pk}/payouts/").content.decode()
    names = re.findall(r'<article class="payout" aria-label="([^"]+)"', html)
    assert names == ["Payout of 2026-03-01 10:00:50 UTC", "Payout of 2026-03-01 10:00:05 UTC"]


def test_a_manager_sees_payouts_with_what_can_be_done_to_each() -> None:
    seat = earned()
    project, mona = seat.project, cast.user("Mona")
    under_way = sent(project)
    bonus(project, 900_000)
    waiting, draft = locked(project), paying_out.draft(project=project, by=mona)
    paying.reject(seat=seat, by=mona, reason="boxes are loose")
    dispute = disputing.dispute(seat=seat, worker=cast.user("Wanda"), reason="they are not")
    html = browser("Mona").get(f"/projects/{project.pk}/payouts/").content.decode()
    for path in (
        f"/payouts/{draft.pk}/lock/",
        f"/payouts/{waiting.pk}/send/",
        f"/payouts/{waiting.pk}/cancel/",
        f"/api/v1/payouts/{under_way.pk}/file/",
        f"/payouts/{under_way.pk}/statement/",
        f"/disputes/{dispute.pk}/uphold/",
        f"/disputes/{dispute.pk}/decline/",
    ):
        assert path in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
    for name, expected in (("Ada", 200), ("Alice", 404), ("Rita", 404), ("Max", 404), ("Wanda", 404), (None, 302)):
        assert status(name, f"/projects/{project.pk}/payouts/") == expected, name
