from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from crowd.invariants import INVARIANTS, broken
from tests.crowd.lies import LIES, REFUSED, tell, worked

pytestmark = [pytest.mark.django_db, pytest.mark.breaks_invariants]


def test_every_invariant_has_its_lie() -> None:
    assert set(INVARIANTS) == LIES.keys() | REFUSED.keys()


@pytest.mark.parametrize("sentence", LIES)
def test_a_lie_is_found(sentence: str) -> None:
    seat = worked()
    assert broken() == {}
    tell(LIES[sentence], seat)
    assert sentence in broken()


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_lie_is_refused_by_the_database(sentence: str) -> None:
    seat = worked()
    with pytest.raises(IntegrityError), transaction.atomic():
        tell(REFUSED[sentence], seat)


def test_the_command_says_what_is_not_true_and_fails() -> None:
    seat = worked()
    out = StringIO()
    call_command("invariants", stdout=out)
    assert f"All {len(INVARIANTS)}" in out.getvalue()
    tell("UPDATE crowd_assignment SET status = 'submitted' WHERE status = 'accepted'", seat)
    with pytest.raises(CommandError, match="2 of"):
        call_command("invariants", stdout=out)
    assert seat.pk in out.getvalue()
