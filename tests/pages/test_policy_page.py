"""The page on which a project's own policy is changed."""

from __future__ import annotations

import re

import pytest

from crowd.core.policies import CHECKS
from crowd.models import Policy
from crowd.presenting import current_policy
from tests import cast
from tests.pages.test_pages import Markup, browser

pytestmark = pytest.mark.django_db


def test_the_form_holds_every_field_of_the_policy_as_it_is_now() -> None:
    project = cast.project()
    values = current_policy(project).to_json() | {
        "lease_s": 5400,
        "reward_micros": 1_500_000,
        "languages": ["en", "pt"],
    }
    Policy.objects.create(project=project, version=2, values=values)
    html = browser("Alice").get(f"/projects/{project.pk}/policy/").content.decode()
    assert set(re.findall(r'name="(\w+)"', html.split("data-send")[1])) == set(CHECKS)
    shown = dict(re.findall(r'name="(lease_s|reward_micros|languages)".*?value="(.*?)"', html))
    assert shown == {"lease_s": "90", "reward_micros": "1.5", "languages": "en, pt"}
    assert "batches that are launched keep theirs" in html
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
