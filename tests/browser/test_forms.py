"""Forms, dialogs and lists of the pages: Enter, a second click, a field that is emptied, a narrow window."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import make_task, until
from tests.browser.fake import FakeServer

PROJECT = SimpleNamespace(pk="p1", name="Town square", instructions="Draw every person.")
PROGRESS = {
    "submissions": 0,
    "tasks": dict.fromkeys(("opening", "open", "filled", "in_review", "done", "quarantined"), 0),
    "segments": {"accepted": 0, "total": 0},
    "agreement": {"mean": None},
    "benchmark_score": {"mean": None, "n": 0},
    "work_s": {"median": None},
    "redundancy": {"mean": None, "saved": 0, "why": {}, "withheld": {}},
    "cost_micros": {"spent": 0, "expected": None},
    "eta_at": {"expected": None},
    "alarms": [],
}
POLICY = {"reward_micros": 200_000, "budget_micros": 10_000_000, "currency": "EUR"}
BATCH = {"id": "b1", "status": "open", "policy": POLICY, "segments": {"total": 4, "accepted": 1}, "created_at": None}
UNKNOWN = dict.fromkeys(("benchmark_score", "agreement", "work_s_median", "skill", "qualification"))
WORKER = {"user": "wanda", "state": "active", "flags": [], **UNKNOWN}


@pytest.fixture
def pages(films: dict, settings: object) -> Iterator[FakeServer]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    money = {"project": PROJECT, "request": SimpleNamespace(get_full_path="/payouts/"), "currency": "EUR"}
    task.pages["/payouts/"] = ("projects/payouts.html", money)
    whole = money | {"able": ["run"], "policy": {**POLICY, "budget_micros": None}, "batches": [BATCH]}
    whole |= {"held_micros": 7_200_000, "request": SimpleNamespace(get_full_path="/project/p1/")}
    task.pages["/project/p1/"] = ("projects/project.html", whole)
    people = {"project": PROJECT, "able": ["people"], "policy": {"currency": "EUR"}, "progress": PROGRESS}
    task.pages["/live/"] = ("projects/live.html", people | {"workers": [WORKER]})
    server = FakeServer(task)
    yield server
    server.close()


def twice(page: Page, pages: FakeServer, button: str) -> None:
    """Press a button, and once more before the next page has come."""
    get = pages.server.RequestHandlerClass.do_GET

    def slowly(self: object) -> None:
        time.sleep(0.5)
        get(self)

    pages.server.RequestHandlerClass.do_GET = slowly
    page.locator(button).evaluate("(button) => { button.click(); setTimeout(() => button.click(), 250); }")
    page.wait_for_timeout(400)
    until(page, "document.readyState === 'complete'")


def test_a_bonus_is_given_once_however_often_the_button_is_pressed(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/payouts/")
    page.fill("[name=user]", "wanda")
    page.fill("[name=amount_micros]", "1.1")
    page.fill("[data-send$='/bonuses/'] [name=reason]", "thank you")
    twice(page, pages, "[data-send$='/bonuses/'] button")
    until(page, "document.querySelector('[name=user]').value === ''")
    ((_, path, body),) = pages.task.sent
    assert path == "/api/v1/projects/p1/bonuses/"
    assert body == {"user": "wanda", "amount_micros": 1_100_000, "reason": "thank you"}


def test_a_launch_says_what_a_submission_is_paid_and_what_all_may_cost(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/project/p1/")
    page.click("text=Policy of this launch")
    assert page.input_value("[name=reward_micros]") == "0.2"
    page.fill("[name=reward_micros]", "0.07")
    launch = "form[data-send$='/launch/'] button"
    page.click(launch)
    until(page, f"!document.querySelector({launch!r}).disabled")
    page.fill("[name=budget_micros]", "120.5")
    page.click(launch)
    until(page, f"!document.querySelector({launch!r}).disabled")
    said = [body["policy"] for _, path, body in pages.task.sent if path == "/api/v1/projects/p1/launch/"]
    assert [(p["reward_micros"], p["budget_micros"]) for p in said] == [(70_000, None), (70_000, 120_500_000)]


def test_a_running_batchs_budget_is_changed_and_taken_away(page: Page, pages: FakeServer) -> None:
    for given, sent in (("12.5", 12_500_000), ("", None)):
        page.goto(f"{pages.url}/project/p1/")
        assert "a budget of 10.00 EUR, of which the project's seats hold 7.20 EUR" in page.inner_text(".batch")
        page.click("text=Change the budget")
        page.fill(".batch [name=budget_micros]", given)
        with page.expect_navigation():
            page.click("text=Change it")
        assert pages.task.sent[-1][1:] == ("/api/v1/batches/b1/budget/", {"budget_micros": sent})


def test_a_project_is_made_once_however_often_the_button_is_pressed(page: Page, pages: FakeServer) -> None:
    pages.task.pages["/new/"] = ("projects/new.html", {})
    page.goto(f"{pages.url}/new/")
    page.fill("[name=name]", "Town square")
    page.fill("[name=label]", "person")
    twice(page, pages, "main button.main")
    until(page, "location.pathname.startsWith('/projects/')")
    assert [path for _, path, _ in pages.task.sent] == ["/api/v1/projects/"]


def test_a_label_is_made_for_boxes_or_for_events(page: Page, pages: FakeServer) -> None:
    pages.task.pages["/new/"] = ("projects/new.html", {})
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{pages.url}/new/")
    page.fill("[name=name]", "Town square")
    page.fill("[name=label]", "person")
    page.click("[data-add]")
    page.fill("[name=label] >> nth=1", "crossing")
    page.select_option("[name=shape] >> nth=1", label="Events")
    room = page.locator("fieldset").evaluate("(field) => [field.scrollWidth, field.clientWidth]")
    assert room[0] <= room[1]
    page.click("main button.main")
    until(page, "location.pathname.startsWith('/projects/')")
    ((_, _, sent),) = pages.task.sent
    made = [(label["name"], label["shape"]) for label in sent["labels"]]
    assert made == [("person", "box"), ("crossing", "interval")]


def test_labels_are_changed_and_what_is_not_touched_stays_as_it_was(page: Page, pages: FakeServer) -> None:
    person = {"name": "person", "shape": "box", "attributes": [
        {"name": "sex", "kind": "select", "values": ["f", "m"], "mutable": False, "default": "f"},
        {"name": "speed", "kind": "number", "mutable": True},
    ]}  # fmt: skip
    crossing = {"name": "crossing", "shape": "interval", "color": "#123456", "attributes": []}
    template, context = pages.task.pages["/project/p1/"]
    pages.task.pages["/project/p1/"] = (template, context | {"labels": [person, crossing]})
    page.goto(f"{pages.url}/project/p1/")
    page.click("text=Change the labels")
    form = page.locator("[data-relabel]")
    assert form.locator("[name=attributes] >> nth=0").input_value() == "sex: f, m\nspeed*: number"
    form.locator("[name=attributes] >> nth=0").fill("sex: f, m\npose*: standing, walking")
    form.locator("[data-add]").click()
    form.locator("[name=label] >> nth=2").fill("bicycle")
    form.locator("[name=color] >> nth=2").fill("#abcdef")
    form.locator("[data-drop] >> nth=1").click()
    with page.expect_navigation():
        form.locator("button[type=submit]").click()
    ((method, path, body),) = pages.task.sent
    assert (method, path) == ("PATCH", "/api/v1/projects/p1/")
    pose = {"name": "pose", "kind": "select", "values": ["standing", "walking"], "mutable": True}
    assert body["labels"] == [
        {**person, "attributes": [person["attributes"][0], pose]},
        {"name": "bicycle", "shape": "box", "color": "#abcdef", "attributes": []},
    ]


def test_a_reason_and_enter_do_what_was_asked(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/live/")
    page.click("[data-move=pause]")
    page.click("dialog[open] .quiet")
    assert page.locator("dialog[open]").count() == 0
    page.click("[data-move=pause]")
    page.keyboard.type("too hasty")
    page.keyboard.press("Enter")
    until(page, "!document.querySelector('dialog[open]')")
    page.wait_for_timeout(300)
    assert pages.task.last("pause") == {"reason": "too hasty"}


def test_instructions_can_be_taken_back(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/project/p1/")
    page.click("text=Change the instructions")
    page.fill("[name=instructions]", "")
    page.click("text=Save")
    until(page, "document.querySelector('[name=instructions]').value !== ''")
    assert pages.task.sent[-1] == ("PATCH", "/api/v1/projects/p1/", {"name": "Town square", "instructions": ""})


def test_the_chosen_video_stays_when_another_one_comes(page: Page, pages: FakeServer) -> None:
    more = {"status": "ready", "frame_count": 100, "duration_s": 4.0, "warnings": []}
    videos = [{"pk": name, "name": name, **more} for name in ("second", "first")]
    template, context = pages.task.pages["/project/p1/"]
    pages.task.pages["/project/p1/"] = (template, context | {"videos": videos})
    page.goto(f"{pages.url}/project/p1/")
    page.fill("[name=start]", "3")  # for the first of the list, as it stands there
    videos.insert(0, {"pk": "third", "name": "third", **more})
    look = "async () => (await import('/static/pages/refresh.js')).refresh()"
    page.evaluate(look)
    assert page.locator("[data-gold] [name=video] option").count() == 3
    assert page.input_value("[data-gold] [name=video]") == "second"


def test_an_answer_that_is_being_written_is_not_replaced(page: Page, pages: FakeServer) -> None:
    template, context = pages.task.pages["/payouts/"]
    seat = SimpleNamespace(status="rejected", reason="")
    disputes = [SimpleNamespace(pk=name, worker=name, assignment=seat, reason="why") for name in ("wanda", "will")]
    pages.task.pages["/payouts/"] = (template, context | {"disputes": disputes})
    page.goto(f"{pages.url}/payouts/")
    page.fill("[data-send='/disputes/will/decline/'] [name=reason]", "it is late")
    page.focus("[name=amount_micros]")
    del disputes[0]
    page.evaluate("async () => (await import('/static/pages/refresh.js')).refresh()")
    assert page.input_value("[data-send='/disputes/will/decline/'] [name=reason]") == "it is late"


def test_what_is_known_of_a_worker_is_in_sight_on_a_phone(page: Page, pages: FakeServer) -> None:
    flags = [{"code": code} for code in ("never_moves", "no_better_than_chance", "too_fast")]
    template, shown = pages.task.pages["/live/"]
    pages.task.pages["/live/"] = (template, shown | {"workers": [WORKER | {"flags": flags}]})
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(pages.url + "/live/")
    wide, seen = (page.locator(".scroll").evaluate(f"(list) => list.{name}") for name in ("scrollWidth", "clientWidth"))
    assert wide == seen


def test_who_was_logged_out_is_shown_the_way_in_and_what_was_filled_in_stays(page: Page, pages: FakeServer) -> None:
    pages.task.trouble = [("bonuses", 401, {"title": "Unauthorized", "detail": "You are not logged in, or no longer."})]
    page.goto(f"{pages.url}/payouts/")
    page.fill("[name=user]", "wanda")
    page.fill("[name=amount_micros]", "1000000")
    page.fill("[data-send$='/bonuses/'] [name=reason]", "thank you")
    page.click("[data-send$='/bonuses/'] button")
    until(page, "document.querySelector('[data-wrong] a')")
    link = page.locator("[data-wrong] a")
    assert (link.get_attribute("href"), link.get_attribute("target")) == ("/login/", "_blank")
    assert page.input_value("[name=user]") == "wanda"


@pytest.mark.parametrize("width", [390, 1280])
def test_a_name_as_long_as_one_may_have_pushes_nothing_out_of_sight(page: Page, pages: FakeServer, width: int) -> None:
    user = SimpleNamespace(is_authenticated=True, get_username=lambda: "x" * 150)
    template, shown = pages.task.pages["/live/"]
    pages.task.pages["/live/"] = (template, shown | {"user": user, "workers": [WORKER | {"user": "x" * 150}]})
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(pages.url + "/live/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".scroll").evaluate("(list) => list.scrollWidth === list.clientWidth")
    assert page.get_by_role("button", name=f"Pause {'x' * 150}").is_visible()


def test_a_link_that_went_to_the_wrong_person_is_withdrawn_and_a_member_removed(page: Page, pages: FakeServer) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    invites = [SimpleNamespace(pk="i1", role="manager", created_at=moment, expires_at=moment)]
    members = [SimpleNamespace(user=SimpleNamespace(username="eve"), user_id="u1", role="client")]
    template, shown = pages.task.pages["/live/"]
    pages.task.pages["/live/"] = (template, shown | {"invites": invites, "members": members})
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(pages.url + "/live/")
    for name, path in (("Withdraw the link for a manager", "invites/i1"), ("Remove eve", "members/u1")):
        page.get_by_role("button", name=name).click()
        until(page, "!document.querySelector('button:disabled')")
        assert pages.task.sent[-1][:2] == ("DELETE", f"/api/v1/projects/p1/{path}/")
