"""Webhooks: signed, tried again for days, logged, and never sent to where they have no business."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from annotation import notifying
from annotation.lifecycle import Event
from annotation.models import Delivery, Job, Project, Webhook
from tests import cast
from tests.annotation.receiver import LOOPBACK, Receiver

API = "/api/v1"
SECRET = "a secret of the client's"


@pytest.fixture
def project(db: None, settings: Any) -> Project:
    settings.WEBHOOK_NETWORKS = LOOPBACK
    return cast.project()


def hook(project: Project, url: str, events: tuple[str, ...] = ("batch.done",)) -> Webhook:
    body = {"url": url, "events": list(events), "secret": SECRET}
    answer = cast.client("Alice").post(f"{API}/projects/{project.pk}/webhooks/", body)
    assert answer.status_code == 201, answer.content
    return Webhook.objects.get(pk=answer.json()["id"])


def tell(project: Project) -> Delivery:
    notifying.announce(project_id=project.pk, event=Event.BATCH_DONE, batch="b1")
    return Delivery.objects.get()


def due(delivery: Delivery) -> Delivery:
    """Its wait is over, and it is tried."""
    Webhook.objects.update(rests_until=None)
    Job.objects.filter(subject=delivery.pk).update(not_before=Now())
    cast.work_off()
    delivery.refresh_from_db()
    return delivery


def test_an_event_arrives_signed_as_the_specification_says(project: Project, receiver: Receiver) -> None:
    hook(project, receiver.url)
    delivery = due(tell(project))
    [(path, headers, body)] = receiver.came
    assert path == "/hook" and json.loads(body) | {"timestamp": ""} == {
        "type": "batch.done",
        "timestamp": "",
        "project": project.pk,
        "data": {"batch": "b1"},
    }
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}" and headers["webhook-id"] == delivery.pk
    assert delivery.status == "delivered" and delivery.attempts[0]["status"] == 200


def test_the_specifications_own_example_has_its_signature() -> None:
    """https://github.com/standard-webhooks/standard-webhooks, the example of its libraries."""
    body = '{"test": 2432232314}'
    signature = notifying.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_fails_is_tried_again_after_growing_waits_for_days_and_then_given_up(
    project: Project, receiver: Receiver
) -> None:
    hook(project, receiver.url)
    receiver.answers = [(503, {})] * 99
    delivery, waits = tell(project), []
    while due(delivery).status == "waiting":
        waits.append((delivery.next_at - timezone.now()).total_seconds())
    assert delivery.status == "failed" and len(receiver.came) == len(delivery.attempts) == len(waits) + 1
    assert all(a < 1.2 * b for a, b in pairwise(waits)) and waits[0] < 15 and 2 * 86_400 < sum(waits) < 5 * 86_400
    assert len({headers["webhook-id"] for _, headers, _ in receiver.came}) == 1


def test_a_failure_lets_the_other_events_of_the_address_wait_without_a_try(
    project: Project, receiver: Receiver
) -> None:
    hook(project, receiver.url)
    receiver.answers = [(500, {})]
    first = tell(project)
    cast.work_off()
    notifying.announce(project_id=project.pk, event=Event.BATCH_DONE, batch="b2")
    cast.work_off()
    other = Delivery.objects.exclude(pk=first.pk).get()
    assert len(receiver.came) == 1 and other.status == "waiting" and other.tries == 0
    assert due(other).status == "delivered"


def test_who_is_gone_is_told_nothing_more(project: Project, receiver: Receiver) -> None:
    made = hook(project, receiver.url)
    receiver.answers = [(410, {})]
    assert due(tell(project)).status == "failed"
    made.refresh_from_db()
    assert not made.enabled and "410" in made.reason
    notifying.announce(project_id=project.pk, event=Event.BATCH_DONE, batch="b2")
    assert Delivery.objects.count() == 1


def test_its_owner_sends_an_ended_one_again_under_the_same_id(project: Project, receiver: Receiver) -> None:
    made = hook(project, receiver.url)
    delivery = tell(project)
    address = f"{API}/webhooks/{made.pk}/deliveries/{delivery.pk}/replay/"
    assert cast.client("Alice").post(address).status_code == 409, "it is still under way"
    due(delivery)
    assert cast.client("Alice").post(address).status_code == 202
    cast.work_off()
    assert [headers["webhook-id"] for _, headers, _ in receiver.came] == [delivery.pk] * 2
    log = cast.client("Alice").get(f"{API}/webhooks/{made.pk}/deliveries/").json()["results"]
    assert [len(row["attempts"]) for row in log] == [2] and log[0]["status"] == "delivered"


def test_an_event_that_nobody_asked_for_and_one_that_is_rolled_back_are_not_told(project: Project) -> None:
    hook(project, "https://example.org/hook", events=("export.ready",))
    notifying.announce(project_id=project.pk, event=Event.BATCH_DONE, batch="b1")
    assert not Delivery.objects.exists()


def test_no_answer_ever_holds_the_secret_but_the_first(project: Project) -> None:
    alice = cast.client("Alice")
    body = {"url": "https://example.org/hook", "events": ["export.ready"]}
    made = alice.post(f"{API}/projects/{project.pk}/webhooks/", body).json()
    assert made["secret"].startswith("whsec_")
    for address in (f"/projects/{project.pk}/webhooks/", f"/webhooks/{made['id']}/"):
        assert made["secret"] not in alice.get(API + address).content.decode()
    changed = alice.patch(f"{API}/webhooks/{made['id']}/", {"enabled": False})
    assert changed.json()["enabled"] is False and "secret" not in changed.json()
    assert alice.delete(f"{API}/webhooks/{made['id']}/").status_code == 204


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "https://",
        "https://user:word@example.org/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.1.2.3/",
        "http://[::ffff:10.1.2.3]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1%25eth0]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "https://example.org:0/",
        "https://exam ple.org/",
        "https://exämple.org/",
    ],
)
def test_an_address_that_can_never_be_right_is_refused_at_once(db: None, url: str) -> None:
    project = cast.project()
    body = {"url": url, "events": ["batch.done"]}
    answer = cast.client("Alice").post(f"{API}/projects/{project.pk}/webhooks/", body)
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/url"


def test_a_name_that_means_a_private_address_is_never_connected_to(
    project: Project, receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_NETWORKS = ()
    hook(project, f"http://localhost:{receiver.port}/hook")
    delivery = due(tell(project))
    assert delivery.status == "waiting" and "not a public address" in delivery.attempts[0]["error"]
    assert not receiver.came


def test_a_delivery_whose_job_was_lost_is_found(project: Project, receiver: Receiver) -> None:
    hook(project, receiver.url)
    delivery = tell(project)
    Job.objects.all().delete()
    Delivery.objects.update(next_at=Now() - timedelta(minutes=6))
    notifying.want_lost()
    cast.work_off()
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


def test_the_log_is_kept_for_a_month(project: Project) -> None:
    hook(project, "https://example.org/hook")
    delivery = tell(project)
    old = timezone.now() - timedelta(days=31)
    Delivery.objects.filter(pk=delivery.pk).update(status="delivered", ended_at=old)
    notifying.forget_old()
    assert not Delivery.objects.exists()
