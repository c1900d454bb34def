"""The page of one's own API tokens."""

from __future__ import annotations

import re

import pytest

from annotation import joining, pages
from tests import cast
from tests.pages.test_pages import Markup, browser, status

pytestmark = pytest.mark.django_db


def listed(name: str, query: str = "") -> list[str]:
    return re.findall(r'data-token="(\w+)"', browser(name).get(f"/tokens/{query}").content.decode())


def test_whoever_may_have_tokens_sees_their_own_and_how_to_get_there() -> None:
    made, key = joining.make_token(user=cast.user("Alice"), name="laptop")
    gone, _ = joining.make_token(user=cast.user("Alice"), name="phone")
    joining.revoke_token(token=gone)
    html = browser("Alice").get("/tokens/").content.decode()
    assert "laptop" in html and f'data-delete="/tokens/{made.pk}/"' in html
    assert key not in html and made.key_sha256 not in html
    assert (listed("Alice"), listed("Eve")) == ([made.pk], [])
    assert Markup(html).forbidden == [] and Markup(html).unnamed == []
    links = {n: 'href="/tokens/"' in browser(n).get("/password/").content.decode() for n in ("Alice", "Wanda")}
    assert links == {"Alice": True, "Wanda": False}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Alice", 200), ("Mona", 200), ("Ada", 200), ("Rita", 404), ("Wanda", 404), (None, 302)],
)
def test_the_page_is_there_for_those_who_may_make_a_token(name: str | None, expected: int) -> None:
    assert status(name, "/tokens/") == expected


def test_every_token_is_on_one_of_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "TOKENS", 1)
    made = [joining.make_token(user=cast.user("Alice"), name=name)[0].pk for name in ("one", "two")]
    assert sorted(listed("Alice") + listed("Alice", "?page=2")) == sorted(made)
