"""What docs/webhooks.md says is what is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from annotation import notifying
from annotation.lifecycle import Event
from annotation.models import Delivery, Project
from tests import cast
from tests.annotation.receiver import LOOPBACK, Receiver

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()


@pytest.fixture
def project(db: None, settings: Any) -> Project:
    settings.WEBHOOK_NETWORKS = LOOPBACK
    return cast.project()


@pytest.mark.parametrize("secret", [None, "a secret of the client's"])
def test_the_example_knows_what_we_sent_from_what_others_did(
    project: Project, receiver: Receiver, secret: str | None
) -> None:
    example: dict[str, Any] = {}
    exec(re.search(r"```python\n(.+?)```", DOCS, re.S)[1], example)  # type: ignore[index]
    body = {"url": receiver.url, "events": ["batch.done"]} | ({"secret": secret} if secret else {})
    made = cast.client("Alice").post(f"/api/v1/projects/{project.pk}/webhooks/", body).json()
    notifying.announce(project_id=project.pk, event=Event.BATCH_DONE, batch="b1")
    cast.work_off()
    [(_, headers, sent)] = receiver.came
    headers = {name.lower(): value for name, value in headers.items()}
    assert example["is_ours"](made["secret"], headers, sent)
    assert not example["is_ours"](made["secret"], headers, sent + b" ")
    assert not example["is_ours"]("another secret, as long", headers, sent)
    assert not example["is_ours"](made["secret"], headers | {"webhook-timestamp": "1600000000"}, sent)
    assert headers["webhook-id"] == Delivery.objects.get().pk


def test_every_kind_of_event_is_told_of() -> None:
    assert set(re.findall(r"`([a-z.]+)`", "".join(re.findall(r"^\| (`.+?) \|", DOCS, re.M)))) == {
        e.value for e in Event
    }
