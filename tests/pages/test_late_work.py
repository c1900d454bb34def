"""What a worker drew and did not submit in time: found again on their page, and submitted late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from crowd.models import Assignment
from tests import cast
from tests.crowd import stage
from tests.pages.test_pages import Markup, browser

pytestmark = pytest.mark.django_db


def lapsed(*, drawn: bool = True) -> dict[str, Any]:
    """Wanda's seat after its lease, with or without what she drew till then."""
    wanda = cast.client("Wanda")
    seat = stage.claim(wanda, stage.launched(frames=20).project)
    if drawn:
        body = {"token": seat["token"], "tracks": stage.tracks(0, 20), "page": "a", "version": 0}
        assert wanda.put(f"{stage.API}/assignments/{seat['id']}/draft/", body).status_code == 200
    stage.lapse(seat)
    assert wanda.post(f"{stage.API}/assignments/{seat['id']}/renew/", {"token": seat["token"]}).status_code == 410
    return seat


def home() -> str:
    return browser("Wanda").get("/work/").content.decode()


def test_what_was_drawn_and_not_submitted_in_time_is_found_again_until_a_manager_takes_it_in() -> None:
    seat = lapsed()
    html = home()
    assert f'href="/work/{seat["id"]}/"' in html and "it can be submitted late" in html
    assert Markup(html).forbidden == []
    assert stage.submit(cast.client("Wanda"), seat).status_code == 410
    assert "submitted late: a manager looks at it" in home()
    assert "Not submitted in time" not in browser("Will").get("/work/").content.decode()
    path = f"{stage.API}/submissions/{seat['id']}/salvage/"
    assert cast.client("Mona").post(path, {"reason": "a power cut"}).status_code == 200
    assert "Not submitted in time" not in home()


def test_where_nothing_was_drawn_or_long_ago_there_is_nothing_to_hand_in() -> None:
    lapsed(drawn=False)
    assert "Not submitted in time" not in home()
    old = lapsed()
    Assignment.objects.filter(pk=old["id"]).update(ended_at=Now() - timedelta(days=8))
    assert "Not submitted in time" not in home()


def test_a_page_that_comes_back_after_the_end_is_told_of_its_draft_and_that_a_draft_alone_is_no_submission() -> None:
    seat = lapsed()
    wanda = cast.client("Wanda")
    draft = wanda.get(f"{stage.API}/assignments/{seat['id']}/").json()["draft"]
    assert (draft["version"], draft["page"]) == (1, "a")
    body = {"token": seat["token"], "tracks": []}
    answer = wanda.put(f"{stage.API}/assignments/{seat['id']}/draft/", body)
    assert answer.status_code == 410 and answer.json()["detail"].endswith("a manager sees it once it is submitted.")
