"""Reconciliation: a provider's statement against the lines of a payout. All of a statement counts, or nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.core.problems import Invalid, Problems, shown
from annotation.models import User
from crowd.core.money import written
from crowd.errors import WrongState
from crowd.lifecycle import SENT_LINES, PayoutStatus
from crowd.models import Payout, PayoutLine
from crowd.paying_out import lose_sight, settle
from crowd.providers.interface import Outcome
from crowd.providers.registry import PROVIDERS

FILE = "/file"
MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a statement did: lines that it settled, and lines that it told nothing new of."""

    paid: int
    failed: int
    unchanged: int


def clear(*, payout: Payout, data: bytes, by: User, final: bool = False) -> Cleared:
    """Settle a payout's lines as a statement says; the same one again changes nothing.

    A `final` statement is the provider's last word: what it does not name is unknown from then on, until another
    statement names it. Invalid names the lines of a reference that is not of this payout, an amount that was not
    asked for, and an outcome against what was settled before.
    """
    return clear_outcomes(payout=payout, outcomes=PROVIDERS[payout.provider].read_statement(data), by=by, final=final)


def clear_outcomes(*, payout: Payout, outcomes: Sequence[Outcome], by: User | None, final: bool = False) -> Cleared:
    # Locked, so that the lines stay as they are read here.
    status = Payout.objects.select_for_update(no_key=True).values_list("status", flat=True).get(pk=payout.pk)
    if status in (PayoutStatus.DRAFT, PayoutStatus.LOCKED):
        raise WrongState(f"This payout is {status}; nothing of it was sent, so no statement can tell of it.")
    lines = {line.reference: line for line in payout.lines.all()}
    with Problems().raising(Invalid) as problems:
        for outcome in outcomes:
            if wrong := _problem(outcome, lines.get(outcome.reference)):
                problems.add(FILE, f"line {outcome.line}: {wrong}")
    new = [o for o in outcomes if lines[o.reference].status in SENT_LINES]
    settle(payout=payout, outcomes=new, by=by)
    if final:
        lose_sight(payout=payout, reason="a final statement does not name it", by=by)
    paid = sum(o.paid for o in new)
    return Cleared(paid=paid, failed=len(new) - paid, unchanged=len(outcomes) - len(new))


def _problem(outcome: Outcome, line: PayoutLine | None) -> str | None:
    """What of one line of a statement contradicts what we know, if anything."""
    if line is None:
        return f"there is no {shown(outcome.reference)} in this payout"
    if outcome.currency is not None and outcome.currency != line.currency:
        return f"{line.reference} is in {line.currency}, not {shown(outcome.currency)}"
    if outcome.amount_micros is not None and outcome.amount_micros != line.amount_micros:
        told, asked = (written(m, line.currency) for m in (outcome.amount_micros, line.amount_micros))
        return f"{line.reference} is {asked} {line.currency}, not {told}"
    says = PayoutStatus.PAID if outcome.paid else PayoutStatus.FAILED
    if line.status not in (*SENT_LINES, says):
        return f"{line.reference} is {line.status} already, and this says {says.value}"
    return None
