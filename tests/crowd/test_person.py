from __future__ import annotations

import json
import zipfile
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.models import ApiToken, TrackSet, User
from crowd import paying, paying_out
from crowd.lifecycle import Seat
from crowd.models import Assignment, LedgerEntry, Transition
from crowd.pseudonyms import pseudonym, pseudonyms
from tests import cast
from tests.crowd import stage
from tests.crowd.test_money import clear, earned, locked, sent

pytestmark = pytest.mark.django_db


def erase(name: str, **how: bool) -> str:
    out = StringIO()
    call_command("person", "erase", name, stdout=out, **how)
    return out.getvalue()


def test_an_export_holds_all_that_is_kept_and_no_secret(tmp_path: Path) -> None:
    seat = earned()
    User.objects.filter(username="Wanda").update(email="wanda@example.org")
    out = tmp_path / "wanda.zip"
    call_command("person", "export", "Wanda", "--out", str(out), stdout=StringIO())
    with zipfile.ZipFile(out) as archive:
        found = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert found["account.json"][0]["email"] == "wanda@example.org"
    assert found["assignment-worker.json"][0]["id"] == seat.pk
    assert found["trackset-author.json"][0]["tracks"][0]["keyframes"]
    assert [e["amount_micros"] for e in found["ledgerentry-worker.json"]] == [1_500_000]
    assert {"transition-of-assignments.json", "apitoken-user.json"} <= set(found)
    text = json.dumps(found)
    assert "password" not in text and 'sha256": "' + ApiToken.objects.first().key_sha256 not in text
    with pytest.raises(CommandError, match="exists"):
        call_command("person", "export", "Wanda", "--out", str(out))
    with pytest.raises(CommandError, match="nobody"):
        call_command("person", "export", "Nemo", "--out", str(tmp_path / "nemo.zip"))


def test_nobody_who_is_owed_is_erased_unless_they_forfeit() -> None:
    project = earned().project
    with pytest.raises(CommandError, match="1.500000 EUR"):
        erase("Wanda")
    payout = sent(project)
    with pytest.raises(CommandError, match="under way"):
        erase("Wanda", forfeit=True)
    clear(payout, False)
    assert "1 ledger entries" in erase("Wanda", forfeit=True)
    with pytest.raises(paying_out.NothingToPay):
        locked(project)


def test_an_erased_person_is_gone_and_the_labels_stay() -> None:
    seat = earned()
    clear(sent(seat.project), True)
    wanda, client = cast.user("Wanda"), cast.client("Wanda")
    held = stage.claim(client, seat.project)
    body = {"token": held["token"], "tracks": []}
    assert client.put(f"{stage.API}/assignments/{held['id']}/draft/", body).status_code == 200
    old, labels = pseudonym(seat.project_id, wanda.pk), bytes(TrackSet.objects.get(assignment=seat).payload)
    erase("Wanda")
    row = User.objects.get(pk=wanda.pk)
    assert (row.email, row.is_active, row.has_usable_password()) == ("", False, False)
    assert not User.objects.filter(username="Wanda").exists() and not ApiToken.objects.filter(user=row).exists()
    assert client.get(f"{stage.API}/me/").status_code == 401
    assert Assignment.objects.get(pk=held["id"]).status == Seat.RELEASED
    assert not Assignment.objects.filter(draft__isnull=False).exists()
    assert bytes(TrackSet.objects.get(assignment=seat).payload) == labels
    assert old not in pseudonyms(seat.project_id, [row.pk]).values()
    assert LedgerEntry.objects.filter(worker=row).count() == 2
    seeds = list(User.objects.values_list("alias_seed", flat=True))
    assert len(set(seeds)) == len(seeds)


def test_erasing_twice_changes_nothing_more() -> None:
    wanda = cast.user("Wanda")
    erase("Wanda")
    before = User.objects.filter(pk=wanda.pk).values().get()
    erase(wanda.pk)
    assert User.objects.filter(pk=wanda.pk).values().get() == before


def test_what_an_erased_person_left_undecided_is_forfeit() -> None:
    batch = stage.launched(reward_micros=1_000_000)
    client = cast.client("Wanda")
    seat = stage.claim(client, batch.project)
    stage.submit(client, seat)
    with pytest.raises(CommandError, match="wait for a decision: 1"):
        erase("Wanda")
    erase("Wanda", forfeit=True)
    assert paying.accept(seat=Assignment.objects.get(pk=seat["id"]))
    with pytest.raises(paying_out.NothingToPay):
        locked(batch.project)


def test_words_about_an_erased_person_are_gone_and_that_there_were_some_stays() -> None:
    seat = rejected()
    erase("Wanda")
    seat.refresh_from_db()
    words = {seat.reason, *Transition.objects.filter(assignment=seat).values_list("reason", flat=True)}
    assert seat.status == Seat.REJECTED and words == {"", "(erased)"}


def rejected() -> Assignment:
    batch = stage.launched()
    client = cast.client("Wanda")
    seat = stage.claim(client, batch.project)
    stage.submit(client, seat)
    row = Assignment.objects.get(pk=seat["id"])
    paying.reject(seat=row, by=cast.user("Mona"), reason="Wanda drew the bus.")
    return row
