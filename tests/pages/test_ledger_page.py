"""The page on which a manager finds what somebody was paid for, and takes it back."""

from __future__ import annotations

import re

import pytest

from crowd import accounting, paying
from crowd.models import LedgerEntry
from review import pages
from tests import cast
from tests.crowd import stage
from tests.crowd.test_money import bonus, clear, earned, sent
from tests.pages.test_pages import Markup, browser, status

pytestmark = pytest.mark.django_db
FORM = r'data-send="(/(?:submissions|ledger)/\w+/\w+/)"'


def page(project: str, query: str = "", name: str = "Mona") -> str:
    return browser(name).get(f"/projects/{project}/ledger/{query}").content.decode()


def test_pay_for_work_and_a_bonus_are_found_by_worker_and_can_be_taken_back_once() -> None:
    seat = earned()
    project = seat.project
    other = earned("Will", project=project)
    given = bonus(project, 900_000)
    work, extra = f"/submissions/{seat.pk}/reject/", f"/ledger/{given.pk}/reverse/"
    html = page(project.pk, "?of=Wanda")
    assert set(re.findall(FORM, html)) == {work, extra} and "1.50 EUR" in html and "0.90 EUR" in html
    segment = seat.task.segment
    assert f"{segment.video.name}, frames {segment.start} to {segment.stop - 1}" in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
    assert set(re.findall(FORM, page(project.pk))) == {work, extra, f"/submissions/{other.pk}/reject/"}
    assert re.findall(FORM, page(project.pk, "?of=nobody%00")) == []
    assert (
        f"/projects/{project.pk}/ledger/?of=Wanda"
        in browser("Mona").get(f"/projects/{project.pk}/payouts/").content.decode()
    )
    mona = cast.client("Mona")
    for path in (work, extra):
        assert mona.post(f"/api/v1{path}", {"reason": "a copy"}).status_code in (200, 201)
    assert re.findall(FORM, page(project.pk, "?of=Wanda")) == []
    assert page(project.pk, "?of=Wanda").count("taken back</span>") == 2


def test_work_that_was_accepted_again_can_be_taken_back_again_and_the_first_time_cannot() -> None:
    seat = earned()
    mona = cast.user("Mona")
    paying.reject(seat=seat, by=mona, reason="loose")
    paying.accept(seat=seat, by=mona, reason="tight after all")
    first, again = LedgerEntry.objects.filter(kind="accrual").order_by("round")
    told = {e.pk: e.taken_back for e in accounting.paid_for(seat.project)}
    assert told == {first.pk: True, again.pk: False}


def test_what_was_taken_back_after_a_payout_is_told_as_a_debt() -> None:
    seat = earned()
    payout = sent(seat.project)
    clear(payout, True)
    assert "is a debt" not in page(seat.project_id, "?of=Wanda")
    paying.reject(seat=seat, by=cast.user("Mona"), reason="a copy")
    html = page(seat.project_id, "?of=Wanda")
    assert "<strong>-1.50 EUR</strong> is a debt" in html
    assert "netted from what they earn here later" in html


def test_whatever_was_paid_is_on_one_of_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SUBMISSIONS", 1)
    project = stage.launched(reward_micros=1).project
    seats = [earned(project=project).pk for _ in range(2)]
    shown = [re.findall(FORM, page(project.pk, f"?of=Wanda&page={n}")) for n in (1, 2)]
    assert sorted(sum(shown, [])) == sorted(f"/submissions/{pk}/reject/" for pk in seats)


def test_only_who_manages_the_people_of_a_project_sees_it() -> None:
    path = f"/projects/{earned().project_id}/ledger/"
    people = ("Ada", "Mona", "Alice", "Rita", "Eve", "Max", "Wanda", None)
    seen = {name: status(name, path) for name in people}
    assert seen == dict.fromkeys(people, 404) | {"Ada": 200, "Mona": 200, None: 302}
