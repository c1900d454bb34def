"""The page of a project's webhooks."""

from __future__ import annotations

import re

import pytest

from annotation import notifying, pages
from annotation.models import Delivery, Project, Webhook
from tests import cast
from tests.pages.test_pages import Markup, browser

pytestmark = pytest.mark.django_db


def hook(project: Project, secret: str = "x" * 20) -> Webhook:
    return notifying.create_webhook(
        project=project, url="https://a.example/told", events=["batch.done"], secret=secret, by=cast.user("Alice")
    )


def page(project: Project, query: str = "", name: str = "Alice") -> str:
    return browser(name).get(f"/projects/{project.pk}/webhooks/{query}").content.decode()


def test_addresses_are_listed_without_their_secrets_and_what_was_sent_can_be_sent_again() -> None:
    project, elsewhere = cast.project(), cast.project(owner="Eve", name="Harbour")
    mine, other = hook(project, "a-secret-of-mine-alone"), hook(elsewhere)
    sent = notifying.ping(webhook=mine)
    notifying.ping(webhook=other)
    html = page(project)
    assert re.findall(r'data-webhook="(\w+)"', html) == [mine.pk] and "a-secret-of-mine-alone" not in html
    assert set(re.findall(r'name="events" value="([\w.]+)"', html)) == {e for e in notifying.Event if e != "ping"}
    assert "data-delivery" not in html
    html = page(project, f"?of={mine.pk}")
    assert re.findall(r'data-delivery="(\w+)"', html) == [sent.pk]
    assert "/replay/" not in html and "data-unfinished" in html
    Delivery.objects.filter(pk=sent.pk).update(status="failed", ended_at=sent.webhook.created_at)
    html = page(project, f"?of={mine.pk}")
    assert f"/webhooks/{mine.pk}/deliveries/{sent.pk}/replay/" in html and "data-unfinished" not in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
    assert "data-delivery" not in page(project, f"?of={other.pk}") + page(project, "?of=a%00b")


def test_why_an_address_was_switched_off_is_told() -> None:
    project = cast.project()
    made = hook(project)
    Webhook.objects.filter(pk=made.pk).update(enabled=False, reason="It answered 410.")
    assert "It answered 410." in page(project)


def test_all_that_was_sent_is_on_one_of_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "DELIVERIES", 1)
    made = hook(cast.project())
    sent = [notifying.ping(webhook=made).pk for _ in range(2)]
    shown = [page(made.project, f"?of={made.pk}&sent={n}") for n in (1, 2)]
    assert sorted(sum((re.findall(r'data-delivery="(\w+)"', html) for html in shown), [])) == sorted(sent)
