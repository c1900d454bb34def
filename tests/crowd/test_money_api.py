from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now

from crowd import paying
from crowd.lifecycle import Seat
from crowd.models import Assignment, Dispute, LedgerEntry
from tests import cast
from tests.crowd import stage
from tests.crowd.test_money import bonus, earned

pytestmark = pytest.mark.django_db
WHY = {"reason": "It is so."}


def post(who: str, path: str, body: dict[str, Any] | None = None, **how: Any) -> Any:
    return cast.client(who).post(f"{stage.API}{path}", {} if body is None else body, **how)


def get(who: str, path: str) -> Any:
    return cast.client(who).get(f"{stage.API}{path}")


def locked(project_id: str) -> str:
    payout = post("Mona", f"/projects/{project_id}/payouts/").json()["id"]
    assert post("Mona", f"/payouts/{payout}/lock/").status_code == 200
    return payout


def sent(project_id: str) -> str:
    payout = locked(project_id)
    assert post("Mona", f"/payouts/{payout}/send/").json()["status"] == "sending"
    cast.work_off()
    return payout


def orders(payout: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(get("Mona", f"/payouts/{payout}/file/").content.decode())))


def statement(payout: str, rows: list[dict[str, str]], **more: Any) -> Any:
    out = io.StringIO()
    written = csv.DictWriter(out, list(rows[0]))
    written.writeheader()
    written.writerows(rows)
    file = SimpleUploadedFile("statement.csv", out.getvalue().encode("utf-8-sig"))
    return post("Mona", f"/payouts/{payout}/statement/", {"file": file, **more}, format="multipart")


def test_a_payout_from_draft_to_paid() -> None:
    project = earned().project
    draft = post("Mona", f"/projects/{project.pk}/payouts/").json()
    assert (draft["status"], draft["totals"]) == ("draft", [])
    assert get("Mona", f"/payouts/{draft['id']}/file/").status_code == 409
    (due,) = get("Mona", f"/projects/{project.pk}/balances/").json()["results"]
    assert (due["user"], due["balances"][0]["due_micros"]) == ("Wanda", 1_500_000)
    payout = sent(project.pk)
    (order,) = orders(payout)
    assert (order["payee"], order["currency"], order["amount"]) == ("Wanda", "EUR", "1.50")
    assert get("Wanda", "/me/").json()["balances"][0]["under_way_micros"] == 1_500_000
    answer = statement(payout, [order | {"status": "paid"}])
    assert (answer.status_code, answer.json()["paid"], answer.json()["payout"]["status"]) == (200, 1, "paid")
    me = get("Wanda", "/me/").json()
    assert me["earned_micros"] == me["paid_micros"] == 1_500_000
    steps = get("Mona", f"/payouts/{payout}/").json()["steps"]
    assert [(s["to"], s["by"]) for s in steps] == [(to, "Mona") for to in ("draft", "locked", "sending", "paid")]
    (line,) = get("Mona", f"/payouts/{payout}/lines/?status=paid").json()["results"]
    assert line["reference"] == order["reference"]
    assert [p["id"] for p in get("Mona", f"/projects/{project.pk}/payouts/").json()["results"]] == [payout, draft["id"]]


def test_a_statement_says_which_lines_are_wrong_and_settles_none() -> None:
    payout = sent(earned().project.pk)
    (order,) = orders(payout)
    good = order | {"status": "paid"}
    wrong = [good, good, good | {"amount": "1,5"}, good | {"reference": "TWX"}, good | {"status": "maybe"}]
    answer = statement(payout, wrong)
    said = [error["message"] for error in answer.json()["errors"]]
    assert answer.status_code == 400 and len(said) == 3
    assert [s[:7] for s in said] == ["line 4:", "line 6:", "line 3:"] and "line 2 already" in said[2]
    assert "there is no 'TWX'" in statement(payout, [good | {"reference": "TWX"}]).json()["errors"][0]["message"]
    assert "1.50 EUR, not 2.00" in statement(payout, [good | {"amount": "2"}]).json()["errors"][0]["message"]
    assert get("Mona", f"/payouts/{payout}/").json()["status"] == "sending"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no column reference"),
        (b"\xff\xfe", "no UTF-8"),
        (b"reference,status\nA,paid\n", "no column currency, amount"),
        (b"reference;status;currency;amount\n", "no lines"),
        (b'reference,status,currency,amount\n"A', "no CSV"),
    ],
)
def test_what_is_no_statement_is_refused(data: bytes, said: str) -> None:
    payout = sent(earned().project.pk)
    file = SimpleUploadedFile("statement.csv", data or b"\n")
    answer = post("Mona", f"/payouts/{payout}/statement/", {"file": file}, format="multipart")
    assert answer.status_code == 400 and said in answer.json()["errors"][0]["message"]


def test_what_a_final_statement_leaves_out_is_unknown_until_the_next() -> None:
    project = earned().project
    earned("Will", project=project)
    payout = sent(project.pk)
    one, two = orders(payout)
    answer = statement(payout, [one | {"status": "paid"}], final="true").json()["payout"]
    assert (answer["status"], answer["lines"]["unknown"]) == ("unknown", 1)
    assert statement(payout, [two | {"status": "failed", "reason": "closed"}]).json()["payout"]["status"] == "paid"


def test_a_payee_who_is_a_formula_is_disarmed() -> None:
    worker = cast.user("@SUM")
    project = earned(worker.username).project
    assert orders(locked(project.pk))[0]["payee"] == "'@SUM"


def test_cancelling_says_why() -> None:
    payout = locked(earned().project.pk)
    assert post("Mona", f"/payouts/{payout}/cancel/").status_code == 400
    answer = post("Mona", f"/payouts/{payout}/cancel/", WHY).json()
    assert (answer["status"], answer["reason"], answer["lines"]["failed"]) == ("failed", "It is so.", 1)
    assert post("Mona", f"/payouts/{payout}/send/").status_code == 409


def test_what_was_cancelled_is_in_no_file_but_the_next_payouts() -> None:
    project = earned().project
    payout = locked(project.pk)
    assert len(orders(payout)) == 1
    assert post("Mona", f"/payouts/{payout}/cancel/", WHY).status_code == 200
    assert get("Mona", f"/payouts/{payout}/file/").status_code == 409
    assert len(orders(locked(project.pk))) == 1


def test_bonuses_are_given_listed_and_taken_back() -> None:
    project = earned().project
    path = f"/projects/{project.pk}/bonuses/"
    body = {"user": "Wanda", "amount_micros": 250_000} | WHY
    made = post("Mona", path, body)
    assert (made.status_code, made.json()["by"], made.json()["currency"]) == (201, "Mona", "EUR")
    assert post("Mona", path, body | {"amount_micros": 0}).status_code == 400
    assert post("Mona", path, body | {"user": "Will"}).status_code == 400
    assert [e["id"] for e in get("Mona", path).json()["results"]] == [made.json()["id"]]
    back = post("Mona", f"/ledger/{made.json()['id']}/reverse/", WHY)
    assert (back.status_code, back.json()["reverses"]) == (201, made.json()["id"])
    assert post("Mona", f"/ledger/{made.json()['id']}/reverse/", WHY).status_code == 409
    assert get("Mona", f"/ledger/{back.json()['id']}/").json()["amount_micros"] == -250_000
    kinds = [e["kind"] for e in get("Mona", f"/projects/{project.pk}/ledger/?user=Wanda").json()["results"]]
    assert sorted(kinds) == ["accrual", "bonus", "reversal"]


def test_a_worker_reads_every_entry_and_nobodys_name() -> None:
    seat = earned()
    bonus(seat.project, 5_000)
    payout = sent(seat.project_id)
    answer = get("Wanda", "/me/earnings/")
    entries = answer.json()["results"]
    assert sum(e["amount_micros"] for e in entries) == paying.earned_micros(cast.user("Wanda"))
    assert {e["state"] for e in entries if e["kind"] in ("accrual", "bonus")} == {"under_way"}
    statement(payout, [orders(payout)[0] | {"status": "paid"}])
    entries = get("Wanda", "/me/earnings/").json()["results"]
    assert {e["kind"]: e["words"] for e in entries}["payout"] == "Paid out"
    assert -sum(e["amount_micros"] for e in entries if e["kind"] == "payout") == paying.paid_micros(cast.user("Wanda"))
    assert "Mona" not in answer.content.decode()
    assert get("Will", "/me/earnings/").json()["results"] == []


def rejected() -> Assignment:
    seat = earned()
    paying.reject(seat=seat, by=cast.user("Mona"), reason="boxes are loose")
    return seat


def test_an_upheld_dispute_is_paid() -> None:
    seat = rejected()
    made = post("Wanda", f"/assignments/{seat.pk}/dispute/", {"reason": "they are not"})
    assert (made.status_code, made.json()["status"]) == (201, "open")
    assert post("Wanda", f"/assignments/{seat.pk}/dispute/", WHY).status_code == 409
    (open_one,) = get("Mona", f"/projects/{seat.project_id}/disputes/?status=open").json()["results"]
    assert (open_one["user"], open_one["work"]) == ("Wanda", "rejected")
    answer = post("Mona", f"/disputes/{open_one['id']}/uphold/", {"reason": "true, sorry"})
    assert (answer.json()["status"], answer.json()["answered_by"]) == ("upheld", "Mona")
    assert paying.earned_micros(cast.user("Wanda")) == 1_500_000
    assert post("Mona", f"/disputes/{open_one['id']}/decline/", WHY).status_code == 409
    own = get("Wanda", "/me/disputes/")
    assert own.json()["results"][0]["answer"] == "true, sorry" and "Mona" not in own.content.decode()


def test_a_declined_dispute_is_answered_once_and_for_all() -> None:
    seat = rejected()
    made = post("Wanda", f"/assignments/{seat.pk}/dispute/", WHY).json()
    assert post("Mona", f"/disputes/{made['id']}/decline/", {"reason": "look again"}).json()["status"] == "declined"
    again = post("Wanda", f"/assignments/{seat.pk}/dispute/", WHY)
    assert again.status_code == 409 and "look again" in again.json()["detail"]
    assert post("Mona", f"/disputes/{made['id']}/uphold/", WHY).status_code == 409
    assert Assignment.objects.get(pk=seat.pk).status == Seat.REJECTED
    assert LedgerEntry.objects.filter(kind="accrual").count() == 1


def test_what_waits_may_be_disputed_after_a_day_and_what_is_accepted_never() -> None:
    batch = stage.launched(reward_micros=5)
    wanda = cast.client("Wanda")
    claimed = stage.claim(wanda, batch.project)
    path = f"/assignments/{claimed['id']}/dispute/"
    assert post("Wanda", path, WHY).status_code == 409
    stage.submit(wanda, claimed)
    assert "less than a day" in post("Wanda", path, WHY).json()["detail"]
    Assignment.objects.filter(pk=claimed["id"]).update(submitted_at=Now() - timedelta(days=2))
    assert post("Wanda", path, WHY).status_code == 201
    assert post("Will", path, WHY).status_code == 404
    paying.accept(seat=Assignment.objects.get(pk=claimed["id"]))
    assert Dispute.objects.get().status == "upheld"
    assert post("Wanda", path, WHY).status_code == 409
