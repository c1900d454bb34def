"""Every page for everybody: whoever may not see it is told that it does not exist."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.test import Client

from annotation import defining, recording
from annotation.models import TrackSet
from crowd.models import Assignment
from review import pages
from review.models import Export, Join, Release
from review.stitching import stitch_video
from tests import cast
from tests.crowd.stage import launched, tracks
from tests.review.stage import by_all, disputed

pytestmark = pytest.mark.django_db


def browser(name: str | None) -> Client:
    made = Client()
    if name:
        made.force_login(cast.user(name))
    return made


def status(name: str | None, path: str) -> int:
    return browser(name).get(path).status_code


class Markup(HTMLParser):
    """Collects what a strict content policy forbids, and fields without a name for a screen reader."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forbidden: list[str] = []
        self.unnamed: list[str] = []
        self.labels = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.labels += tag == "label"
        inline = tag == "style" or (tag == "script" and "src" not in given and given.get("type") != "application/json")
        if inline or any(name == "style" or name.startswith("on") for name in given):
            self.forbidden.append(f"{tag} {given}")
        named = self.labels or "aria-label" in given or given.get("type") == "hidden"
        if tag in ("input", "select", "textarea") and not named:
            self.unnamed.append(f"{tag} {given}")

    def handle_endtag(self, tag: str) -> None:
        self.labels -= tag == "label"


@pytest.mark.parametrize(
    ("name", "home"),
    [("Alice", "/projects/"), ("Mona", "/projects/"), ("Ada", "/projects/"), ("Rita", "/review/"), ("Wanda", "/work/")],
)
def test_everybody_is_led_to_their_own_work(name: str, home: str) -> None:
    answer = browser(name).get("/")
    assert (answer.status_code, answer["Location"]) == (302, home)


@pytest.mark.parametrize(
    "path", ["/", "/work/", "/projects/", "/projects/new/", "/review/", "/review/joins/", "/work/x/"]
)
def test_who_is_not_logged_in_is_asked_to(path: str) -> None:
    answer = browser(None).get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")


def test_a_login_with_a_wrong_password_says_so_and_a_right_one_goes_on() -> None:
    user = cast.user("Wanda")
    user.set_password("a good long word 42")
    user.save()
    client = Client()
    wrong = client.post("/login/", {"username": "Wanda", "password": "guess"})
    assert "do not match" in wrong.content.decode()
    right = client.post("/login/", {"username": "Wanda", "password": "a good long word 42", "next": "/work/"})
    assert (right.status_code, right["Location"]) == (302, "/work/")
    assert client.get("/logout/").status_code == 405  # a link cannot log anybody out
    assert client.post("/logout/")["Location"] == "/login/"


def test_whoever_changes_their_password_stays_and_is_logged_out_elsewhere() -> None:
    user = cast.user("Wanda")
    user.set_password("a good long word 42")
    user.save()
    here, elsewhere = browser("Wanda"), browser("Wanda")
    assert "Change your password" in here.get("/work/").content.decode()
    said = {"old_password": "a good long word 42", "new_password1": "12345", "new_password2": "12345"}
    assert "too short" in here.post("/password/", said).content.decode()
    said |= dict.fromkeys(("new_password1", "new_password2"), "a better long word 43")
    assert "incorrectly" in here.post("/password/", said | {"old_password": "guess"}).content.decode()
    html = here.post("/password/", said, follow=True).content.decode()
    assert "Your password is changed" in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
    assert (here.get("/work/").status_code, elsewhere.get("/work/").status_code) == (200, 302)
    assert status(None, "/password/") == 302


def test_a_project_is_there_for_those_who_may_read_it() -> None:
    project = cast.project()
    for path in (f"/projects/{project.pk}/", f"/projects/{project.pk}/live/"):
        seen = {name: status(name, path) for name in ("Alice", "Mona", "Rita", "Ada", "Eve", "Max", "Wanda")}
        assert seen == {"Alice": 200, "Mona": 200, "Rita": 200, "Ada": 200, "Eve": 404, "Max": 404, "Wanda": 404}


def test_only_who_runs_a_project_gets_the_forms_for_it() -> None:
    path = f"/projects/{cast.project().pk}/"
    forms = {name: "data-upload" in browser(name).get(path).content.decode() for name in ("Alice", "Mona", "Rita")}
    assert forms == {"Alice": True, "Mona": True, "Rita": False}
    assert {name: status(name, "/projects/new/") for name in ("Alice", "Mona", "Rita", "Wanda")} == {
        "Alice": 200,
        "Mona": 200,
        "Rita": 404,
        "Wanda": 404,
    }


def test_workers_names_are_for_those_who_manage_people() -> None:
    batch = disputed().batch
    path = f"/projects/{batch.project_id}/live/"
    named = {name: "Wanda" in browser(name).get(path).content.decode() for name in ("Alice", "Mona", "Rita")}
    assert named == {"Alice": False, "Mona": True, "Rita": False}


def test_a_worker_sees_their_own_seat_and_nobody_elses() -> None:
    batch = launched(frames=20)
    seat = cast.client("Wanda").post("/api/v1/assignments/claim/", {"project": batch.project_id}).json()["id"]
    seen = {name: status(name, f"/work/{seat}/") for name in ("Wanda", "Will", "Alice", "Mona")}
    assert seen == {"Wanda": 200, "Will": 404, "Alice": 404, "Mona": 404}
    assert f'href="/work/{seat}/"' in browser("Wanda").get("/work/").content.decode()
    assert f'href="/work/{seat}/"' not in browser("Will").get("/work/").content.decode()


@pytest.mark.parametrize("path", ["/work/%00/", "/projects/%00/", "/projects/a%00b/payouts/", "/review/%00/"])
def test_an_address_that_no_id_can_have_leads_nowhere(path: str) -> None:
    assert [status(name, path) for name in ("Wanda", "Mona")] == [404, 404]


def test_the_queue_lists_what_waits_for_this_reviewer() -> None:
    consensus = disputed()
    link = f'href="/review/{consensus.pk}/"'
    listed = {n: link in browser(n).get("/review/").content.decode() for n in ("Rita", "Mona", "Ada", "Max", "Alice")}
    assert listed == {"Rita": True, "Mona": True, "Ada": True, "Max": False, "Alice": False}
    seen = {name: status(name, f"/review/{consensus.pk}/") for name in ("Rita", "Mona", "Alice", "Max", "Wanda")}
    assert seen == {"Rita": 200, "Mona": 200, "Alice": 200, "Max": 404, "Wanda": 404}
    deciding = {
        n: "data-accept" in browser(n).get(f"/review/{consensus.pk}/").content.decode() for n in ("Rita", "Alice")
    }
    assert deciding == {"Rita": True, "Alice": False}


def test_a_reviewer_draws_with_the_labels_that_the_segment_was_drawn_with() -> None:
    consensus = disputed()
    before = consensus.batch.ontology.labels
    defining.change_ontology(project=consensus.batch.project, labels=[{"name": "bus"}])
    answer = browser("Rita").get(f"/review/{consensus.pk}/")
    assert f'<script id="labels" type="application/json">{json.dumps(before)}</script>' in answer.content.decode()


def test_a_doubtful_join_is_shown_before_between_and_after_with_boxes() -> None:
    batch = launched(frames=38)
    by_all(batch, Wanda=tracks, Will=tracks)
    stitched = stitch_video(video_id=batch.batch_videos.get().video_id)
    (left, first), (right, second) = stitched.inputs
    ids = [recording.load(TrackSet.objects.get(pk=t)).tracks[0].id for t in (first, second)]
    ends = {"left_segment_id": left, "right_segment_id": right, "left_track": ids[0], "right_track": ids[1]}
    join = Join.objects.create(video_id=stitched.video_id, kind="border", confidence=0.5, **ends)
    html = browser("Rita").get("/review/joins/").content.decode()
    assert f'data-post="/joins/{join.pk}/same/"' in html
    assert len(re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="[1-9]', html)) == 4
    assert re.findall("<figcaption>(Before|Both|After), frame", html) == ["Before", "Both", "After"]
    assert str(join.pk) not in browser("Alice").get("/review/joins/").content.decode()


def test_no_page_has_inline_scripts_or_styles_or_fields_without_a_name() -> None:
    consensus = disputed()
    project = consensus.batch.project_id
    seat = Assignment.objects.filter(worker=cast.user("Wanda")).first()
    pages = {
        "Mona": ["/projects/", "/projects/new/", f"/projects/{project}/", f"/projects/{project}/live/", "/nowhere/"],
        "Rita": ["/review/", "/review/joins/", f"/review/{consensus.pk}/", "/invites/secret/"],
        "Wanda": ["/work/", f"/work/{seat.pk}/"],
        None: ["/login/"],
    }
    for name, paths in pages.items():
        for path in paths:
            answer = browser(name).get(path)
            found = Markup(answer.content.decode())
            assert (path, found.forbidden, found.unnamed) == (path, [], [])
            assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_what_people_write_is_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    project = cast.project(name=evil)
    project.instructions = evil
    project.save()
    for name, path in (
        ("Mona", "/projects/"),
        ("Mona", f"/projects/{project.pk}/"),
        ("Mona", f"/projects/{project.pk}/live/"),
    ):
        assert evil not in browser(name).get(path).content.decode()


def test_registration_is_there_only_where_the_site_is_open_for_it() -> None:
    assert status(None, "/register/") == 404


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_a_page_for_what_went_wrong_needs_nothing_to_be_shown(name: str) -> None:
    html = render_to_string(f"{name}.html")
    assert "To the start" in html
    assert Markup(html).forbidden == []


def test_the_newest_exports_are_shown_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "EXPORTS", 2)
    project = cast.project()
    release = Release.objects.create(project=project, number=1, decided={}, decided_sha256="x")
    made = [Export.objects.create(release=release, format=name) for name in ("csv", "mot", "voc", "coco")]
    for export, second in zip(made, (3, 0, 2, 1), strict=True):
        Export.objects.filter(pk=export.pk).update(created_at=f"2026-01-01T00:00:0{second}Z")
    shown = browser("Alice").get(f"/projects/{project.pk}/").context["exports"]
    assert [export.format for export in shown] == ["csv", "voc"]
    shown = browser("Alice").get(f"/projects/{project.pk}/?exports=2").context["exports"]
    assert [export.format for export in shown] == ["coco", "mot"]


@pytest.mark.parametrize("kind", ["policy", "webhooks"])
def test_only_who_runs_a_project_finds_a_page_about_running_it_and_the_way_to_it(kind: str) -> None:
    path = f"/projects/{cast.project().pk}/"
    people = ("Alice", "Mona", "Ada", "Rita", "Eve", "Max", "Wanda", None)
    seen = {name: status(name, f"{path}{kind}/") for name in people}
    assert seen == dict.fromkeys(people, 404) | dict.fromkeys(("Alice", "Mona", "Ada"), 200) | {None: 302}
    links = {name: f"{path}{kind}/" in browser(name).get(path).content.decode() for name in ("Alice", "Rita")}
    assert links == {"Alice": True, "Rita": False}
