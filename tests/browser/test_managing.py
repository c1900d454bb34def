"""What managers and clients do on their pages: what is sent, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, Route

from crowd.core.policies import Policy
from tests.browser.conftest import make_task, until
from tests.browser.fake import FakeServer

PROJECT = SimpleNamespace(pk="p1", name="Town square")
POLICY = Policy(lease_s=5400, reward_micros=200_000, budget_micros=10_000_000, max_tasks_per_day=40, languages=("en",))
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def ledger() -> dict:
    """Work and a bonus that were paid, and a bonus that was taken back."""
    segment = SimpleNamespace(start=0, stop=300, video=SimpleNamespace(name="street.mp4"))
    seat = SimpleNamespace(pk="s1", consensus="c1", task=SimpleNamespace(segment=segment))
    paid = {"user": "wanda", "currency": "EUR", "amount_micros": 900_000, "state": "paid", "at": MOMENT, "reason": ""}
    rows = [("e1", seat, False), ("e2", None, False), ("e3", None, True)]
    entries = [paid | {"id": e, "row": SimpleNamespace(assignment=s, taken_back=gone)} for e, s, gone in rows]
    balance = {"currency": "EUR", "earned_micros": 0, "paid_micros": 900_000, "due_micros": -900_000}
    request = SimpleNamespace(get_full_path="/ledger/?of=wanda")
    return {"project": PROJECT, "entries": entries, "of": "wanda", "balances": [balance], "request": request}


@pytest.fixture
def pages(films: dict, settings: object) -> Iterator[FakeServer]:
    settings.ROOT_URLCONF = "tests.browser.page_urls"
    task = make_task(films["even"])
    token = SimpleNamespace(pk="k1", name="laptop", created_at=MOMENT)
    task.pages["/tokens/"] = ("registration/tokens.html", {"tokens": [token]})
    task.pages["/policy/"] = ("projects/policy.html", {"project": PROJECT, "policy": POLICY, "qualities": ["default"]})
    video = {"pk": "v1", "name": "street.mp4", "status": "ready", "frame_count": 100}
    brought = {"name": "gt.txt", "format": "mot", "kind": "tracks", "tracks": 2, "keyframes": 9, "created_at": MOMENT}
    rows = [{"pk": "i1", "video": video, "batch": {"status": "done"}, **brought}]
    rows.append({"pk": "i2", "video": video, "batch": {"status": "cancelled"}, **brought})
    whole = {"project": PROJECT, "able": ["run"], "policy": POLICY, "videos": [video], "imports": rows}
    task.pages["/whole/"] = ("projects/project.html", whole | {"readable": ["coco", "mot"]})
    hook = {"pk": "h1", "url": "https://a.example/told", "events": ["batch.done"], "enabled": True}
    sent = {"pk": "d1", "event": "ping", "status": "failed", "attempts": [{"status": 500}], "created_at": MOMENT}
    told = {
        "project": PROJECT,
        "hooks": [hook],
        "events": ["batch.done", "export.ready", "video.ready"],
        "chosen": hook,
    }
    told |= {"deliveries": [sent], "request": SimpleNamespace(get_full_path="/webhooks/")}
    task.pages["/webhooks/"] = ("projects/webhooks.html", told)
    task.pages["/ledger/"] = ("projects/ledger.html", ledger())
    server = FakeServer(task)
    yield server
    server.close()


def test_a_new_token_is_shown_this_once_and_can_be_copied(page: Page, pages: FakeServer) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pages.task.trouble = [("tokens", 201, {"id": "k2", "key": "abc123"})]
    page.goto(f"{pages.url}/tokens/")
    page.fill("[name=name]", "cluster")
    with page.expect_request("**/api/v1/tokens/") as asked:
        page.keyboard.press("Enter")
    assert asked.value.post_data_json == {"name": "cluster"}
    until(page, "!document.querySelector('[data-told]').hidden")
    assert page.get_by_label("The new token").input_value() == "abc123"
    assert "shown this once" in page.inner_text("[data-told]")
    page.get_by_role("button", name="Copy").click()
    until(page, "document.querySelector('[data-copied]').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == "abc123"
    page.reload()
    assert "abc123" not in page.content() and page.get_by_label("The new token").input_value() == ""


def test_a_token_that_could_not_be_made_leaves_no_older_one_in_sight(page: Page, pages: FakeServer) -> None:
    wrong = {"title": "Invalid", "errors": [{"pointer": "/name", "message": "is too long"}]}
    pages.task.trouble = [("tokens", 201, {"id": "k2", "key": "abc123"}), ("tokens", 400, wrong)]
    page.goto(f"{pages.url}/tokens/")
    for name in ("cluster", "another"):
        page.fill("[name=name]", name)
        page.click("text=Make it")
        until(page, "!document.querySelector('button:disabled')")
    assert page.get_by_label("Name, to know it by").get_attribute("aria-invalid") == "true"
    assert not page.locator("[data-told]").is_visible()


def test_a_token_is_revoked_when_that_is_sure(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/tokens/")
    revoke = page.get_by_role("button", name="Revoke laptop")
    page.once("dialog", lambda dialog: dialog.dismiss())
    revoke.click()
    page.once("dialog", lambda dialog: dialog.accept())
    revoke.click()
    until(page, "!document.querySelector('button:disabled')")
    assert [(how, path) for how, path, _ in pages.task.sent] == [("DELETE", "/api/v1/tokens/k1/")]


def test_a_policy_goes_out_as_it_came_in_where_nothing_is_changed(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/policy/")
    assert page.get_by_label("Minutes for a task").input_value() == "90"
    page.click("text=Save the policy")
    until(page, "location.pathname === '/project/p1/'")
    ((how, path, sent),) = pages.task.sent
    assert (how, path) == ("PATCH", "/api/v1/projects/p1/")
    assert sent == {"policy": {k: v for k, v in POLICY.to_json().items() if k != "qualification"}}


def test_a_policy_is_told_in_minutes_money_and_lists(page: Page, pages: FakeServer) -> None:
    page.goto(f"{pages.url}/policy/")
    page.get_by_label("Minutes for a task").fill("20.5")
    page.get_by_label("Languages").fill("pt-BR, , en ")
    page.get_by_label("Reward per submission").fill("0.07")
    for emptied in ("Budget of a launch", "Most tasks of one worker a day"):
        page.get_by_label(emptied).fill("")
    page.get_by_label("Every worker of the site").uncheck()
    page.click("text=Save the policy")
    until(page, "location.pathname === '/project/p1/'")
    changed = {"lease_s": 1230, "languages": ["pt-BR", "en"], "reward_micros": 70_000, "open": False}
    changed |= {"budget_micros": None, "max_tasks_per_day": None}
    sent = pages.task.sent[-1][2]["policy"]
    assert {name: sent[name] for name in changed} == changed


def test_what_is_wrong_with_a_policy_is_said_at_the_field_until_it_is_right(page: Page, pages: FakeServer) -> None:
    errors = [
        {"pointer": "/policy/overlap_frames", "message": "is more than a third of a segment"},
        {"pointer": "/policy/qualification/gold", "message": "is gone"},
    ]
    pages.task.trouble = [("p1", 400, {"title": "Invalid", "errors": errors})]
    page.goto(f"{pages.url}/policy/")
    page.click("text=Save the policy")
    field = page.locator("[name=overlap_frames]")
    until(page, "document.querySelector('[name=overlap_frames]').ariaInvalid === 'true'")
    assert "is more than a third of a segment" in field.locator("xpath=..").inner_text()
    said = page.inner_text("[data-wrong]")
    assert "/policy/qualification/gold is gone" in said and "third" not in said
    page.click("text=Save the policy")
    until(page, "location.pathname === '/project/p1/'")
    assert len(pages.task.sent) == 1


@pytest.mark.parametrize(
    ("nth", "button", "path"),
    [(0, "Reject the work", "/submissions/s1/reject/"), (1, "Take the bonus back", "/ledger/e2/reverse/")],
)
def test_what_was_paid_is_taken_back_with_a_reason(
    page: Page, pages: FakeServer, nth: int, button: str, path: str
) -> None:
    page.goto(f"{pages.url}/ledger/?of=wanda")
    assert page.locator("summary").count() == 2
    page.locator("summary").nth(nth).click()
    page.get_by_role("button", name=button).click()
    assert pages.task.sent == []  # not without a reason
    page.get_by_label("Why it is taken back from wanda").nth(nth).fill("a copy")
    page.get_by_role("button", name=button).click()
    until(page, "!document.querySelector('details[open]')")
    assert pages.task.sent == [("POST", f"/api/v1{path}", {"reason": "a copy"})]


def bring(page: Page, pages: FakeServer, status: int, body: dict, lines: str) -> str:
    """Send a file as finished tracks, get an answer, and return the form as it was sent."""
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append((route.request.post_data_buffer or b"").decode())
        route.fulfill(status=status, json=body)

    page.route("**/api/v1/projects/p1/imports/", answer)
    page.goto(f"{pages.url}/whole/")
    form = page.locator("[data-import]")
    form.get_by_label("Taken as").select_option(label="finished tracks")
    form.get_by_label("Format").select_option("mot")
    form.get_by_label("File", exact=True).set_input_files(
        {"name": "gt.txt", "mimeType": "text/plain", "buffer": lines.encode()}
    )
    form.get_by_role("button", name="Bring the file").click()
    until(page, "!document.querySelector('button:disabled')")
    return sent[0]


def test_a_file_is_brought_as_what_it_is_said_to_be_and_only_once(page: Page, pages: FakeServer) -> None:
    made = {"name": "gt.txt", "tracks": 2, "keyframes": 9}
    sent = bring(page, pages, 201, made, "1,7,10,20,30,40,1,1,1")
    told = dict(re.findall(r'name="(\w+)"(?:; filename=.*?)?\r\n(?:Content-Type.*?\r\n)?\r\n(.*?)\r\n', sent))
    assert told == {"video": "v1", "as": "tracks", "format": "mot", "file": "1,7,10,20,30,40,1,1,1"}
    assert page.inner_text("[data-read]") == "gt.txt: 2 tracks with 9 keyframes were read."
    assert page.locator("[data-import] [name=file]").input_value() == ""
    assert not page.locator("[data-import] progress").is_visible()


def test_what_is_wrong_in_a_file_is_said_line_by_line_at_the_file(page: Page, pages: FakeServer) -> None:
    errors = [{"pointer": "/file", "message": f"line {n}: 'x' is no number"} for n in range(1, 31)]
    bring(page, pages, 400, {"title": "Invalid", "errors": errors}, "x")
    said = page.locator("[data-import] label", has=page.locator("[name=file]")).locator(".wrong").all_inner_texts()
    assert said[:2] == ["line 1: 'x' is no number", "line 2: 'x' is no number"] and len(said) == 20
    assert "20 of 30" in page.inner_text("[data-import] [data-wrong]")
    assert not page.locator("[data-read]").is_visible()


def test_finished_tracks_are_taken_back_once_that_is_sure(page: Page, pages: FakeServer) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{pages.url}/whole/")
    page.get_by_role("button", name="Take back the tracks of street.mp4 from gt.txt").click()
    until(page, "!document.querySelector('button:disabled')")
    assert pages.task.sent == [("POST", "/api/v1/imports/i1/undo/", {})]
    assert page.locator("[data-imported=i2]").inner_text().endswith("taken back")


def test_an_address_is_told_of_what_is_ticked_and_its_secret_is_shown(page: Page, pages: FakeServer) -> None:
    pages.task.trouble = [("webhooks", 201, {"id": "h2", "secret": "whsec_x"})]
    page.goto(f"{pages.url}/webhooks/")
    page.get_by_label("Address").fill("https://b.example/told")
    page.get_by_label("export.ready").uncheck()
    with page.expect_request("**/api/v1/projects/p1/webhooks/") as asked:
        page.get_by_role("button", name="Add it").click()
    assert asked.value.post_data_json == {"url": "https://b.example/told", "events": ["batch.done", "video.ready"]}
    until(page, "!document.querySelector('[data-told]').hidden")
    assert page.get_by_label("The secret", exact=True).input_value() == "whsec_x"


def test_an_address_is_pinged_switched_off_removed_and_told_again(page: Page, pages: FakeServer) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{pages.url}/webhooks/")
    assert "1 attempt, the last answered 500" in page.inner_text("[data-delivery=d1]")
    for name in ("Ping https://a.example/told", "Send ping of", "Remove https://a.example/told"):
        page.get_by_role("button", name=name).click()
        until(page, "!document.querySelector('button:disabled')")
    page.locator("[data-webhook=h1] [name=enabled]").uncheck()
    with page.expect_navigation():
        page.get_by_role("button", name="Switch https://a.example/told as ticked").click()
    assert pages.task.sent == [
        ("POST", "/api/v1/webhooks/h1/ping/", {}),
        ("POST", "/api/v1/webhooks/h1/deliveries/d1/replay/", {}),
        ("DELETE", "/api/v1/webhooks/h1/", None),
        ("PATCH", "/api/v1/webhooks/h1/", {"enabled": False}),
    ]
