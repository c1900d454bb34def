from __future__ import annotations

import pytest

from annotation import receiving, storing
from tests import cast
from tests.annotation.test_resumable import begin

pytestmark = pytest.mark.django_db


def test_who_promises_much_and_sends_nothing_shuts_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "room", lambda: receiving.RESERVE_BYTES + 4000)
    (alice, own), (eve, other) = ((cast.client(n), cast.project(owner=n, name=n)) for n in ("Alice", "Eve"))
    assert begin(eve, other, 2000).status_code == 201
    assert begin(eve, other, 1).status_code == 507
    assert begin(alice, own, 1000).status_code == 201
    assert begin(alice, own, 1).status_code == 507
