"""Lists that are longer than a page: whatever is in them can be reached, and found."""

from __future__ import annotations

import re

import pytest

from annotation import joining, recording
from annotation.core.tracks import Tracks
from annotation.lifecycle import Source
from annotation.models import Project
from crowd import disputing, paying
from crowd import pages as money_pages
from crowd.models import Gold, Skill, Suspicion
from crowd.seating import policy_of
from review import pages
from tests import cast
from tests.crowd import stage
from tests.crowd.test_money import bonus, earned
from tests.pages.test_pages import browser
from tests.review.stage import disputed

pytestmark = pytest.mark.django_db
WEAK = {"mean": 0.2, "low": 0.1, "high": 0.3, "figures": {}}


def page(name: str, path: str) -> str:
    return browser(name).get(path).content.decode()


def test_every_worker_of_a_project_is_found_by_name_and_in_the_order_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "WORKERS", 2)
    project = stage.launched(redundancy=3, max_redundancy=3).project
    for name in ("Walt", "Wanda", "Will", "Will"):
        seat = earned(name, project=project)
    paying.reject(seat=seat, by=cast.user("Mona"), reason="boxes are loose")
    Suspicion.objects.create(project=project, worker=cast.user("Walt"), code="too_fast", evidence={})
    Skill.objects.update_or_create(project=project, worker=cast.user("Will"), defaults=WEAK)

    def listed(query: str) -> list[str]:
        return re.findall(r'data-worker="(\w+)"', page("Mona", f"/projects/{project.pk}/live/?{query}"))

    assert (listed("order=name"), listed("order=name&workers=2")) == (["Walt", "Wanda"], ["Will"])
    assert (listed("who=wIl"), listed("who=nobody%00")) == (["Will"], [])
    first = {order: listed(f"order={order}")[0] for order in ("submitted", "rejected", "skill", "flagged", "nonsense")}
    assert first == dict.fromkeys(first, "Will") | {"flagged": "Walt"}
    assert 'href="?order=name&amp;workers=2"' in page("Mona", f"/projects/{project.pk}/live/?order=name")


def test_every_batch_is_on_one_of_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BATCHES", 1)
    first = stage.launched()
    second = stage.launch(first.project, cast.video(first.project, name="square.mp4"), policy_of(first))
    shown = [page("Alice", f"/projects/{first.project_id}/?batches={n}") for n in (1, 2, 3)]
    assert [re.findall(r'data-batch="(\w+)"', html) for html in shown] == [[second.pk], [first.pk], [first.pk]]
    told = [re.findall(r'class="names">(.+?)</p>', html) for html in shown]
    assert told == [["square.mp4"], ["street.mp4"], ["street.mp4"]]


def test_a_worker_may_dispute_every_rejection_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money_pages, "LATEST", 1)
    project = stage.launched(reward_micros=1).project
    seats = [earned(project=project), earned(project=project)]
    for seat in seats:
        paying.reject(seat=seat, by=cast.user("Mona"), reason="boxes are loose")
    shown = [page("Wanda", f"/work/earnings/?unpaid={n}") for n in (1, 2)]
    found = [re.findall(r"/assignments/(\w+)/dispute/", html) for html in shown]
    assert sorted(sum(found, [])) == sorted(seat.pk for seat in seats)
    for seat in seats:
        disputing.dispute(seat=seat, worker=cast.user("Wanda"), reason=f"tight, {seat.pk}")
    for path in ("/work/earnings/", f"/projects/{project.pk}/payouts/"):
        shown = [page("Wanda" if "work" in path else "Mona", f"{path}?disputes={n}") for n in (1, 2)]
        assert sorted(sum((re.findall(r"tight, (\w+)", html) for html in shown), [])) == sorted(s.pk for s in seats)


def test_what_is_due_is_told_of_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money_pages, "WORKERS", 1)
    project = stage.launched(reward_micros=1).project
    for name in ("Wanda", "Will"):
        earned(name, project=project)
    shown = [page("Mona", f"/projects/{project.pk}/payouts/?workers={n}") for n in (1, 2)]
    assert [re.findall(r'data-name="Worker">(\w+)', html) for html in shown] == [["Wanda"], ["Will"]]


def test_a_worker_sees_for_which_task_each_sum_was_earned_and_what_they_drew_there() -> None:
    seat = earned()
    bonus(seat.project, 1)
    links = re.findall(r'<a href="/work/(\w+)/">(.+?)</a>', page("Wanda", "/work/earnings/"))
    assert links == [(seat.pk, "Accepted work")]
    assert f'<a href="/work/{seat.pk}/">' in page("Wanda", "/work/")
    paying.reject(seat=seat, by=cast.user("Mona"), reason="boxes are loose")
    links = re.findall(r'<a href="/work/(\w+)/">(.+?)</a>', page("Wanda", "/work/earnings/"))
    assert links == [(seat.pk, "Look at it"), (seat.pk, "Taken back"), (seat.pk, "Accepted work")]


def test_a_manager_sees_who_is_a_member_and_which_links_are_good() -> None:
    project, mona = cast.project(), cast.user("Mona")
    good, _ = joining.invite(project=project, role="worker", by=mona)
    over, _ = joining.invite(project=project, role="manager", by=mona, expires_s=-1)
    html = page("Mona", f"/projects/{project.pk}/live/")
    assert re.findall(r"/invites/(\w+)/", html) == [good.pk] and over.pk not in html
    assert set(re.findall(r"/members/(\w+)/", html)) == {mona.pk, cast.user("Rita").pk}
    assert "/members/" not in page("Alice", f"/projects/{project.pk}/live/")


def test_gold_has_pages_and_every_one_of_it_is_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "GOLD", 1)
    project = cast.project()
    made = [gold_of(project, name) for name in ("north.mp4", "south.mp4")]
    shown = [page("Alice", f"/projects/{project.pk}/?gold={n}") for n in (1, 2)]
    found = [re.findall(rf"/projects/{project.pk}/gold/(\w+)/", html) for html in shown]
    assert found == [[made[1].pk], [made[0].pk]]


def gold_of(project: Project, name: str) -> Gold:
    video = cast.video(project, name=name)
    known = recording.store(tracks=Tracks(0, 20), video=video, source=Source.GOLD)
    return Gold.objects.create(project=project, video=video, start=0, stop=20, track_set=known)


def test_a_video_is_found_by_name_and_can_be_chosen_then_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "VIDEOS", 2)
    monkeypatch.setattr(pages, "CHOICES", 2)
    project = cast.project()
    old, *_ = [cast.video(project, name=f"{name}.mp4") for name in ("North", "south", "east")]

    def chosen(query: str) -> tuple[list[str], list[str]]:
        html = page("Alice", f"/projects/{project.pk}/?{query}")
        assert html.count("Others are looked for by name") == 2
        return re.findall(r'data-video="(\w+)"', html), re.findall(r'<option value="(\w{16})"', html)

    listed, options = chosen("")
    assert len(listed) == 2 and len(options) == 4 and old.pk not in listed + options
    assert chosen("video=nORt%00") == ([old.pk], [old.pk, old.pk])
    html = page("Alice", f"/projects/{project.pk}/?video=nowhere")
    assert "No video’s name holds “nowhere”." in html and "Every video is launched" not in html


def test_what_waits_for_review_has_pages_and_is_found_by_project_or_video(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ITEMS", 1)
    first = disputed().task.project
    second = disputed(project=cast.project(name="Harbour")).task.project

    def listed(query: str) -> list[str]:
        return re.findall(r'data-name="Project">(\w+)', page("Rita", f"/review/?{query}"))

    assert sorted(listed("page=1") + listed("page=2")) == sorted([first.name, second.name])
    assert listed("of=hARB%00") == ["Harbour"] and len(listed("of=street")) == 1 and not listed("of=nowhere")
    assert "2 wait." in page("Rita", "/review/") and "holds “nowhere”" in page("Rita", "/review/?of=nowhere")


def test_of_many_workers_some_are_offered_and_a_part_of_a_name_finds_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "MOST", 1)
    project = stage.launched(reward_micros=1).project
    for name in ("Wanda", "Will"):
        earned(name, project=project)
    html = page("Mona", f"/projects/{project.pk}/ledger/")
    assert re.findall(r'<option value="(\w+)">', html) == ["Wanda"]
    html = page("Mona", f"/projects/{project.pk}/ledger/?of=iL%00")
    assert '<a href="?of=Will">Will</a>' in html
    assert "Whose names hold" not in page("Mona", f"/projects/{project.pk}/ledger/?of=Will")
