"""Telling the outside what happened: an event is a row in the transaction of what it tells of, a job sends it.

Bodies are signed as the Standard Webhooks specification says (https://www.standardwebhooks.com, version 1.0.0). An
event may come twice or late, and events may overtake each other: the receiver knows one by `webhook-id`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import random
import secrets
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from annotation import outgoing
from annotation.errors import Conflict
from annotation.ids import new_id
from annotation.lifecycle import DeliveryStatus, Event
from annotation.models import Delivery, Project, User, Webhook
from annotation.queue import want

MINUTE_S, HOUR_S = 60, 3600
# Waits after the first, second, … failed attempt: three days in all.
WAITS_S = (10, MINUTE_S, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, 24 * HOUR_S, 24 * HOUR_S)
# So that what failed together does not come back together.
JITTER = 0.1
KEPT = timedelta(days=30)
MOST_ATTEMPTS_KEPT = 50
GONE = 410
_log = logging.getLogger("trackweave.webhooks")
_chance = random.SystemRandom()


class NotEnded(Conflict):
    """This delivery is still under way."""


def create_webhook(*, project: Project, url: str, events: list[str], secret: str | None, by: User) -> Webhook:
    """An address that is told from now on; without a secret it gets one."""
    secret = secret or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return Webhook.objects.create(project=project, url=url, events=sorted(set(events)), secret=secret, created_by=by)


def announce(*, project_id: str, event: Event, **data: Any) -> None:
    """Tell a project's webhooks of an event, if the caller's transaction commits."""
    for hook in Webhook.objects.filter(project_id=project_id, enabled=True):
        if event in hook.events:
            _put(hook, event, data)


def ping(*, webhook: Webhook) -> Delivery:
    """An event of no meaning, to see whether an address can be reached."""
    return _put(webhook, Event.PING, {})


def _put(hook: Webhook, event: Event, data: dict[str, Any]) -> Delivery:
    body = {"type": event, "timestamp": timezone.now().isoformat(), "project": hook.project_id, "data": data}
    text = json.dumps(body, separators=(",", ":"))
    made = Delivery.objects.create(id=new_id(), webhook=hook, event=event, body=text)
    want("deliver", made.pk)
    return made


def replay(*, delivery: Delivery) -> None:
    """Send what was delivered, or was given up, once more under the same id; NotEnded where it is under way."""
    ended = Delivery.objects.filter(pk=delivery.pk).exclude(status=DeliveryStatus.WAITING)
    if not ended.update(status=DeliveryStatus.WAITING, tries=0, next_at=Now(), ended_at=None):
        raise NotEnded
    want("deliver", delivery.pk)


def deliver(*, delivery_id: str) -> None:
    """Send what waits. Dying here sends it again: at least once, never lost."""
    row = Delivery.objects.select_related("webhook").filter(pk=delivery_id, status=DeliveryStatus.WAITING).first()
    if row is None:
        return
    hook, now = row.webhook, timezone.now()
    if not hook.enabled:
        _end(row, DeliveryStatus.FAILED, {"at": now.isoformat(), "error": "The webhook is switched off."})
    elif hook.rests_until and hook.rests_until > now and row.tries == 0:
        _wait(row, (hook.rests_until - now).total_seconds())
    else:
        _judge(row, _attempt(row))


def _attempt(row: Delivery) -> dict[str, Any]:
    """One attempt, as it is kept in the log."""
    hook, at = row.webhook, int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": "Trackweave",
        "webhook-id": row.pk,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(hook.secret, row.pk, at, row.body),
    }
    told: dict[str, Any] = {"at": timezone.now().isoformat()}
    try:
        answer = outgoing.post(hook.url, row.body.encode(), headers, allowed=settings.WEBHOOK_NETWORKS)
    except outgoing.NotReached as error:
        return told | {"error": str(error)[:500]}
    return told | {"status": answer.status, "seconds": round(answer.seconds, 3), "redirects": answer.redirects}


def sign(secret: str, delivery_id: str, at: int, body: str) -> str:
    """`v1,` and the HMAC-SHA256, in base64, of `id.timestamp.body`."""
    signed = hmac.new(_key(secret), f"{delivery_id}.{at}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _key(secret: str) -> bytes:
    """After `whsec_` a key in base64, as the specification writes it; any other text is the key as it stands."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def _judge(row: Delivery, told: dict[str, Any]) -> None:
    status = told.get("status", 0)
    if 200 <= status < 300:
        Webhook.objects.filter(pk=row.webhook_id).update(rests_until=None)
        _end(row, DeliveryStatus.DELIVERED, told)
        return
    if status == GONE:
        reason = f"It answered {GONE}, gone, at {told['at']}."
        Webhook.objects.filter(pk=row.webhook_id).update(enabled=False, reason=reason)
    if status == GONE or row.tries >= len(WAITS_S):
        _end(row, DeliveryStatus.FAILED, told)
        return
    wait_s = WAITS_S[row.tries] * (1 + _chance.uniform(0, JITTER))
    _wait(row, wait_s, tries=row.tries + 1, attempts=_log_of(row, told))
    Webhook.objects.filter(pk=row.webhook_id).update(rests_until=Now() + timedelta(seconds=min(wait_s, HOUR_S)))


def _log_of(row: Delivery, told: dict[str, Any]) -> list[dict[str, Any]]:
    return [*row.attempts, told][-MOST_ATTEMPTS_KEPT:]


def _end(row: Delivery, status: DeliveryStatus, told: dict[str, Any]) -> None:
    _same(row).update(status=status, attempts=_log_of(row, told), tries=row.tries + 1, ended_at=Now())


def _wait(row: Delivery, seconds: float, **values: Any) -> None:
    with transaction.atomic():
        if _same(row).update(next_at=Now() + timedelta(seconds=seconds), **values):
            want("deliver", row.pk, delay_s=seconds)


def _same(row: Delivery) -> Any:
    return Delivery.objects.filter(pk=row.pk, status=DeliveryStatus.WAITING, tries=row.tries)


def want_lost() -> None:
    """A delivery that is long due lost its job."""
    late = Q(status=DeliveryStatus.WAITING, next_at__lt=Now() - timedelta(minutes=5))
    for delivery_id in Delivery.objects.filter(late).values_list("pk", flat=True)[:500]:
        with transaction.atomic():
            want("deliver", delivery_id)


def forget_old() -> None:
    """The log is kept for a month."""
    Delivery.objects.filter(ended_at__lt=Now() - KEPT).delete()
